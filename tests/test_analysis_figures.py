"""Tables name each setting once, and mark the least of it."""

import polars as pl
import pytest
from msgspec.structs import replace

from analysis.figures import groups, heads
from analysis.rows import rows
from analysis.summary import summarise
from tests.made_log import SETTINGS, made

FEW = replace(SETTINGS, duration_s=4, clients=2)
COLUMNS = ("latency_p50_ms", "requests_per_delivery", "connections")


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("figures") / "log"
    log = made(folder, *(replace(FEW, rate_per_s=rate) for rate in (1, 4)), trials=1)
    return rows(log, summarise(log))


def marked(every: pl.DataFrame) -> list[list[bool]]:
    return [[cell.least for cell in cells]
            for group in groups(every, COLUMNS) for _, _, cells in group.rows]  # fmt: skip


def test_each_setting_is_a_group_of_its_modes(sweep: pl.DataFrame) -> None:
    assert heads(COLUMNS)[0] == "latency, p50"
    found = groups(sweep, COLUMNS)
    assert [group.setting for group in found] == ["1\u00a0messages/s", "4\u00a0messages/s"]
    assert [[mode for mode, *_ in group.rows] for group in found] == [["short", "long", "ws"]] * 2


def test_the_least_of_a_setting_is_marked_and_what_is_no_cost_is_not(sweep: pl.DataFrame) -> None:
    fast = pl.col("mode") == "ws"
    every = sweep.with_columns(
        latency_p50_ms=pl.when(fast).then(1.0).otherwise(2.0),
        requests_per_delivery=pl.when(fast).then(3.0).otherwise(2.0),
        connections=pl.when(fast).then(1).otherwise(2),
    )
    assert marked(every) == [[False, True, False]] * 2 + [[True, False, False]] + [
        *[[False, True, False]] * 2, [True, False, False],
    ]  # fmt: skip


def test_figures_that_are_written_alike_are_not_told_apart(sweep: pl.DataFrame) -> None:
    alike = sweep.with_columns(latency_p50_ms=1.0, requests_per_delivery=2.0)
    assert not any(any(row) for row in marked(alike))


def test_a_row_without_a_good_run_is_never_the_least(sweep: pl.DataFrame) -> None:
    void = sweep.with_columns(
        latency_p50_ms=pl.when(pl.col("mode") == "ws").then(1.0).otherwise(2.0 + pl.col("void")),
        void=pl.col("mode") == "ws",
    )
    assert not any(row[0] for row in marked(void))


def test_a_mode_that_stands_apart_leaves_the_others_unmarked(sweep: pl.DataFrame) -> None:
    kinds = sweep.with_columns(
        keepalive=(pl.col("rate_per_s") == 1) | (pl.col("mode") == "ws"), rate_per_s=1.0
    )
    once = kinds.unique(["mode", "keepalive"], keep="first", maintain_order=True)
    assert {group.setting for group in groups(once, COLUMNS)} >= {""}
    assert not any(any(row) for row in marked(once))
