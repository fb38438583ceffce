"""Each check voids the run that it is there for, and no other."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.checks import Continuity, continuity, reasons
from clients.instrument import quantile
from clients.log import Delivery, Run

SOUND = Run(
    run=1,
    mode="ws",
    trial=1,
    setting=0,
    order=1,
    clients=2,
    rate_per_s=5,
    interval_s=1,
    hold_s=25,
    rtt_ms=0,
    payload_bytes=64,
    duration_s=1,
    warmup_s=0.5,
    schedule="poisson",
    seed=1,
    started_utc="2026-01-01T00:00:00+00:00",
    window_start_ns=5 * 10**9,
    window_end_ns=6 * 10**9,
    messages=5,
    deliveries=10,
    requests=2,
    bytes_up=500,
    bytes_down=900,
    server_cpu_s=0.5,
    clock_apart_ms=9.9,
    client_cpu_share=0.5,
    client_lag_p99_ms=9.9,
    publisher_late_p99_ms=9.9,
    server_requests=2,
    server_deliveries=10,
    server_bytes_in=500,
    server_bytes_out=900,
)


def deliveries(*messages: int, client: int = 1) -> list[Delivery]:
    return [Delivery(1, client, message, 0, 0, 0, 0) for message in messages]


def test_sound_run_is_valid() -> None:
    assert reasons(SOUND) == []


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"lost": 1}, "lost"),
        ({"duplicates": 1}, "twice"),
        ({"out_of_order": 1}, "order"),
        ({"publish_failures": 1}, "publishes failed"),
        ({"interrupted": True}, "interrupted"),
        ({"publisher_late_p99_ms": 10.1}, "publisher was late"),
        ({"client_lag_p99_ms": 10.1}, "loop was late"),
        ({"client_cpu_share": 0.91}, "process was busy"),
        ({"crowd_cpu_share": 0.91}, "process of the crowd was busy"),
        ({"server_cpu_s": 0.96}, "server was busy"),
        ({"clock_apart_ms": 10.1}, "another machine's, 10 ms apart"),
        ({"messages": 0}, "no publish of the window was acknowledged"),
        ({"server_requests": 3}, "2 requests and the server 3"),
        ({"server_deliveries": 9}, "10 deliveries and the server 9"),
        ({"server_bytes_in": 501}, "500 bytes up and the server 501"),
        ({"server_bytes_out": 899}, "900 bytes down and the server 899"),
    ],
)
def test_each_fault_voids_the_run_and_says_why(fault: dict[str, Any], word: str) -> None:
    (reason,) = reasons(msgspec.structs.replace(SOUND, **fault))
    assert word in reason


def test_late_publisher_is_held_against_the_longer_limit() -> None:
    fast = msgspec.structs.replace(SOUND, rate_per_s=100.0)  # 5 % of 10 ms is less than 5 ms
    assert reasons(msgspec.structs.replace(fast, publisher_late_p99_ms=4.9)) == []
    assert reasons(msgspec.structs.replace(fast, publisher_late_p99_ms=5.1))


def test_figures_that_were_not_measured_void_nothing() -> None:
    unknown = dict.fromkeys(
        ("server_cpu_s", "client_lag_p99_ms", "publisher_late_p99_ms", "server_requests")
    )
    assert reasons(msgspec.structs.replace(SOUND, **unknown)) == []


def test_every_client_must_see_every_id() -> None:
    rows = [*deliveries(1, 2, 3), *deliveries(1, 3, client=2)]
    assert continuity(rows, 2, range(1, 4)) == Continuity(lost=1, duplicates=0, out_of_order=0)


def test_client_that_saw_nothing_lost_everything() -> None:
    assert continuity(deliveries(1, 2), 3, range(1, 3)).lost == 4


def test_duplicates_and_wrong_order_are_counted() -> None:
    assert continuity(deliveries(1, 3, 2, 2), 1, range(1, 4)) == Continuity(0, 1, 1)


@given(st.lists(st.integers(1, 9), max_size=30))
def test_seen_and_lost_make_up_all_that_was_published(messages: list[int]) -> None:
    found = continuity(deliveries(*messages), 1, range(1, 10))
    assert len(messages) - found.duplicates + found.lost == 9


def test_quantile_is_a_value_that_was_seen() -> None:
    assert quantile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert quantile([5.0, 1.0, 3.0], 0.99) == 5.0
    assert quantile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert quantile([], 0.5) is None
