import pytest
from msgspec.structs import replace

from analysis.break_even import (
    Measure,
    Point,
    Poll,
    StepCosts,
    cpu,
    crossing_rate,
    frame_head_bytes,
    latency_mean_ms,
    link_bytes,
    over,
    requests,
    wire_bytes,
)

# CPU as it was measured on one core; heads as these clients and this server write them.
COSTS = StepCosts(
    polls={
        "short": Poll(50, 60, request_bytes=180, empty_bytes=150, news_bytes=190),
        "long": Poll(50, 120, request_bytes=190, empty_bytes=150, news_bytes=190),
    },
    push_us=13,
    frame_bytes=2,
    message_bytes=100,
)
POINT = Point(rate_per_s=1, interval_s=1, round_trip_s=0.1)
RATES = (0.01, 1000.0)


def crossing(measure: Measure, than: str) -> float:
    rate = crossing_rate(measure, COSTS, ("short", than), POINT, RATES)
    assert rate is not None
    return rate


def test_short_polling_needs_fewer_requests_than_long_above_nine_in_ten_seconds() -> None:
    assert crossing(requests, "long") == pytest.approx(0.9, abs=0.05)


def test_short_polling_takes_less_cpu_than_long_polling_above_two_in_five_seconds() -> None:
    assert crossing(cpu, "long") == pytest.approx(0.4, abs=0.05)


def test_short_polling_takes_less_cpu_than_websocket_above_four_a_second() -> None:
    assert crossing(cpu, "ws") == pytest.approx(4, abs=0.4)


def test_short_polling_needs_fewer_bytes_on_the_link_than_websocket_above_four_to_five() -> None:
    assert 4 < crossing(link_bytes, "ws") < 5


def test_without_tcps_headers_it_takes_many_more_messages_for_that() -> None:
    assert crossing(wire_bytes, "ws") == pytest.approx((180 + 190) / 1.1 / 2, rel=0.01)


def test_at_600_ms_mean_latency() -> None:
    assert latency_mean_ms(COSTS, "short", POINT) == pytest.approx(600)
    assert latency_mean_ms(COSTS, "ws", POINT) == pytest.approx(50)


def test_a_websocket_is_never_asked() -> None:
    assert requests(COSTS, "ws", POINT) == 0
    assert crossing_rate(requests, COSTS, ("short", "ws"), POINT, RATES) is None


def test_there_is_no_crossing_below_the_lowest_rate() -> None:
    assert crossing_rate(requests, COSTS, ("short", "long"), POINT, (2, 100)) is None


def test_headers_of_tcp_and_ip_are_three_segments_a_poll_and_two_a_push() -> None:
    polls = requests(COSTS, "short", POINT)
    on_top = {mode: link_bytes(COSTS, mode, POINT) - wire_bytes(COSTS, mode, POINT)
              for mode in ("short", "ws")}  # fmt: skip
    assert on_top == pytest.approx({"short": 156 * polls, "ws": 104})


def test_a_silent_feed_costs_only_polls() -> None:
    silent = replace(POINT, rate_per_s=0)
    assert cpu(COSTS, "ws", silent) == wire_bytes(COSTS, "ws", silent) == 0
    assert cpu(COSTS, "short", silent) == pytest.approx(50 / 1.1)
    assert wire_bytes(COSTS, "short", silent) == pytest.approx(330 / 1.1)
    assert cpu(COSTS, "long", silent) == pytest.approx(50 / 25.1)


def test_the_stack_delays_only_the_next_long_poll() -> None:
    slow = replace(COSTS, stack_s=0.1)
    busy = replace(POINT, rate_per_s=1000)
    assert requests(slow, "long", busy) == pytest.approx(requests(COSTS, "long", busy) / 2)
    assert requests(slow, "short", busy) == requests(COSTS, "short", busy)


@pytest.mark.parametrize(("payload", "head"), [(125, 2), (126, 4), (65535, 4), (65536, 10)])
def test_frame_heads_have_three_sizes(payload: int, head: int) -> None:
    assert frame_head_bytes(payload) == head


def test_a_grid_keeps_its_shape() -> None:
    points = [[replace(POINT, rate_per_s=rate) for rate in (1, 2, 3)]]
    assert over(cpu, COSTS, "ws", points).tolist() == [[13, 26, 39]]
