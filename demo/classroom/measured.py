"""One mode of a class's run as the project's log has it: its rows, its totals and its verdict.

The columns are those of `clients/records.py`, which this side of the project may not import; a test
holds them together. What nobody measured is None.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from demo.classroom.matching import Asked, Served, match
from demo.classroom.run import Cell, Part, Run
from demo.classroom.settings import Mode
from demo.classroom.verdict import continuity, p99, reasons

Heard = tuple[int, int, int, int]  # message, published_ns, sent_ns, received_ns


# What is so in every run of a class: one trial, no crowd that is only counted, no publish by HTTP
# that could fail.
FIXED: dict[str, Cell] = {
    "trial": 1,
    "seed": 0,
    "interrupted": False,
    "publish_failures": 0,
    "crowd_clients": 0,
    "crowd_requests": 0,
    "crowd_deliveries": 0,
    "crowd_window_deliveries": 0,
    "crowd_bytes_up": 0,
    "crowd_bytes_down": 0,
}


class Place(msgspec.Struct, frozen=True):
    """Which run of the log this is."""

    run: int
    order: int
    setting: int
    mode: Mode


class Tables(msgspec.Struct, frozen=True):
    """What is known of the readers of one mode, by reader."""

    asked: Mapping[int, Sequence[Asked]]
    served: Mapping[int, Sequence[Served]]
    heard: Mapping[int, Sequence[Heard]]


class Measured(msgspec.Struct, frozen=True):
    """A row of runs.csv, and the run's rows of requests.csv and deliveries.csv."""

    run: dict[str, Cell]
    requests: list[dict[str, Cell]]
    deliveries: list[dict[str, Cell]]


def measured(place: Place, run: Run, parts: list[Part], tables: Tables) -> Measured:
    """Sum up what the readers of `parts` did in a run, in the mode of `place`."""
    number, mode = place.run, place.mode
    clients = [part.number for part in parts]
    if mode == "ws":
        requests, served = [_session(number, run, part) for part in parts], len(parts)
        consist = _frames(parts)
    else:
        requests, seen, served = _polls(number, run, clients, tables)
        consist = _bodies(seen)
    deliveries = [
        row for client in clients for row in _deliveries(number, run, client, tables.heard)
    ]
    totals = {
        **_settings(run, len(clients)),
        "window_start_ns": run.started_ns,
        "window_end_ns": run.ends_ns,
        "first_message": run.first_message,
        "messages": run.messages,
        "published": run.messages,
        "deliveries": len(deliveries),
        "requests": len(requests),
        "server_requests": served,
        "connections": len({(row["client"], row["connection"]) for row in requests}),
        "bytes_up": _sum(requests, "bytes_up"),
        "bytes_down": _sum(requests, "bytes_down"),
        "publisher_late_p99_ms": p99(run.late_ms),
        **consist,
        **continuity(deliveries, clients, run),
    }
    void = [*run.faults, *reasons(totals, run)]
    verdict: dict[str, Cell] = {"valid": not void, "void_because": "; ".join(void)}
    where: dict[str, Cell] = {**msgspec.structs.asdict(place), "started_utc": run.started_utc}
    return Measured({**where, **FIXED, **totals, **verdict}, requests, deliveries)


def _settings(run: Run, clients: int) -> dict[str, Cell]:
    settings = run.settings
    return {
        "clients": clients,
        "rate_per_s": round(run.messages / run.seconds, 3),
        "interval_s": settings.interval_s,
        "hold_s": settings.hold_s if settings.hold else 0.0,
        "rtt_ms": settings.rtt_ms,
        "jitter_ms": 0.0,
        "kbit_per_s": 0.0,
        "payload_bytes": round(run.text_bytes / run.messages),
        "duration_s": run.seconds,
        "warmup_s": 0.0,
        "schedule": "poisson",
        "keepalive": settings.keepalive,
        "deflate": False,
        "stall_s": 0.0,
        "timer": "after",
        "sample_limit": clients,
    }


def _polls(
    number: int, run: Run, clients: list[int], tables: Tables
) -> tuple[list[dict[str, Cell]], list[Served], int]:
    """Return the polls that began in the window: the readers' rows, what was seen, how many."""
    rows: list[dict[str, Cell]] = []
    known: list[Served] = []
    answered = 0
    for client in clients:
        served = tables.served.get(client, ())
        answered += sum(run.contains(each.begun_ns) for each in served)
        for asked, seen in match(tables.asked.get(client, ()), served):
            if run.contains(asked.started_ns if seen is None else seen.begun_ns):
                rows.append({"run": number, "client": client} | _poll(asked, seen))
                known += [] if seen is None else [seen]
    return rows, known, answered


def _poll(asked: Asked, seen: Served | None) -> dict[str, Cell]:
    up, down = (None, None) if seen is None else (seen.bytes_in, seen.bytes_out)
    return {**msgspec.structs.asdict(asked), "bytes_up": up, "bytes_down": down}


def _session(number: int, run: Run, part: Part) -> dict[str, Cell]:
    """Return the window's part of a WebSocket's session, as the server counted it."""
    return {
        "run": number,
        "client": part.number,
        "started_ns": run.started_ns,
        "ended_ns": run.ends_ns,
        "status": 101,
        "messages": part.spent.deliveries,
        "connection": 1,
        "bytes_up": part.spent.bytes_in,
        "bytes_down": part.spent.bytes_out,
    }


def _bodies(seen: list[Served]) -> dict[str, Cell]:
    """Return what the bytes of polls consist of."""
    body = sum(each.body_bytes for each in seen)
    return {
        "request_head_bytes": sum(each.bytes_in for each in seen),
        "response_head_bytes": sum(each.bytes_out for each in seen) - body,
        "handshake_bytes": 0,
        "frame_bytes": 0,
        "body_bytes": body,
    }


def _frames(parts: list[Part]) -> dict[str, Cell]:
    """Return what the bytes of WebSockets consist of; an upgrade in the window counts as frames."""
    size = sum(part.spent.bytes_in + part.spent.bytes_out for part in parts)
    text = sum(part.text_bytes for part in parts)
    return {
        "request_head_bytes": 0,
        "response_head_bytes": 0,
        "handshake_bytes": 0,
        "frame_bytes": size - text,
        "body_bytes": text,
    }


def _deliveries(
    number: int, run: Run, client: int, heard: Mapping[int, Sequence[Heard]]
) -> Iterable[dict[str, Cell]]:
    for message, published_ns, sent_ns, received_ns in heard.get(client, ()):
        if run.contains(published_ns):
            yield {
                "run": number,
                "client": client,
                "message": message,
                # A sender's own stamp may be any: it counts as far as it is of the run.
                "sent_ns": max(run.started_ns + 1, min(sent_ns, published_ns)),
                "published_ns": published_ns,
                "arrived_ns": None,
                "received_ns": received_ns,
            }


def _sum(rows: list[dict[str, Cell]], name: str) -> int | None:
    """Add a column up; None where nothing is known of it."""
    known = [value for row in rows if isinstance(value := row[name], int)]
    return sum(known) if known or not rows else None
