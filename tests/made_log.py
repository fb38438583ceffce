"""Make logs as an experiment would have written them, by simulating the modes. No sockets here.

The simulation knows the unit costs exactly, so a test can ask whether the analysis finds them.
"""

import itertools
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from clients.log import Delivery, Exchange, Experiment, Log, Request, Run, Settings, Writer, read
from clients.schedule import Schedule, make_schedule

TRANSIT_S = 0.001  # d: one way
LEAD_S = 0.1  # so long are readers there before the first message
STACK_S = 0.002  # client time from an answer to its next long poll
PER_READER_S = 0.00002  # c
REARM_S = 2 * TRANSIT_S + STACK_S  # G, of the first reader
# Charts that need settings to vary, a stall, or faults.
SPECIAL = {"mean_latency", "tradeoff", "break_even", "break_even_distance", "stall", "faults"}

EPOCH = "5eed5eed"
BYTES = {"short": (180, 170), "long": (190, 170), "ws": (200, 160)}  # request and response head

SETTINGS = Settings(
    clients=8, rate_per_s=2, interval_s=1, hold_s=25, duration_s=20, warmup_s=2, payload_bytes=100
)


Way = Callable[[], float]


class Span(msgspec.Struct, frozen=True):
    """A request in seconds of its run, and the messages it brought with their time of receipt."""

    start_s: float
    end_s: float
    status: int
    news: tuple[tuple[int, float], ...] = ()


def make_log(
    folder: Path,
    settings: Sequence[Settings] = (SETTINGS,),
    *,
    trials: int = 3,
    modes: Sequence[str] = ("short", "long", "ws"),
    spoil: Callable[[Run], Run] = lambda run: run,
    seed: int = 1,
) -> Path:
    """Write a log into the folder, and return the folder; `spoil` may alter each run's row."""
    writer = Writer(folder)
    writer.start(_experiment(settings, trials, modes, seed))
    numbers = itertools.count()
    for trial, (place, setting) in itertools.product(range(trials), enumerate(settings)):
        schedule = make_schedule(setting, f"{seed} {trial} {place}")
        for mode in modes:
            number = next(numbers)
            chance = random.Random(f"{seed} {number}")
            run, requests, deliveries = _run(
                number,
                mode,
                trial,
                place,
                settings=setting,
                schedule=schedule,
                chance=chance,
            )
            writer.add(spoil(run), requests, deliveries)
    writer.describe(_experiment(settings, trials, modes, seed, finished=True))
    writer.wire({mode: exchange(mode, settings[0].payload_bytes) for mode in modes})
    return folder


def made(folder: Path, *settings: Settings, **options: Any) -> Log:
    """Make a log and read it."""
    return read(make_log(folder, settings or (SETTINGS,), **options))


def without_polls(log: Log, *modes: str) -> Log:
    """Take out the polls that started in a window, as of few readers with long intervals."""
    windows = log.runs.select("run", "mode", "window_start_ns", "window_end_ns")
    asked = log.requests.join(windows, on="run", maintain_order="left")
    inside = pl.col("started_ns").is_between("window_start_ns", "window_end_ns", closed="left")
    left = asked.filter(~(inside & pl.col("mode").is_in(modes)))
    return msgspec.structs.replace(log, requests=left.select(log.requests.columns))


def line(settings: Settings, chance: random.Random) -> Way:
    """Return what says how long each way over the settings' line takes."""
    transit_s, jitter_s = _transit_s(settings), settings.jitter_ms / 1e3
    return lambda: transit_s + jitter_s * chance.random()


def short_polls(
    settings: Settings, published_s: Sequence[float], at_s: float, _: int, way: Way
) -> Iterator[Span]:
    """Poll, wait an interval after the answer, poll again."""
    head, opening_s = 0, _opening_s(settings)
    while head < len(published_s):
        asked_s = at_s + opening_s + way()
        known, end_s = bisect_right(published_s, asked_s), asked_s + way()
        yield _answer(at_s, end_s, range(head, known))
        head, at_s = known, end_s + settings.interval_s


def long_polls(
    settings: Settings, published_s: Sequence[float], at_s: float, place: int, way: Way
) -> Iterator[Span]:
    """Poll, be held until there is news or the hold ends, poll again at once."""
    head, opening_s = 0, _opening_s(settings)
    while head < len(published_s):
        answered_s = at_s + opening_s + way()
        known = bisect_right(published_s, answered_s)
        if known == head:
            answered_s += settings.hold_s
            if published_s[head] < answered_s:
                known, answered_s = head + 1, published_s[head] + place * PER_READER_S
        end_s = answered_s + way()
        yield _answer(at_s, end_s, range(head, known))
        head, at_s = known, end_s + STACK_S


def session(
    settings: Settings, published_s: Sequence[float], at_s: float, place: int, way: Way
) -> Iterator[Span]:
    """Stay open; each message comes in its turn, after the fan-outs before it, and in order."""
    free_s, came_s, news = 0.0, 0.0, []
    for i, at in enumerate(published_s):
        begun_s = max(at, free_s)
        free_s = begun_s + settings.clients * PER_READER_S
        came_s = max(came_s, begun_s + place * PER_READER_S + way())
        news.append((i, came_s))
    yield Span(at_s / 1000, came_s, 101, tuple(news))


def _answer(start_s: float, end_s: float, news: range) -> Span:
    if not news:
        return Span(start_s, end_s, 204)
    return Span(start_s, end_s, 200, tuple([(i, end_s) for i in news]))


def _transit_s(settings: Settings) -> float:
    return TRANSIT_S + settings.rtt_ms / 2000


def _opening_s(settings: Settings) -> float:
    return 0.0 if settings.keepalive else 2 * _transit_s(settings)


CLIENTS = {"short": short_polls, "long": long_polls, "ws": session}


def _ns(at_s: float) -> int:
    return 1_000_000_000 + round(at_s * 1e9)


def _run(
    number: int,
    mode: str,
    trial: int,
    place: int,
    *,
    settings: Settings,
    schedule: Schedule,
    chance: random.Random,
) -> tuple[Run, list[Request], list[Delivery]]:
    requests, deliveries = [], []
    published_s, way = [LEAD_S + at_s for at_s in schedule.times_s], line(settings, chance)
    published_ns = [_ns(at_s) for at_s in published_s]
    window_s = LEAD_S + settings.warmup_s, LEAD_S + settings.warmup_s + settings.duration_s
    seen: set[tuple[int, int]] = set()
    ledger = dict.fromkeys(("request_head", "response_head", "handshake", "frame", "body"), 0)
    for client in range(settings.clients):
        start_s = chance.uniform(0, settings.interval_s if mode == "short" else LEAD_S)
        for span in CLIENTS[mode](settings, published_s, start_s, client + 1, way):
            up, down, parts = _bytes(mode, settings, span)
            requests.append(
                Request(number, client, _ns(span.start_s), _ns(span.end_s), span.status,
                        len(span.news), up, down, client)
            )  # fmt: skip
            if mode == "ws" or window_s[0] <= span.start_s < window_s[1]:
                for part, count in parts.items():
                    ledger[part] += count
            for i, at_s in span.news:
                seen.add((client, i))
                sent_ns, at_ns = published_ns[i], _ns(at_s)
                deliveries.append(Delivery(number, client, i + 1, sent_ns, sent_ns, at_ns, at_ns))
    lost = settings.clients * len(published_s) - len(seen)
    window_deliveries = settings.clients * len(schedule.window)
    run = Run(
        run=number, mode=mode, trial=trial, setting=place, order=number,
        **{name: getattr(settings, name) for name in Settings.__struct_fields__},
        seed=number, started_utc="2026-01-02T03:04:05Z",
        window_start_ns=_ns(window_s[0]), window_end_ns=_ns(window_s[1]),
        first_message=len(schedule.probes) + 1, messages=len(schedule.window),
        published=len(published_s),
        deliveries=len(deliveries), requests=len(requests), connections=settings.clients,
        request_head_bytes=ledger["request_head"], response_head_bytes=ledger["response_head"],
        handshake_bytes=ledger["handshake"], frame_bytes=ledger["frame"],
        body_bytes=ledger["body"], bytes_up=sum(request.bytes_up for request in requests),
        bytes_down=sum(request.bytes_down for request in requests),
        server_cpu_s=(40e-6 * len(requests) + 8e-6 * window_deliveries) * chance.uniform(0.9, 1.1),
        server_rss_before_bytes=40_000_000,
        server_rss_bytes=40_000_000 + settings.clients * chance.randint(9_000, 11_000),
        client_cpu_share=0.1, client_lag_p99_ms=0.4, publisher_late_p99_ms=0.6,
        server_requests=len(requests), server_deliveries=len(deliveries),
        server_bytes_in=sum(request.bytes_up for request in requests),
        server_bytes_out=sum(request.bytes_down for request in requests),
        lost=lost, valid=True,
    )  # fmt: skip
    return run, requests, deliveries


def _bytes(mode: str, settings: Settings, span: Span) -> tuple[int, int, dict[str, int]]:
    up, head = BYTES[mode]
    payload = settings.payload_bytes * len(span.news)
    if mode == "ws":
        frames = 4 * len(span.news)
        return (
            up,
            head + payload + frames,
            {"handshake": up + head, "frame": frames, "body": payload},
        )
    return up, head + payload, {"request_head": up, "response_head": head, "body": payload}


def exchange(mode: str, payload_bytes: int) -> Exchange:
    """Return a delivery's bytes as they would have been on the socket."""
    message = message_json(payload_bytes).decode()
    asked = f"GET /{mode}?after=0&epoch={EPOCH} HTTP/1.1\r\nHost: 127.0.0.1:3001\r\n"
    if mode == "ws":
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
        hello = f'{{"epoch":"{EPOCH}","cursor":0}}'
        frames = f"\x81{chr(len(hello))}{hello}\x81\x7e{chr(len(message) >> 8)}"
        frames += chr(len(message) & 0xFF) + message
        return Exchange(f"{asked}Upgrade: websocket\r\n\r\n", head + frames)
    body = f'{{"epoch":"{EPOCH}","cursor":1,"messages":[{message}]}}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
    return Exchange(asked + "\r\n", head + body)


def message_json(payload_bytes: int) -> bytes:
    """Return a message with a text of so many bytes."""
    stamps = f'"sent_ns":{10**12},"published_ns":{10**12 + 1000}'
    return f'{{"id":1,"sender":"publisher","text":"{"x" * payload_bytes}",{stamps}}}'.encode()


def _experiment(
    settings: Sequence[Settings],
    trials: int,
    modes: Sequence[str],
    seed: int,
    *,
    finished: bool = False,
) -> Experiment:
    return Experiment(
        scenario="quick", question="What does each way of asking cost?", modes=tuple(modes),
        settings=tuple(settings), trials=trials, seed=seed, url=None,
        started_utc="2026-01-02T03:04:05Z", machine={"cpu": "a made-up machine", "cores": 2},
        versions={"python": "3.11.9", "aiohttp": "3.14.5"}, clock_resolution_ns=40.0,
        finished=finished,
    )  # fmt: skip
