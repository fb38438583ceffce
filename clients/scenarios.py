"""Named settings and the question that each answers. Data only."""

from collections.abc import Iterable
from typing import Any

import msgspec

from clients.modes import MODES
from clients.records import Settings

ALL_MODES = tuple(MODES)


class Point(msgspec.Struct, frozen=True):
    """One setting of a scenario, and the modes that are measured at it."""

    settings: Settings
    modes: tuple[str, ...] = ALL_MODES


class Scenario(msgspec.Struct, frozen=True):
    """A question, the settings that answer it, and what is to be expected, by what source."""

    name: str
    question: str
    expected: str
    source: str
    points: tuple[Point, ...]
    trials: int


QUICK = Settings(clients=20, rate_per_s=5, interval_s=1, hold_s=25, duration_s=3, warmup_s=0.8)


def _points(
    base: Settings, changes: Iterable[dict[str, Any]], modes: tuple[str, ...] = ALL_MODES
) -> tuple[Point, ...]:
    return tuple(Point(msgspec.structs.replace(base, **change), modes) for change in changes)


def _changed(**changes: Any) -> Settings:
    return msgspec.structs.replace(QUICK, **changes)


SWEEP = _changed(rate_per_s=2, duration_s=6)

FAR_WARMUP_S = 2  # over a line its messages are two round trips apart, and a few are wanted

OVER_100_MS = _changed(clients=10, rtt_ms=100, interval_s=2, warmup_s=FAR_WARMUP_S)
THEORY = (
    *_points(
        OVER_100_MS,
        (
            {"rate_per_s": rate, "duration_s": duration_s, "interval_s": interval_s}
            for rate, duration_s in ((0.5, 30), (2, 20), (8, 15))
            for interval_s in (0.5, 2)
        ),
        ("short",),
    ),
    # At the lowest rate one message in twenty meets long polling's gap, and makes its p99; and over
    # WebSocket, where nothing but noise sets messages apart, p99 of a few is the latest of them.
    *_points(
        OVER_100_MS,
        (
            {"rate_per_s": rate, "duration_s": duration_s}
            for rate, duration_s in ((0.5, 160), (2, 20), (8, 15))
        ),
        ("long", "ws"),
    ),
)

LISTED = (
    Scenario(
        name="quick",
        question="What does one chat feed cost and gain in each of the three modes?",
        expected="mean latency: short polling half its interval, 0.5 s, the other two "
        "milliseconds; requests for each message: 0.2, 1 and next to none",
        source="renewal theory: a message meets a poll's cycle at a random moment",
        points=(Point(QUICK),),
        trials=3,
    ),
    Scenario(
        name="chat",
        question='In a quiet room, how many answers say "nothing new"?',
        expected="72 of 100 answers to short polling, e^(-1/3); none over WebSocket",
        source="the chance that a Poisson process leaves a cycle empty, e^(-λC)",
        points=(Point(_changed(rate_per_s=1 / 3, duration_s=12)),),
        trials=3,
    ),
    Scenario(
        name="interval",
        question="What does a shorter polling interval gain, and what does it cost?",
        expected="mean latency half the interval, requests per second one over it: their product"
        " is a half",
        source="renewal theory: latency uniform over the cycle",
        points=(
            *_points(SWEEP, ({"interval_s": s} for s in (0.1, 0.2, 0.5, 1, 2, 5)), ("short",)),
            Point(SWEEP, ("long", "ws")),
        ),
        trials=2,
    ),
    Scenario(
        name="distance",
        question="What does distance add to each mode?",
        expected="half a round trip to each, and to long polling up to three halves; to short "
        "polling's cycle a whole one",
        source="RFC 6202, section 2.2: one transit on average, over three at most",
        points=_points(
            SWEEP,
            ({"rtt_ms": ms, "warmup_s": FAR_WARMUP_S} for ms in (0, 20, 50, 100, 200, 300)),
        ),
        trials=2,
    ),
    Scenario(
        name="rate",
        question="From which message rate on is polling cheaper than WebSocket?",
        expected="short polling needs fewer requests than long polling from 0.9 messages/s on "
        "and fewer bytes than WebSocket from about 4/s, since a poll batches; less server CPU"
        " too, the earlier the busier the server is",
        source="renewal theory, with 52 bytes of TCP/IP for each segment",
        points=_points(
            _changed(rtt_ms=100, warmup_s=FAR_WARMUP_S),
            (
                {"rate_per_s": rate, "duration_s": max(5.0, 3 / rate)}
                for rate in (0.05, 0.2, 0.5, 1, 2, 5, 20, 50)
            ),
        ),
        trials=2,
    ),
    Scenario(
        name="hold",
        question="What does keeping a poll open cost on a quiet feed?",
        expected="requests per second one over the hold plus a gap, and nothing else",
        source="RFC 6202, section 5.5: 30 s is safe, up to 120 s has been seen to work",
        points=_points(
            _changed(rate_per_s=0.1),
            ({"hold_s": s, "duration_s": max(20.0, 2.0 * s)} for s in (1, 5, 15, 30, 60)),
            ("long",),
        ),
        trials=2,
    ),
    Scenario(
        name="payload",
        question="From which size on does the overhead stop to matter?",
        expected="WebSocket adds 2 to 4 bytes to a message, long polling a head each way: above "
        "a few KiB all three carry the same",
        source="RFC 6455, section 5.2: a frame's header",
        points=_points(
            _changed(duration_s=4), ({"payload_bytes": b} for b in (16, 64, 256, 1024, 4096, 16384))
        ),
        trials=2,
    ),
    Scenario(
        name="reconnect",
        question='What does it cost if "the connection closes" after every answer?',
        expected="a cycle of I + 2R in place of I + R, and a TCP handshake for each poll",
        source="RFC 9293, section 3.5: a connection opens in one round trip",
        points=(
            *_points(
                _changed(rtt_ms=100, duration_s=8, warmup_s=FAR_WARMUP_S),
                ({"keepalive": kept} for kept in (True, False)),
                ("short", "long"),
            ),
            Point(_changed(rtt_ms=100, duration_s=8, warmup_s=FAR_WARMUP_S), ("ws",)),
        ),
        trials=2,
    ),
    Scenario(
        name="deflate",
        question="What does compression save on a WebSocket, and what does it cost?",
        expected="fewer bytes; about three times the CPU, and 100 KiB and more for each reader",
        source="RFC 7692; zlib's window and memory level for each connection",
        points=_points(
            _changed(duration_s=4),
            ({"deflate": on, "payload_bytes": size} for size in (64, 1024) for on in (False, True)),
            ("ws",),
        ),
        trials=3,
    ),
    Scenario(
        name="crowd",
        question="What does each further client cost the server, up to 2,000 of them?",
        expected="3 to 5 KiB of memory for each WebSocket, 10 to 15 for each held poll; CPU for "
        "each delivery falls to a floor, and latency over WebSocket grows with the crowd",
        source="one core writes to one reader after another",
        points=_points(
            _changed(rate_per_s=1, interval_s=5, duration_s=10, warmup_s=2.5, sample_limit=50),
            ({"clients": clients} for clients in (1, 10, 100, 500, 1000, 2000)),
        ),
        trials=2,
    ),
    Scenario(
        name="theory",
        question="Do the formulas hold over a line with a round trip of 100 ms?",
        expected="mean, p99, requests and empty share of every mode within 5 % of theory",
        source="the formulas, each of them proved by simulation in the tests",
        points=THEORY,
        trials=3,
    ),
    Scenario(
        name="stall",
        question="What does a latency hide that is not counted from the intended time?",
        expected="p99 from the intended time about the stall, 1.4 s; from publish milliseconds",
        source="Gil Tene's coordinated omission (wrk2)",
        points=(Point(_changed(rate_per_s=20, duration_s=6, stall_s=1.4, schedule="periodic")),),
        trials=3,
    ),
    Scenario(
        name="faults",
        question="What does a bad connection cost a reader, with a cursor and without?",
        expected="nothing lost, doubled or out of order with a cursor, whatever the mode; without "
        "one, all that is published until it is back, whenever its connection breaks",
        source="the feed is a log: who says how far it has read is given the rest",
        points=(
            Point(
                _changed(clients=3, rate_per_s=20, interval_s=0.2, duration_s=90, faults_per_s=0.4)
            ),
        ),
        trials=1,
    ),
    Scenario(
        name="rfc6202",
        question="Does long polling take one network transit on average, and three at most?",
        expected='average "close to one network transit", 50 ms, and maximum "over three", 150 ms',
        source="RFC 6202, section 2.2",
        points=_points(
            _changed(rtt_ms=100, hold_s=30, warmup_s=FAR_WARMUP_S),
            ({"rate_per_s": rate, "duration_s": s} for rate, s in ((0.2, 40), (2, 20), (20, 10))),
            ("long", "ws"),
        ),
        trials=2,
    ),
)

SCENARIOS = {scenario.name: scenario for scenario in LISTED}
