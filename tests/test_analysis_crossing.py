"""Where two modes change places is said as far as it was measured, and no further."""

import polars as pl
import pytest
from msgspec.structs import replace

from analysis.answers import answer
from analysis.crossing import Range, in_words, ranges
from analysis.rows import rows
from analysis.summary import summarise
from clients.log import Log
from tests.made_log import SETTINGS, made

RATES = (1, 4, 16, 64)
CPU = "server_cpu_us_per_delivery"
Line = tuple[Log, pl.DataFrame]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    few = replace(SETTINGS, duration_s=2, clients=2, warmup_s=1)
    settings = [replace(few, rate_per_s=rate) for rate in RATES]
    log = made(tmp_path_factory.mktemp("crossing") / "log", *settings, trials=1)
    log = replace(log, experiment=replace(log.experiment, scenario="rate"))
    return log, rows(log, summarise(log))


def with_cpu(every: pl.DataFrame, *short: float, doubt: float = 0) -> pl.DataFrame:
    """Give short polling this at each rate, and the other modes 10; doubt: each side of short's."""
    of_rate = pl.col("rate_per_s").replace_strict(
        RATES, [float(us) for us in short], return_dtype=pl.Float64
    )
    figure = pl.when(pl.col("mode") == "short").then(of_rate).otherwise(10.0)
    ends = {f"{CPU}_low": pl.col(CPU) - doubt, f"{CPU}_high": pl.col(CPU) + doubt}
    return every.with_columns(figure.alias(CPU)).with_columns(**ends)


@pytest.mark.parametrize(
    ("short", "said"),
    [
        ((20, 20, 5, 5), "above about 8.0 messages/s"),
        ((5, 5, 20, 20), "below about 8.0 messages/s"),
        ((20, 5, 5, 20), "between about 2.0 and 32 messages/s"),
        ((5, 20, 20, 5), "below about 2.0 messages/s and above about 32 messages/s"),
        ((5, 5, 5, 5), "at every rate"),
        ((20, 20, 20, 20), "at no rate up to 64"),
    ],
)
def test_the_answer_says_at_which_rates_and_no_more(
    line: Line, short: tuple[float, ...], said: str
) -> None:
    log, every = line
    text = answer(log, with_cpu(every, *short)) or ""
    assert f"less server CPU than long polling {said}, and than WebSocket {said}; its" in text


@pytest.mark.parametrize(
    ("short", "said"),
    [
        ((20, 20, 5, 5), "Short polling is below long polling above about 8.0 messages/s"),
        ((5, 5, 20, 20), "Long polling is below short polling above about 8.0 messages/s"),
        ((20, 5, 5, 20), "Short polling is below long polling between about 2.0 and 32 messages/s"),
        ((5, 20, 20, 5), "Long polling is below short polling between about 2.0 and 32 messages/s"),
    ],
)
def test_a_headline_hides_no_crossing_back(line: Line, short: tuple[float, ...], said: str) -> None:
    assert (in_words(with_cpu(line[1], *short), CPU, "is below") or "").startswith(said)


def test_without_a_crossing_there_is_no_sentence_of_one(line: Line) -> None:
    assert in_words(with_cpu(line[1], 5, 5, 5, 5), CPU, "is below") is None


def test_of_a_mode_that_was_not_measured_nothing_is_said(line: Line) -> None:
    log, every = line
    without = every.filter(pl.col("mode") != "long")
    text = answer(log, without) or ""
    assert text.startswith("Short polling takes fewer bytes than WebSocket ")
    assert "long polling" not in text
    assert answer(log, every.filter(pl.col("mode") == "short")) is None


def test_a_void_row_is_not_where_a_mode_is_said_to_be_dearer(line: Line) -> None:
    every = with_cpu(line[1], 20, 5, 5, 20)
    void = every.with_columns(void=(pl.col("mode") == "ws") & (pl.col("rate_per_s") == RATES[-1]))
    (found,) = ranges(void, CPU, "rate_per_s", "short", "ws") or ()
    assert found.start == pytest.approx(2)
    assert found.end is None


def test_a_change_of_places_within_the_intervals_is_none(line: Line) -> None:
    noisy = with_cpu(line[1], 5, 10.1, 9.9, 5, doubt=1)
    assert ranges(noisy, CPU, "rate_per_s", "short", "ws") == (Range(None, None),)
    through = with_cpu(line[1], 20, 10.1, 9.9, 5, doubt=1)
    (found,) = ranges(through, CPU, "rate_per_s", "short", "ws") or ()
    assert found.start == pytest.approx(8, rel=0.01)


def test_one_place_of_a_sweep_that_a_mode_knows_is_not_all_of_it(line: Line) -> None:
    every = with_cpu(line[1], 20, 5, 5, 20)
    once = every.with_columns(void=(pl.col("mode") == "long") & (pl.col("rate_per_s") > RATES[0]))
    assert ranges(once, CPU, "rate_per_s", "short", "long") is None


def test_two_places_are_enough(line: Line) -> None:
    every = with_cpu(line[1], 20, 20, 5, 5)
    ends = every.filter(pl.col("rate_per_s").is_in([float(RATES[0]), float(RATES[-1])]))
    (found,) = ranges(ends, CPU, "rate_per_s", "short", "long") or ()
    assert found.start == pytest.approx(8)
    assert found.end is None


def test_modes_that_are_alike_at_a_place_do_not_change_places_there(line: Line) -> None:
    alike = with_cpu(line[1], 5, 10, 5, 5)
    assert ranges(alike, CPU, "rate_per_s", "short", "long") == (Range(None, None),)


def test_a_mode_may_be_cheaper_here_and_there(line: Line) -> None:
    every = with_cpu(line[1], 5, 20, 5, 20)
    first, second = ranges(every, CPU, "rate_per_s", "short", "long") or ()
    assert first.start is None
    assert first.end == pytest.approx(2)
    assert (second.start, second.end) == pytest.approx((8, 32))


def test_by_chance_back_and_forth_is_one_change_of_places_in_the_middle(line: Line) -> None:
    noisy = with_cpu(line[1], 20, 9, 11, 5, doubt=2)
    (found,) = ranges(noisy, CPU, "rate_per_s", "short", "long") or ()
    assert found.start == pytest.approx(8.3, rel=0.01)  # 4 * 4 ** (ln 0.9 / (ln 0.9 - ln 1.1))
    assert found.end is None


def test_where_nothing_changes_is_no_change_of_places(line: Line) -> None:
    early = with_cpu(line[1], 20, 9, 8.9, 5, doubt=2)
    (found,) = ranges(early, CPU, "rate_per_s", "short", "long") or ()
    assert found.start == pytest.approx(3.3, rel=0.02)  # 4 ** (ln 2 / (ln 2 - ln 0.9))


@pytest.mark.parametrize("short", [(5, 10.1, 9.9, 9.9), (20, 9.9, 10.1, 10.1)])
def test_of_every_rate_nothing_is_said_that_a_figure_contradicts(
    line: Line, short: tuple[float, ...]
) -> None:
    log, every = line
    assert "server CPU" not in (answer(log, with_cpu(every, *short, doubt=1)) or "")


def test_what_is_nowhere_sure_is_not_said_to_be_nowhere(line: Line) -> None:
    log, every = line
    unsure = with_cpu(every, 11, 11, 11, 11, doubt=2)
    assert ranges(unsure, CPU, "rate_per_s", "short", "long") is None
    assert "server CPU" not in (answer(log, unsure) or "")


def test_what_holds_with_tcps_headers_alone_is_not_said_without_them(line: Line) -> None:
    log, every = line
    size = pl.col("bytes_up_per_delivery") + pl.col("bytes_down_per_delivery")
    polled = pl.when(pl.col("mode") == "short").then(170.0).otherwise(165.0)
    ends = {"bytes_per_delivery_low": size - 20, "bytes_per_delivery_high": size + 20}
    unsure = every.with_columns(
        bytes_up_per_delivery=polled, bytes_down_per_delivery=pl.lit(0.0), requests_per_delivery=0.1
    ).with_columns(**ends)
    text = answer(log, unsure) or ""
    assert "fewer bytes than WebSocket at every rate, counting TCP/IP's headers" in text


def test_a_mode_that_does_not_know_what_varies_is_measured_once_for_all(line: Line) -> None:
    every = with_cpu(line[1], 20, 20, 5, 5)
    swept = every.with_columns(interval_s=pl.col("rate_per_s")).with_columns(rate_per_s=pl.lit(1.0))
    once = pl.col("mode").eq("ws") & pl.col("interval_s").eq(4)
    some = swept.filter(pl.col("mode").eq("short") | once)
    found = ranges(some, CPU, "interval_s", "short", "ws")
    assert found is not None
    assert [each.start for each in found] == [pytest.approx(8.0)]
    assert found[0].end is None
