"""What a crowd needs follows from what a client cost, and says what it rests on."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis.__main__ import main
from analysis.capacity import GIB, Wish, need
from analysis.charts.capacity import short
from analysis.client_costs import ClientCosts, client_costs
from analysis.load_costs import LoadCosts, load_costs
from clients.log import EXPERIMENT, Run, read
from tests.made_log import SETTINGS, make_log
from tests.test_analysis_main import complaint

CROWD = replace(SETTINGS, clients=200, duration_s=4, warmup_s=0.5)
WISH = Wish(clients=100_000, rate_per_s=0.5, interval_s=9.9, hold_s=25, rtt_ms=100, utilisation=0.5)
COSTS = ClientCosts(
    mode="short", clients=1000, rate_per_s=0.5, interval_s=10, hold_s=25, rtt_ms=0,
    payload_bytes=64, load=LoadCosts(50, 0, np.array([40.0, 60.0]), np.zeros(2), 0.1),
    busy=(0.1, 0.1),
    memory_bytes=10_240, memory_draws=np.array([10_240.0, 10_240.0]), process_bytes=0,
    request_bytes=200, empty_bytes=100, news_bytes=150, message_bytes=160, runs=2,
)  # fmt: skip
ONE = LoadCosts(10, 0, np.empty(0), np.empty(0), 0.1)
LONG, WS = replace(COSTS, mode="long"), replace(COSTS, mode="ws", load=ONE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_log(tmp_path_factory.mktemp("capacity") / "log", [CROWD], trials=2)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "log")


def test_short_polls_come_once_a_cycle_and_take_their_time() -> None:
    found = need(COSTS, WISH)
    assert found.requests_per_s == pytest.approx(10_000)
    assert found.deliveries_per_s == pytest.approx(50_000)
    assert found.busy_cores.value == pytest.approx(0.5)
    assert found.cores.value == 1
    assert found.memory_gib.value == pytest.approx(100_000 * 10_240 / GIB)


def test_pushes_cost_what_they_cost_and_nobody_asks() -> None:
    found = need(WS, WISH)
    assert found.requests_per_s == 0
    assert found.busy_cores.value == pytest.approx(50_000 * 10e-6)
    assert found.down_bytes_per_s == pytest.approx(50_000 * (160 + 4 + 52))
    assert found.up_bytes_per_s == pytest.approx(50_000 * 52)


@pytest.mark.parametrize("costs", [COSTS, WS], ids=["short", "ws"])
def test_twice_the_clients_need_twice_as_much(costs: ClientCosts) -> None:
    one, two = need(costs, WISH), need(costs, replace(WISH, clients=2 * WISH.clients))
    for name in ("busy_cores", "memory_gib"):
        assert getattr(two, name).value == pytest.approx(2 * getattr(one, name).value)
    assert two.down_bytes_per_s == pytest.approx(2 * one.down_bytes_per_s)


def test_long_polls_that_share_a_process_bring_several_messages_each() -> None:
    alone = need(LONG, replace(WISH, clients=1, rtt_ms=0))
    crowd = need(LONG, replace(WISH, clients=10_000, rtt_ms=0))
    assert alone.requests_per_s == pytest.approx(0.5, rel=1e-3)
    gap_s = 10_000 * 50e-6 / 2
    armed_s = np.exp(-0.5 * gap_s) / 0.5 * (1 - np.exp(-12.5))
    armed = armed_s / (gap_s + armed_s)  # else the message came while a reader was waiting its turn
    expected_s = armed * gap_s + (1 - armed) * gap_s / 2
    assert crowd.latency_mean_s == pytest.approx(expected_s, rel=0.01)
    expected = 1 / (gap_s + armed_s)
    assert crowd.requests_per_s / 10_000 == pytest.approx(expected, rel=1e-3)


def test_a_process_takes_no_more_than_its_share_of_a_core() -> None:
    few, many = (need(WS, replace(WISH, clients=clients)) for clients in (10**6, 10**7))
    # Half of a fan-out of rho / lambda = 1 s, and the queue's rho / (2 (1 - rho)) of one; a way.
    assert few.latency_mean_s == many.latency_mean_s == pytest.approx(0.05 + 0.5 + 0.5, rel=0.01)
    assert many.cores.value == 100
    assert many.servers.value == 25


def test_servers_are_as_many_as_memory_asks_for_where_that_is_more() -> None:
    found = need(WS, replace(WISH, server_gib=0.5, server_cores=64))
    assert (found.cores.value, found.servers.value) == (1, 2)


def test_intervals_are_carried_through() -> None:
    found = need(COSTS, WISH)
    low, high = found.busy_cores.ends or (0, 0)
    assert 0.4 <= low < 0.5 < high <= 0.6
    assert found.memory_gib.ends == pytest.approx([found.memory_gib.value] * 2)
    single = replace(COSTS, load=ONE, memory_draws=np.empty(0))
    assert need(single, WISH).busy_cores.ends is None


def test_payload_that_was_not_measured_makes_the_bytes_longer() -> None:
    longer = need(COSTS, replace(WISH, payload_bytes=164))
    more = longer.down_bytes_per_s - need(COSTS, WISH).down_bytes_per_s
    assert more == pytest.approx(50_000 * 100)


def test_what_was_not_wished_is_what_was_measured() -> None:
    assert need(COSTS, Wish(clients=100)).requests_per_s == pytest.approx(10)


def test_costs_are_those_of_the_log(made: Path) -> None:
    costs = client_costs(read(made))
    assert list(costs) == ["short", "long", "ws"]
    for each in costs.values():
        assert 9_000 <= each.memory_bytes <= 11_000
        assert (each.clients, each.runs, len(each.load.step_draws)) == (200, 2, 2000)
    assert costs["short"].request_bytes == 180
    assert costs["short"].news_bytes == pytest.approx(170)
    assert costs["ws"].message_bytes == pytest.approx(100)
    assert costs["ws"].load.step_us == pytest.approx(8 + 40 * 200 / 1600, rel=0.1)  # upgrades, too


def test_the_largest_crowd_says_what_a_client_takes(tmp_path: Path) -> None:
    few, many = replace(CROWD, clients=200, duration_s=1), replace(CROWD, clients=210, duration_s=1)
    costs = client_costs(read(make_log(tmp_path / "log", [few, many], trials=1)))
    assert {(each.clients, each.runs) for each in costs.values()} == {(210, 2)}


@given(
    st.lists(st.floats(1, 5_000), min_size=2, max_size=6, unique=True),
    st.floats(1, 100),
    st.floats(0, 400),
)
def test_waking_is_told_from_working_by_runs_at_several_loads(
    loads: list[float], step_us: float, waking_us: float
) -> None:
    assume(max(loads) > 3 * min(loads))
    true = LoadCosts(step_us, waking_us, np.empty(0), np.empty(0), 1.0)
    busy = np.array([true.busy(load, 1e9)[0] for load in loads])
    assume(busy.max() < 1)
    found = load_costs(np.array(loads), busy, np.random.default_rng(1))
    for load, share in zip(loads, busy, strict=True):
        assert found.busy(load, 1e9)[0] == pytest.approx(share, rel=0.01)


def test_runs_at_one_load_cannot_tell_waking_from_working() -> None:
    found = load_costs(np.array([100.0, 110.0]), np.array([0.02, 0.022]), np.random.default_rng(1))
    assert found.step_us == pytest.approx(200)
    assert found.waking_us == 0


def test_a_busy_server_need_not_be_woken() -> None:
    costs = LoadCosts(50, 400, np.empty(0), np.empty(0), busiest=0.7)
    assert costs.at(0.001, 0.6)[0] == pytest.approx(450, rel=0.01)
    assert costs.at(1e6, 0.6)[0] == pytest.approx(50 + 0.4 * 400)


def test_a_server_busier_than_any_run_is_taken_to_cost_as_the_busiest() -> None:
    costs = LoadCosts(50, 400, np.array([50.0]), np.array([400.0]), busiest=0.2)
    step_us, draws = costs.at(1e6, 0.6)
    assert (step_us, draws.tolist()) == (370, [370])
    assert costs.busy(1000, 0.6)[0] == pytest.approx(0.37)


def test_table_chart_and_assumptions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capacity", "--clients", "1000000", "--rate", "0.2", str(folder)]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("Short polling", "Long polling", "WebSocket"))
    assert "1,000,000 clients need" in out
    assert "200,000" in out  # deliveries a second
    assert "Left out:" in " ".join(out.split())
    for ending in ("svg", "png"):
        assert (folder / "charts" / f"capacity.{ending}").stat().st_size > 10_000


def test_newest_experiment_that_can_tell_is_taken(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("analysis.capacity_command._save", lambda *_: Path("nowhere"))
    for name, started in (("b-old", "2026-01-01"), ("a-new", "2026-01-03")):
        here = shutil.copytree(folder, tmp_path / "runs" / name)
        experiment = msgspec.json.decode((here / EXPERIMENT).read_bytes())
        experiment["started_utc"] = f"{started}T00:00:00Z"
        (here / EXPERIMENT).write_bytes(msgspec.json.encode(experiment))
    make_log(tmp_path / "runs" / "c-small", [SETTINGS], trials=1)
    (tmp_path / "runs" / "d-broken").mkdir()
    (tmp_path / "runs" / "d-broken" / EXPERIMENT).write_text("no JSON")
    assert main(["capacity"]) == 0
    assert "From runs/a-new" in capsys.readouterr().out


def test_without_an_experiment_a_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "make one with `python -m clients quick --clients 1000" in complaint(capsys, "capacity")


def test_void_runs_and_small_crowds_tell_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def void(run: Run) -> Run:
        return replace(run, valid=run.mode != "long", void_because="busy" * (run.mode == "long"))

    small = make_log(tmp_path / "small", [replace(CROWD, clients=20)], trials=1)
    line = complaint(capsys, "capacity", small)
    assert "no good run of short polling and long polling and WebSocket has 200 clients" in line
    spoilt = make_log(tmp_path / "void", [CROWD], trials=1, spoil=void)
    assert "no good run of long polling has 200 clients" in complaint(capsys, "capacity", spoilt)


def test_a_server_that_was_not_watched_tells_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def unwatch(run: Run) -> Run:
        return replace(run, server_rss_before_bytes=None)

    unwatched = make_log(tmp_path / "log", [CROWD], trials=1, spoil=unwatch)
    assert "and a server of its own" in complaint(capsys, "capacity", unwatched)


def test_without_repetition_no_interval_is_promised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.capacity_command._save", lambda *_: Path("nowhere"))
    loads = [replace(CROWD, rate_per_s=rate) for rate in (1, 2)]
    assert main(["capacity", str(make_log(tmp_path / "log", loads, trials=1))]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "it has no interval: measure with --trials" in said
    assert "In brackets" not in said


def test_an_interval_is_asked_for_where_none_was_measured_and_nothing_is_far(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {"short": replace(COSTS, interval_s=0), "long": LONG, "ws": WS}
    monkeypatch.setattr("analysis.capacity_command._costs", lambda folder: (folder, costs))
    line = complaint(capsys, "capacity", tmp_path)
    assert f"{tmp_path} polled without a pause: give an --interval-s" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--clients", "0"], "--clients: '0' is not a whole number from 1"),
        (["--rate", "none"], "--rate: 'none' is not a number from"),
        (["--utilisation", "1.5"], "--utilisation: '1.5' is not a number from 0.01 to 1"),
        (["--speed=3"], "unrecognized arguments: --speed=3"),
        (["nowhere"], "nowhere is not a folder"),
    ],
)
def test_bad_input_gets_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert says in complaint(capsys, "capacity", *arguments)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.01, "0.01"), (1, "1"), (100, "100"), (10_000, "10k"), (1e6, "1M"), (1e10, "10G")],
)
def test_round_numbers_are_written_short(value: float, written: str) -> None:
    assert short(value) == written
