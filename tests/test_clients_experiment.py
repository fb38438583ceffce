"""Runs are interleaved at random, seeded, and every row that was measured is kept."""

import asyncio
import contextlib
import itertools
from asyncio.subprocess import Process
from collections import Counter
from pathlib import Path
from typing import cast

import msgspec
import polars as pl
import psutil
import pytest

from clients import readers
from clients.crowd import Order, joining_s
from clients.errors import ServerError
from clients.experiment import Ambition, describe, experiment, plans
from clients.follower import Census
from clients.joining import Tally
from clients.log import Log, Run, Settings, read
from clients.options import parse
from clients.plan import Outcome, Plan
from clients.readers import Stage
from clients.run import _continuity
from clients.scenarios import ALL_MODES, SCENARIOS, Point, Scenario
from clients.server import Server, Stats
from demo.message import Message
from tests.conftest import Clock, until

TINY = Scenario(
    name="tiny",
    question="Does it work?",
    expected="it does",
    source="nobody",
    points=(
        Point(
            Settings(
                clients=3,
                rate_per_s=20,
                interval_s=0.05,
                hold_s=5,
                duration_s=0.3,
                warmup_s=0.1,
            )
        ),
    ),
    trials=1,
)


def silent(outcome: Outcome, run: Run | None) -> None:
    pass


def tiny(*modes: str, **changes: object) -> Scenario:
    """Return TINY with other settings, in these modes or in all."""
    settings = msgspec.structs.replace(TINY.points[0].settings, **changes)
    return msgspec.structs.replace(TINY, points=(Point(settings, modes or ALL_MODES),))


async def interrupted(scenario: Scenario, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Measure until messages flow, then cancel; return the log."""
    outcomes: list[Outcome] = []

    def keep(plan: Plan) -> Outcome:
        outcomes.append(Outcome(plan))
        return outcomes[-1]

    monkeypatch.setattr("clients.experiment.Outcome", keep)
    task = asyncio.create_task(experiment(Ambition(scenario, seed=1), folder, silent))
    await until(lambda: any(outcome.recorder.deliveries for outcome in outcomes))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return read(folder)


def test_every_trial_has_every_mode_once() -> None:
    listed = plans(Ambition(SCENARIOS["quick"], seed=1))
    per_trial = Counter((plan.trial, plan.mode) for plan in listed)
    trials = SCENARIOS["quick"].trials
    assert set(per_trial) == {(t, m) for t in range(1, trials + 1) for m in ("short", "long", "ws")}
    assert set(per_trial.values()) == {1}
    assert [plan.run for plan in listed] == list(range(1, 3 * trials + 1))


def test_order_is_random_and_the_seed_repeats_it() -> None:
    orders = {
        tuple(plan.mode for plan in plans(Ambition(SCENARIOS["quick"], seed=seed)))
        for seed in range(10)
    }
    assert len(orders) > 5
    first, again = (plans(Ambition(SCENARIOS["quick"], seed=3)) for _ in range(2))
    assert first == again


def test_modes_of_a_trial_share_one_schedule_and_trials_do_not() -> None:
    listed = plans(Ambition(SCENARIOS["quick"], seed=1))
    schedules = {(plan.trial, plan.schedule) for plan in listed}
    assert len(schedules) == SCENARIOS["quick"].trials
    assert len({schedule for _, schedule in schedules}) == SCENARIOS["quick"].trials


def test_phases_of_the_pollers_are_spread_over_the_interval() -> None:
    plan = plans(Ambition(SCENARIOS["quick"], seed=1))[0]
    phases = sorted(plan.pace(client).phase_s for client in range(100))
    assert phases[0] < 0.1
    assert phases[-1] > 0.9
    assert phases == sorted(plan.pace(client).phase_s for client in range(100))


async def test_experiment_fills_every_field_of_the_log(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    await experiment(Ambition(TINY, seed=1), folder, silent)
    log = read(folder)
    assert log.experiment.finished
    assert sorted(log.runs["mode"]) == ["long", "short", "ws"]
    # Where the machine is so busy that nothing is published in the window, there is no first.
    found = log.runs.drop("crowd_cpu_share", "link_cpu_share", "first_message")
    assert found.null_count().sum_horizontal().item() == 0
    assert set(log.runs["published"]) == {2 + 6 + 1}
    assert log.runs.select(pl.sum("lost", "duplicates", "out_of_order")).row(0) == (0, 0, 0)
    for run in log.runs.iter_rows(named=True):
        requests = log.requests.filter(run=run["run"])
        assert requests["bytes_up"].sum() == run["bytes_up"] == run["server_bytes_in"]
        assert requests["bytes_down"].sum() == run["bytes_down"] == run["server_bytes_out"]
        assert requests["messages"].sum() == run["server_deliveries"] == 3 * run["published"]
        assert requests["connection"].n_unique() == run["connections"] == 3
        window = pl.col("sent_ns").is_between(
            run["window_start_ns"], run["window_end_ns"], closed="right"
        )
        ids = log.deliveries.filter(window, run=run["run"])["message"]
        assert (run["messages"], run["first_message"]) == (ids.n_unique(), ids.min())
    stamps = log.deliveries
    assert (stamps["sent_ns"] < stamps["published_ns"]).all()
    assert (stamps["published_ns"] < stamps["arrived_ns"]).all()
    assert (stamps["arrived_ns"] < stamps["received_ns"]).all()


async def test_a_server_that_stood_still_and_compressed_its_messages_loses_none(
    tmp_path: Path,
) -> None:
    scenario = tiny("ws", deflate=True, stall_s=0.2, duration_s=0.5)
    await experiment(Ambition(scenario, seed=1), tmp_path / "log", silent)
    (row,) = read(tmp_path / "log").runs.iter_rows(named=True)
    assert (row["lost"], row["duplicates"], row["out_of_order"]) == (0, 0, 0)
    assert row["deliveries"] == row["server_deliveries"] == 3 * row["published"] > 0


def test_every_reader_of_a_crowd_is_in_one_share() -> None:
    for clients, workers in ((100, 0), (101, 1), (5100, 1), (5101, 2), (20_000, 4)):
        plan = plans(Ambition(tiny(clients=clients, sample_limit=100), seed=1))[0]
        numbers = [n for first, last in plan.shares for n in range(first, last + 1)]
        assert numbers == list(range(101, clients + 1))
        assert len(plan.shares) == workers
        sizes = [last - first + 1 for first, last in plan.shares]
        assert max(sizes, default=0) - min(sizes, default=0) <= 1


async def test_crowd_is_counted_and_a_sample_of_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.plan.WORKER_SIZE", 20)  # so two workers share it
    folder = tmp_path / "log"
    await experiment(Ambition(tiny(clients=40, sample_limit=4), seed=1), folder, silent)
    log = read(folder)
    assert (
        log.runs.drop("link_cpu_share", "first_message").null_count().sum_horizontal().item() == 0
    )
    for run in log.runs.iter_rows(named=True):
        requests, deliveries = (
            rows.filter(run=run["run"]) for rows in (log.requests, log.deliveries)
        )
        assert (run["clients"], run["crowd_clients"], run["connections"]) == (40, 36, 40)
        assert set(requests["client"]) == set(deliveries["client"]) == {1, 2, 3, 4}
        assert deliveries.height == 4 * run["published"]
        assert run["crowd_deliveries"] == 36 * run["published"]
        assert run["crowd_window_deliveries"] == 36 * run["messages"]
        assert requests.height + run["crowd_requests"] == run["requests"] == run["server_requests"]
        assert run["deliveries"] == run["server_deliveries"] == 40 * run["published"]
        for end, servers in (("up", "in"), ("down", "out")):
            measured = requests[f"bytes_{end}"].sum()
            assert measured + run[f"crowd_bytes_{end}"] == run[f"bytes_{end}"]
            assert run[f"bytes_{end}"] == run[f"server_bytes_{servers}"]
        assert (run["lost"], run["duplicates"], run["out_of_order"]) == (0, 0, 0)


def test_compressing_clients_are_all_measured() -> None:
    for deflate, crowd in ((False, 1), (True, 0)):
        ambition = Ambition(tiny(sample_limit=2, deflate=deflate), seed=1)
        assert {plan.crowd for plan in plans(ambition)} == {crowd}


@pytest.mark.parametrize(
    ("received", "duplicates", "says"),
    [(-1, 0, "1 deliveries lost"), (1, 1, "1 deliveries twice")],
)
def test_what_the_crowd_misses_or_gets_twice_makes_the_run_void(
    received: int, duplicates: int, says: str
) -> None:
    outcome = Outcome(plans(Ambition(tiny(clients=5, sample_limit=2), seed=1))[0])
    for message, client in itertools.product((1, 2, 3), (1, 2)):
        outcome.recorder.delivery(client, Message(message, "ada", "text", 0, 0), 0)
    outcome.census = Census(Tally(), {1: 3, 2: 3, 3: 3 + received}, duplicates)
    outcome.facts |= _continuity(outcome, range(1, 4))
    row, _, _ = outcome.rows()
    assert (row.lost, row.duplicates) == (received == -1, duplicates)
    assert says in row.void_because.split("; ")


async def test_sample_joins_all_over_the_crowd(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined_s: list[float] = []

    async def join(*_: object) -> None:
        joined_s.append(clock.time())

    async def stand_by(*_: object) -> None:
        pass

    for name in ("ready", "_count", "_dismiss"):
        monkeypatch.setattr(readers, name, stand_by)
    monkeypatch.setattr(readers, "_read", join)
    monkeypatch.setattr(readers, "give", lambda *_: None)
    scenario = tiny(clients=1000, sample_limit=5)
    outcome = Outcome(plans(Ambition(scenario, seed=1))[0])
    nobody = cast(Process, object())
    stage = Stage(cast(Server, None), "http://127.0.0.1:1", nobody, (nobody,))

    async def read_all() -> None:
        async with readers.readers(outcome, stage, Stats(0.0, "epoch", 0, 0.0, 0, 0.0, {})):
            pass

    reading = asyncio.create_task(read_all())
    await clock.advance(2 * joining_s(outcome.plan.settings))
    await reading
    pauses_s = [later - earlier for earlier, later in itertools.pairwise(joined_s)]
    assert pauses_s == pytest.approx([joining_s(outcome.plan.settings) / 5] * 4)


async def test_crowd_that_waits_in_vain_is_dismissed_and_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def order_more(*wanted: object) -> Order:
        ordered = order(*wanted)  # type: ignore[arg-type]
        return msgspec.structs.replace(ordered, last=ordered.last + 1)

    order = readers._order
    monkeypatch.setattr(readers, "_order", order_more)
    monkeypatch.setattr("clients.run.DRAIN_TIMEOUT_S", 0.5)
    scenario = tiny("long", clients=5, sample_limit=2)
    await experiment(Ambition(scenario, seed=1), tmp_path / "log", silent)
    (row,) = read(tmp_path / "log").runs.iter_rows(named=True)
    assert row["crowd_deliveries"] == 3 * row["published"]
    assert row["lost"] == 0


async def test_crowd_without_a_report_leaves_its_figures_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(psutil.Process().children())  # of other tests: a browser, say
    endless = tiny("ws", clients=5, sample_limit=2, duration_s=60.0)
    log = await interrupted(endless, tmp_path / "log", monkeypatch)
    (row,) = log.runs.iter_rows(named=True)
    assert row["interrupted"]
    assert row["crowd_clients"] == 3
    assert row["crowd_requests"] is row["crowd_deliveries"] is None
    assert not set(psutil.Process().children()) - before


async def test_more_clients_than_open_files_are_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    scenario = tiny(clients=10**9)
    with pytest.raises(ServerError, match=r"1000000000 clients need 1000000064 open files.*ulimit"):
        await experiment(Ambition(scenario, seed=1), tmp_path / "log", silent)
    assert not (tmp_path / "log").exists()


async def test_open_files_are_counted_for_every_reader_of_a_session_with_faults(
    tmp_path: Path,
) -> None:
    settings = msgspec.structs.replace(SCENARIOS["faults"].points[0].settings, clients=10**8)
    crowded = msgspec.structs.replace(SCENARIOS["faults"], points=(Point(settings),))
    with pytest.raises(ServerError, match=r"600000000 clients need 1200000064 open files"):
        await experiment(Ambition(crowded, seed=1), tmp_path / "log", silent)
    assert not (tmp_path / "log").exists()


async def test_a_window_too_short_for_its_rate_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    slow = tiny(rate_per_s=0.05, duration_s=5.0)
    with pytest.raises(ServerError, match=r"choose --duration-s 20$"):
        await experiment(Ambition(slow, seed=1), tmp_path / "log", silent)
    assert not (tmp_path / "log").exists()


async def test_interrupted_experiment_keeps_its_rows_and_is_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await interrupted(tiny("ws", duration_s=60.0), tmp_path / "log", monkeypatch)
    (row,) = log.runs.iter_rows(named=True)
    assert row["interrupted"]
    assert not row["valid"]
    assert "interrupted" in row["void_because"]
    assert log.deliveries.height == row["deliveries"] > 0
    assert log.requests.height == 3
    assert not log.experiment.finished


async def test_url_where_nothing_listens_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    with pytest.raises(ServerError, match=r"nothing answers at http://127\.0\.0\.1:1"):
        await experiment(Ambition(TINY, 1, "http://127.0.0.1:1"), tmp_path / "log", silent)
    assert not (tmp_path / "log").exists()


async def test_a_run_that_fails_is_void_and_the_experiment_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def fail_first(outcome: Outcome, url: str | None = None) -> None:
        asked.append(outcome.plan.mode)
        if len(asked) == 1:
            raise ServerError("not all clients could ask")

    monkeypatch.setattr("clients.experiment.measure", fail_first)
    await experiment(Ambition(TINY, seed=1), tmp_path / "log", silent)
    log = read(tmp_path / "log")
    assert log.experiment.finished
    assert "not all clients could ask" in log.runs["void_because"][0]
    assert len(asked) == log.runs.height == 3


async def test_runs_that_fail_one_after_another_end_the_experiment_and_keep_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Outcome, __: str | None = None) -> None:
        raise ServerError("not all clients could ask")

    monkeypatch.setattr("clients.experiment.measure", fail)
    many = msgspec.structs.replace(TINY, trials=9)
    with pytest.raises(ServerError, match=r"3 runs in a row failed.*not all clients could ask"):
        await experiment(Ambition(many, seed=1), tmp_path / "log", silent)
    assert read(tmp_path / "log").runs.height == 3


@pytest.mark.parametrize(
    ("module", "said", "also"),
    [
        ("clients.publisher", "clients.publisher was killed by signal 9 before its time", {}),
        (
            "clients.crowd",
            "clients.crowd was killed by signal 9 before its time: try fewer --clients",
            {"sample_limit": 2},
        ),
        ("clients.link", "clients.link was killed by signal 9 before its time", {"rtt_ms": 2.0}),
        ("demo", "the server that was started for it answers no more", {}),
    ],
)
async def test_a_worker_that_is_killed_voids_its_run_by_name_and_the_rows_are_kept(
    tmp_path: Path, module: str, said: str, also: dict[str, float]
) -> None:
    before = set(psutil.Process().children())

    def kill(outcome: Outcome) -> None:
        for child in set(psutil.Process().children()) - before:
            with contextlib.suppress(psutil.Error):  # it has ended by itself
                if module in child.cmdline() and outcome.recorder.deliveries:
                    child.kill()

    async def keep_looking(outcome: Outcome) -> None:
        while not killed.done():
            kill(outcome)
            await asyncio.sleep(0.02)

    killed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    looking: list[asyncio.Task[None]] = []

    def watch(outcome: Outcome, run: Run | None) -> None:
        looking.append(asyncio.create_task(keep_looking(outcome)))

    scenario = tiny("ws", duration_s=0.5, **also)
    await experiment(Ambition(scenario, seed=1), tmp_path / "log", watch)
    killed.set_result(None)
    await asyncio.gather(*looking)
    log = read(tmp_path / "log")
    (row,) = log.runs.iter_rows(named=True)
    assert said in row["void_because"]
    assert row["interrupted"]
    assert log.deliveries.height == row["deliveries"] - (row["crowd_deliveries"] or 0) > 0
    assert not set(psutil.Process().children()) - before


@pytest.mark.parametrize(
    ("options", "of_these_settings"),
    [
        ((), True),
        (("--duration-s", "9", "--trials", "1", "--modes", "ws"), True),
        (("--rate", "2"), False),
        (("--rtt-ms", "100"), False),
    ],
)
async def test_what_is_expected_of_a_scenario_is_not_said_of_what_options_made_of_it(
    options: tuple[str, ...], of_these_settings: bool
) -> None:
    ambition = parse("clients", ["quick", *options]).ambition
    assert ambition is not None
    said, own = describe(ambition).expected, SCENARIOS["quick"].expected
    assert said.startswith(own)
    assert (said == own) == of_these_settings
    assert said.endswith("options have changed them)") != of_these_settings
