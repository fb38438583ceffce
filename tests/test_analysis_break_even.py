import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
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
from analysis.break_even_words import RATES as BREAK_EVEN_RATES
from analysis.break_even_words import distance_title, interval_title
from analysis.charts import CHARTS
from analysis.charts.regions import Grid, draw_border
from analysis.cheapest import cheapest
from analysis.modes import MODES
from analysis.runs import figures_of_runs
from analysis.step_costs import counted, non_negative, step_costs
from analysis.summary import summarise
from clients.log import Log
from tests.made_log import BYTES, SETTINGS, STACK_S, made

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


# From the log


STEPS_US = {
    "empty": 50.0,
    "short_news": 60.0,
    "long_news": 120.0,
    "pushes": 13.0,
    "messages": 200.0,
}
IDLE_US_PER_S = 500.0
GRID = [
    replace(SETTINGS, rate_per_s=rate, interval_s=interval_s, clients=4, duration_s=10)
    for rate in (0.5, 2, 8)
    for interval_s in (0.2, 1)
]


def with_cpu(log: Log, crowd: int = 0) -> Log:
    """Give each run the server time that its steps come to; crowd: so many more for each client."""
    counts = counted(log).select("run", *STEPS_US, "window_s")
    times = {step: 1 if step == "messages" else 1 + crowd for step in STEPS_US}
    us = sum((pl.col(step) * each * times[step] for step, each in STEPS_US.items()), pl.lit(0.0))
    us = us + pl.col("window_s") * IDLE_US_PER_S
    known = counts.select("run", server_cpu_s=us / 1e6)
    runs = log.runs.drop("server_cpu_s").join(known, on="run", how="left", maintain_order="left")
    return replace(log, runs=runs.select(log.runs.columns))


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return with_cpu(made(tmp_path_factory.mktemp("grid") / "log", *GRID, trials=1))


def test_the_costs_of_the_steps_are_found_in_the_runs(grid: Log) -> None:
    costs = step_costs(grid, 100)
    assert costs is not None
    short, long = costs.polls["short"], costs.polls["long"]
    found = (short.empty_us, short.news_us, long.news_us, costs.push_us)
    assert found == pytest.approx((50, 60, 120, 13))
    assert long.empty_us == short.empty_us
    assert costs.off == pytest.approx(0, abs=1e-9)


def test_steps_of_a_crowd_that_is_only_counted_are_counted_too(grid: Log) -> None:
    log = with_cpu(grid, crowd=4)
    served = figures_of_runs(grid).select("run", crowd_window_deliveries=4 * pl.col("served"))
    runs = log.runs.drop("crowd_window_deliveries").join(served, on="run", maintain_order="left")
    runs = runs.with_columns(crowd_clients=4 * pl.col("clients"), clients=5 * pl.col("clients"))
    costs = step_costs(replace(log, runs=runs.select(log.runs.columns)), 100)
    assert costs is not None
    short, long = costs.polls["short"], costs.polls["long"]
    found = (short.empty_us, short.news_us, long.news_us, costs.push_us)
    assert found == pytest.approx((50, 60, 120, 13))


def test_heads_and_frames_are_found_in_the_requests(grid: Log) -> None:
    costs = step_costs(grid, 100)
    assert costs is not None
    heads = {mode: (poll.request_bytes, poll.empty_bytes, poll.news_bytes)
             for mode, poll in costs.polls.items()}  # fmt: skip
    assert heads == {mode: pytest.approx((*BYTES[mode], BYTES[mode][1])) for mode in heads}
    assert (costs.message_bytes, costs.frame_bytes) == (100, 2)


def test_the_stacks_time_is_what_is_left_of_the_gap_without_the_round_trip(grid: Log) -> None:
    costs = step_costs(grid, 100)
    assert costs is not None
    assert costs.stack_s == pytest.approx(STACK_S, abs=2e-4)


def test_a_single_setting_does_not_tell_steps_apart(tmp_path: Path) -> None:
    log = made(tmp_path / "log", trials=3)
    assert step_costs(log, 100) is None
    for name in ("break_even", "break_even_distance"):
        assert CHARTS[name].draw(log, summarise(log)) is None


@pytest.mark.parametrize("mode", list(MODES))
def test_a_mode_without_a_good_run_has_no_costs(grid: Log, mode: str) -> None:
    valid = pl.col("mode") != mode
    assert step_costs(replace(grid, runs=grid.runs.with_columns(valid=valid)), 100) is None


def test_a_void_run_moves_no_cost(grid: Log) -> None:
    first = pl.col("run") == 0
    wrong = grid.runs.with_columns(
        valid=~first, server_cpu_s=pl.when(first).then(9.0).otherwise("server_cpu_s")
    )
    costs = step_costs(replace(grid, runs=wrong), 100)
    assert costs is not None
    assert costs.push_us == pytest.approx(13)


@given(st.lists(st.floats(0, 1000), min_size=4, max_size=4), st.integers(0, 2**32 - 1))
def test_costs_that_are_not_negative_are_found_again(costs: list[float], seed: int) -> None:
    counts = np.random.default_rng(seed).uniform(0, 1, (12, 4))
    found = non_negative(counts, counts @ np.array(costs))
    assert found == pytest.approx(costs, abs=1e-3)


def test_what_would_cost_less_than_nothing_costs_nothing() -> None:
    counts = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    assert non_negative(counts, np.array([3.0, 2.0, 1.0])).tolist() == pytest.approx([2, 0])


def test_the_cheapest_mode_of_a_setting_is_the_one_with_the_least(grid: Log) -> None:
    runs = figures_of_runs(grid).filter(pl.col("rate_per_s") == 8, pl.col("interval_s") == 1)
    least = runs.sort("server_cpu_us_per_delivery")["mode"][0]
    found = [each for each in cheapest(grid, 100) if (each.rate_per_s, each.interval_s) == (8, 1)]
    assert [each.cheapest["cpu"] for each in found] == [least]
    assert found[0].cheapest["requests"] == "short"


def test_a_setting_with_a_void_mode_has_no_cheapest(grid: Log) -> None:
    valid = ~((pl.col("mode") == "long") & (pl.col("rate_per_s") == 2))
    found = cheapest(replace(grid, runs=grid.runs.with_columns(valid=valid)), 100)
    without = {each.rate_per_s for each in found if each.cheapest["cpu"] is None}
    assert without == {2}


def test_each_setting_is_a_dot_in_the_colour_of_its_cheapest_mode(grid: Log) -> None:
    figure = CHARTS["break_even"].draw(grid, summarise(grid))
    assert figure is not None
    expected = [MODES[each.cheapest["cpu"] or ""].colour for each in cheapest(grid, 100)]
    assert [line.get_color() for line in figure.axes[0].lines] == expected
    assert len(figure.axes) == 3


def test_the_title_gives_the_crossing_of_the_costs(grid: Log) -> None:
    costs = step_costs(grid, 100)
    here = Point(rate_per_s=2, interval_s=1, round_trip_s=0.002)
    assert costs is not None
    at = crossing_rate(cpu, costs, ("short", "ws"), here, (0.05, 100))
    assert interval_title(costs, here).startswith(f"Above {at:.1f} messages/s, polling every 1 s")
    assert "at a mean latency of 502\u00a0ms" in interval_title(costs, here)


def test_where_polling_is_never_cheaper_the_title_says_so() -> None:
    free = replace(COSTS, push_us=0)
    assert interval_title(free, POINT).startswith("Up to 100 messages/s, polling every 1 s never")
    assert distance_title(free, POINT).startswith("Up to 100 messages/s, distance alone does not")


def test_where_polling_is_always_cheaper_the_title_says_that() -> None:
    dear = replace(COSTS, push_us=1e9)
    assert "costs the server less than WebSocket at any rate" in interval_title(dear, POINT)
    assert "costs the server less than WebSocket at any rate" in distance_title(dear, POINT)


def test_a_border_that_is_on_no_map_is_not_drawn() -> None:
    points = [[replace(POINT, rate_per_s=rate) for rate in (1.0, 10.0)] for _ in range(2)]
    grid = Grid(np.array([1.0, 10.0]), np.array([1.0, 2.0]), points)
    for frame_bytes, borders in ((COSTS.frame_bytes, 1), (10**6, 0)):
        axes = Figure().subplots()
        draw_border(axes, grid, replace(COSTS, frame_bytes=frame_bytes), link_bytes, "ws")
        assert len(axes.collections) == borders


def test_without_an_empty_answer_it_is_not_known_what_one_takes(tmp_path: Path) -> None:
    log = made(tmp_path / "log", *GRID, replace(GRID[0], payload_bytes=64), trials=1)
    assert step_costs(with_cpu(log), 64) is not None
    runs = log.runs.filter(payload_bytes=64)["run"].implode()
    empty = pl.col("run").is_in(runs) & (pl.col("status") == 204)
    busy = with_cpu(replace(log, requests=log.requests.filter(~empty)))
    assert step_costs(busy, 100) is not None
    assert step_costs(busy, 64) is None


def test_costs_that_the_runs_leave_in_doubt_are_not_given(grid: Log) -> None:
    noise = np.random.default_rng(1).uniform(0.2, 1.8, grid.runs.height)
    noisy = grid.runs.with_columns(server_cpu_s=pl.col("server_cpu_s") * pl.Series(noise))
    assert step_costs(replace(grid, runs=noisy), 100) is None


@pytest.mark.parametrize("odd", [{"schedule": "periodic"}, {"timer": "grid"}, {"jitter_ms": 5.0}])
def test_what_theory_would_say_of_another_kind_is_on_no_map(
    grid: Log, odd: dict[str, str | float]
) -> None:
    other = replace(grid, runs=grid.runs.with_columns(**{k: pl.lit(v) for k, v in odd.items()}))
    assert step_costs(other, 100) is None
    assert cheapest(other, 100) == []
    assert counted(other).height == grid.runs.height  # a step costs there what it costs


def test_polling_that_only_distance_makes_cheaper_is_said_to_be() -> None:
    here = replace(POINT, interval_s=0.01)
    assert crossing_rate(cpu, COSTS, ("short", "ws"), replace(here, round_trip_s=0.001),
                         BREAK_EVEN_RATES) is None  # fmt: skip
    assert re.fullmatch(
        "At 1\u00a0ms of round trip, polling costs the server less than WebSocket at no rate up to"
        " 100; at 1\u00a0s, above [0-9.]+ messages/s", distance_title(COSTS, here)
    )  # fmt: skip
