"""The cells of a class's run in the tables of the project's log. Nothing is added up here.

The columns are those of `clients/records.py`, which this side of the project may not import; a test
holds them together. What nobody measured is None.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from demo.classroom.matching import Asked, Served
from demo.classroom.run import Cell, Part, Run

Row = dict[str, Cell]


class Heard(NamedTuple):
    """A message that reached a reader: a row of `Reports.deliveries` without reader and mode."""

    message: int
    published_ns: int
    sent_ns: int
    received_ns: int


# What is so in every run of a class: one trial, no crowd that is only counted, no publish by HTTP
# that could fail.
FIXED: Row = {
    "trial": 1,
    "seed": 0,
    "interrupted": False,
    "publish_failures": 0,
    "faults": 0,
    "crowd_clients": 0,
    "crowd_requests": 0,
    "crowd_deliveries": 0,
    "crowd_window_deliveries": 0,
    "crowd_bytes_up": 0,
    "crowd_bytes_down": 0,
}


def settings(run: Run, clients: int) -> Row:
    """Return what was set."""
    asked = run.settings
    return {
        "clients": clients,
        "rate_per_s": round(run.messages / run.seconds, 3),
        "interval_s": asked.interval_s,
        "hold_s": asked.hold_s if asked.hold else 0.0,
        "rtt_ms": asked.rtt_ms,
        "jitter_ms": 0.0,
        "kbit_per_s": 0.0,
        "payload_bytes": round(run.text_bytes / run.messages),
        "duration_s": run.seconds,
        "warmup_s": 0.0,
        "schedule": "poisson",
        "keepalive": asked.keepalive,
        "deflate": False,
        "stall_s": 0.0,
        "timer": "after",
        "sample_limit": clients,
        "faults_per_s": 0.0,
        "fault_kinds": "",
        "proxy": "",
    }


def poll(asked: Asked, seen: Served | None) -> Row:
    """Return a poll as its reader reported it, with the bytes that the server counted."""
    up, down = (None, None) if seen is None else (seen.bytes_in, seen.bytes_out)
    return {**msgspec.structs.asdict(asked), "bytes_up": up, "bytes_down": down}


def session(run: Run, part: Part) -> Row:
    """Return the window's part of a WebSocket's session, as the server counted it."""
    return {
        "started_ns": run.started_ns,
        "ended_ns": run.ends_ns,
        "status": 101,
        "messages": part.spent.deliveries,
        "connection": 1,
        "bytes_up": part.spent.bytes_in,
        "bytes_down": part.spent.bytes_out,
    }


def bodies(up: int, down: int, body: int) -> Row:
    """Return what the bytes of polls consist of, given those that are known."""
    return {
        "request_head_bytes": up,
        "response_head_bytes": down - body,
        "handshake_bytes": 0,
        "frame_bytes": 0,
        "body_bytes": body,
    }


def frames(parts: Iterable[Part]) -> Row:
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


def delivery(heard: Heard, run: Run) -> Row:
    """Return a message that reached a reader."""
    return {
        "message": heard.message,
        # A sender's own stamp may be any: it counts as far as it is of the run.
        "sent_ns": max(run.started_ns + 1, min(heard.sent_ns, heard.published_ns)),
        "published_ns": heard.published_ns,
        "arrived_ns": None,
        "received_ns": heard.received_ns,
    }
