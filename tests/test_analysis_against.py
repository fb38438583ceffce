from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace

from analysis.__main__ import main
from analysis.against import Held, hold
from clients.log import LogError, Run, Writer, read
from tests.made_log import SETTINGS, make_log
from tests.test_analysis_report import Page

QUICK = replace(SETTINGS, duration_s=6, clients=3)


def dearer(times: float) -> Any:
    """Return what makes the server's CPU time for each delivery so many µs."""

    def spoil(run: Run) -> Run:
        each_s = 1e-6 * times * (1 + 0.01 * run.trial)
        return replace(run, server_cpu_s=each_s * run.clients * (run.messages or 0))

    return spoil


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return two logs: the second on another machine, with double the CPU and one rate more."""
    parent = tmp_path_factory.mktemp("against")
    faster = replace(QUICK, rate_per_s=5)
    before = make_log(parent / "before", [QUICK], trials=3, spoil=dearer(10))
    after = make_log(parent / "after", [faster, QUICK], trials=3, seed=2, spoil=dearer(20))
    experiment = read(after).experiment
    there = replace(experiment, machine=experiment.machine | {"cpu": "<b>another</b>"})
    Writer(after).describe(there)
    return before, after


@pytest.fixture(scope="module")
def held(folders: tuple[Path, Path]) -> Held:
    before, after = folders
    return hold(read(before), read(after), ("before", "after"))


def test_rows_are_paired_by_setting_and_mode_wherever_they_stand(held: Held) -> None:
    assert [pair.row["mode"] for pair in held.pairs] == ["short", "long", "ws"]
    assert {pair.row["rate_per_s"] for pair in held.pairs} == {QUICK.rate_per_s}
    assert held.alone == (0, 3)


def test_each_figure_has_its_ratio_and_interval(held: Held) -> None:
    for pair in held.pairs:
        cpu = pair.ratios["server_cpu_us_per_delivery"]
        assert cpu is not None
        assert cpu.value == pytest.approx(2)
        assert cpu.low is not None
        assert cpu.high is not None
        assert 1.9 < cpu.low < 2 < cpu.high < 2.1
        assert not cpu.paired
        assert set(pair.ratios) == set(pair.before) == set(pair.after)


def test_what_differs_in_machine_and_settings_is_named(held: Held) -> None:
    found = {name: (before, after) for name, before, after in held.differences}
    assert found["cpu"] == ("a made-up machine", "<b>another</b>")
    assert found["seed"] == ("1", "2")
    assert found["rate_per_s"] == ("2", "2, 5")
    assert "python" not in found


def test_an_experiment_against_itself_does_not_differ(folders: tuple[Path, Path]) -> None:
    log = read(folders[0])
    same = hold(log, log, ("a", "a"))
    assert same.differences == ()
    assert all(
        ratio is None or ratio.value == pytest.approx(1) for ratio in same.pairs[0].ratios.values()
    )


def test_the_command_prints_and_writes_a_page_and_a_csv(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*map(str, folders), "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("short polling", "long polling", "WebSocket"))
    assert max(map(len, out.splitlines()[2:10])) <= 80
    holding = "From 3 runs of each, a 95\u00a0% interval of a mean holds in about 80 of 100 cases"
    assert holding in " ".join(out.split("\n"))
    text = (tmp_path / "out" / "comparison.html").read_text()
    assert Page(text).open == []
    assert holding in text
    assert "&lt;b&gt;another&lt;/b&gt;" in text
    table = pl.read_csv(tmp_path / "out" / "comparison.csv")
    assert table["server_cpu_us_per_delivery_ratio"].to_list() == pytest.approx([2, 2, 2])
    assert {"latency_p50_ms_a", "latency_p50_ms_b", "latency_p50_ms_ratio_low"} <= {*table.columns}


def test_one_run_of_either_leaves_no_interval_and_says_so(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    single = make_log(tmp_path / "single", [QUICK], trials=1)
    assert main([str(folders[0]), str(single)]) == 0
    out, text = capsys.readouterr().out, (single / "comparison.html").read_text()
    for page in (out, text):
        assert "Without two good runs of each there is no interval." in page
        assert "of 100 cases" not in page


def test_without_another_place_the_comparison_goes_into_the_second_folder(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*map(str, folders)]) == 0
    assert (folders[1] / "comparison.html").exists()
    assert not (folders[0] / "comparison.html").exists()


def test_two_experiments_without_a_common_setting_cannot_be_compared(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_log(tmp_path / "other", [replace(QUICK, deflate=True)], trials=1)
    assert main([str(folders[0]), str(other)]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert all(out.count(f"{folder}:\n") == 1 for folder in (folders[0], other))
    assert out.count("WebSocket") >= 2  # each is shown by itself
    assert "no setting in common" in err
    with pytest.raises(LogError, match="no setting in common"):
        hold(read(folders[0]), read(other), ("a", "b"))


def test_an_experiment_without_a_run_is_named_and_the_other_is_shown(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = make_log(tmp_path / "empty", trials=0)
    assert main([str(empty), str(folders[0])]) == 2
    out, err = capsys.readouterr()
    assert err == f"python -m analysis: {empty} holds no run: measure again, and let a run end\n"
    assert "WebSocket" in out


def test_an_experiment_of_void_runs_alone_is_compared_and_is_no_success(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    void = make_log(
        tmp_path / "void", [QUICK], trials=1, spoil=lambda run: replace(run, valid=False)
    )
    assert main([str(folders[0]), str(void)]) == 2
    out, err = capsys.readouterr()
    assert "VOID in B" in out
    assert err.startswith(f"python -m analysis: {void}: every run is void")


def test_what_two_scenarios_share_is_shown_and_is_no_success(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_log(tmp_path / "other", [QUICK], trials=1)
    Writer(other).describe(replace(read(other).experiment, scenario="rate"))
    assert main([str(folders[0]), str(other)]) == 2
    assert (other / "comparison.html").exists()
    assert (
        "quick and rate are two scenarios: give two experiments of one" in capsys.readouterr().err
    )


def test_a_log_with_rows_missing_is_compared_and_is_no_success(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = make_log(tmp_path / "cut", [QUICK], trials=2)
    path = cut / "deliveries.csv"
    path.write_bytes(path.read_bytes()[:-9])
    assert main([str(folders[0]), str(cut)]) == 2
    assert (cut / "comparison.html").exists()
    assert "was cut off" in capsys.readouterr().err


def test_a_void_row_has_no_ratio_and_says_where_it_is_void(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=run.mode != "ws")

    void = make_log(tmp_path / "void", [QUICK], trials=2, spoil=spoil)
    pair = hold(read(folders[0]), read(void), ("a", "b")).pairs[2]
    assert set(pair.ratios.values()) == {None}
    assert main([str(folders[0]), str(void)]) == 0
    assert "VOID in B" in capsys.readouterr().out


def test_what_one_of_them_did_not_measure_has_no_ratio_and_the_rest_has(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unwatch(run: Run) -> Run:
        return replace(run, server_cpu_s=None)

    unwatched = make_log(tmp_path / "unwatched", [QUICK], trials=2, spoil=unwatch)
    assert main([str(folders[0]), str(unwatched)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if line.strip().startswith("WebSocket"))
    assert line.count("\u00d7") == 3
    assert line.rstrip().endswith("\u2013")


def test_a_place_for_the_comparison_needs_two_experiments(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([str(folders[0]), "--out", "somewhere"])
    assert stopped.value.code == 2
    assert "two folders" in capsys.readouterr().err


def test_names_are_printed_as_they_are_and_a_sample_is_a_difference(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = make_log(tmp_path / "[old]" / "[", [replace(QUICK, sample_limit=2)], trials=1)
    assert main([str(folders[0]), str(odd)]) == 0
    out = "".join(capsys.readouterr().out.split("\n"))
    assert out.count("[old]/[") == 2  # what is compared, and where that is told
    assert "sample_limit: 100 \u2192 2" in out
