"""The command line of measuring: what it takes, and what it says to what it does not."""

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psutil
import pytest
from msgspec.structs import replace

from clients.__main__ import main
from clients.experiment import plans
from clients.log import read
from clients.options import Command, parse
from clients.quantum_leap.measuring import Leap
from clients.quantum_leap.records import HeaderTraffic
from clients.scenarios import SCENARIOS, Scenario
from tests.conftest import Demo


class Clients(Protocol):
    def __call__(self, *arguments: str) -> tuple[int, str, str]: ...


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Clients:
    """Call `python -m clients` within this process; return exit code, output and errors."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["clients", *arguments])
        try:
            code = main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return options for runs that are soon over, of scenarios that warm up for a moment."""
    short = {name: briefly(scenario) for name, scenario in SCENARIOS.items()}
    monkeypatch.setattr("clients.options.SCENARIOS", short)
    options = {"clients": 2, "rate": 20, "interval-s": 0.1, "duration-s": 0.3, "trials": 1}
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def briefly(scenario: Scenario) -> Scenario:
    points = tuple(
        replace(point, settings=replace(point.settings, warmup_s=0.1)) for point in scenario.points
    )
    return replace(scenario, points=points)


def test_list_names_every_scenario_and_its_question(clients: Clients) -> None:
    code, out, _ = clients("--list")
    assert code == 0
    words = " ".join(out.split())
    for scenario in SCENARIOS.values():
        assert scenario.name in words
        assert scenario.question.split()[0] in words


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nope"], "no scenario 'nope': choose one of quick, chat, interval"),
        ([], "which scenario?"),
        (["quick", "--interval-s", "-1"], "--interval-s: '-1' is not a number from 0"),
        (["quick", "--interval-s", "nan"], "--interval-s: 'nan' is not a number"),
        (["quick", "--clients", "0"], "--clients: '0' is not a whole number from 1"),
        (["quick", "--clients", "1.5"], "--clients: '1.5' is not a whole number"),
        (["quick", "--modes", "short,fast"], "--modes: 'fast' is not one of short, long, ws"),
        (["quick", "--rate", "0"], "--rate: '0' is not a number from"),
        (["quick", "--hold-s", "121"], "--hold-s: '121' is not a number from 0 to 120"),
        (["quick", "--url", "localhost"], "'localhost' is not a URL such as"),
        (["quick", "--url", "http://[::1"], "'http://[::1' is not a URL such as"),
        (["quick", "--url", "http://127.0.0.1:99999"], "is not a URL such as"),
        (["quick", "--url", "http://:3001"], "is not a URL such as"),
        (["quick", "--url", "http://127.0.0.1:1"], "nothing answers at http://127.0.0.1:1"),
        (["quick", "--out", "/proc/nowhere"], "cannot write to /proc/nowhere"),
        (["quick", "--timer", "late"], "--timer: invalid choice: 'late'"),
        (["quick", "--sample-limit", "0"], "--sample-limit: '0' is not a whole number from 1"),
        (["faults", "--fault-kinds", "cut,fire"], "--fault-kinds: 'fire' is not one of cut, "),
        (["hold", "--modes", "short,ws"], "hold does not measure short,ws: choose of --modes long"),
        (["quick", "--proxy", "nginx"], "--proxy is for where faults come: choose faults, or"),
        (["all", "--faults-per-s", "0", "--fault-kinds", "cut"], "faults: --fault-kinds is for wh"),
        (["quick", "--rate", "0.5"], "error: 0.5 messages/s in a window of 3 s would be"),
        (["all", "--duration-s", "5"], "error: chat: 0.333333 messages/s in a window of 5 s"),
        (["all", "--faults-per-s", "9"], "quick: 27 faults take"),
        (["faults", "--faults-per-s", "0", "--proxy", "nginx"], "--proxy is for where faults come"),
        (["stall", "--faults-per-s", "0.4"], "has no other faults: leave --faults-per-s out"),
        (["quantum-leap", "--rate", "3"], "takes --clients, --duration-s, --seed and --out: leave"),
        (["quantum-leap", "--faults-per-s", "3"], "leave --faults-per-s out"),
        (["quantum-leap", "--url", "http://127.0.0.1:1"], "--out: leave --url out"),
        (["quick", "--speed", "9"], "unrecognized arguments: --speed 9"),
    ],
)
def test_bad_input_gets_one_line_and_exit_code_2(
    clients: Clients, arguments: list[str], says: str
) -> None:
    code, _, err = clients(*arguments)
    assert code == 2
    (line,) = err.splitlines()
    assert line.startswith("python -m clients: ")
    assert says in line


def test_foreign_server_is_refused(clients: Clients) -> None:
    foreign = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler
    )
    thread = threading.Thread(target=foreign.serve_forever)
    thread.start()
    code, _, err = clients("quick", "--url", f"http://127.0.0.1:{foreign.server_port}")
    foreign.shutdown()
    foreign.server_close()
    thread.join()
    assert code == 2
    assert "is not this project's server" in err.splitlines()[-1]


def test_options_override_the_scenario() -> None:
    options = ["quick", "--clients", "7", "--rate", "2.5", "--trials", "9", "--seed", "3"]
    ambition = parse("test", options).ambition
    assert ambition is not None
    (point,) = ambition.scenario.points
    assert (point.settings.clients, point.settings.rate_per_s) == (7, 2.5)
    assert (ambition.scenario.trials, ambition.seed) == (9, 3)
    assert point.settings.hold_s == SCENARIOS["quick"].points[0].settings.hold_s


def test_timer_reaches_every_client() -> None:
    ambition = parse("test", ["interval", "--timer", "grid", "--sample-limit", "3"]).ambition
    assert ambition is not None
    for plan in plans(ambition):
        assert plan.pace(1).timer == "grid"
        assert (plan.sampled, plan.crowd) == (3, plan.settings.clients - 3)


def test_option_that_fixes_a_sweep_leaves_one_setting() -> None:
    ambition = parse("test", ["interval", "--interval-s", "2"]).ambition
    assert ambition is not None
    (point,) = ambition.scenario.points
    assert point.modes == ("short", "long", "ws")


def test_kinds_of_faults_are_chosen() -> None:
    ambition = parse("test", ["faults", "--fault-kinds", "cut,kill"]).ambition
    assert ambition is not None
    assert {point.settings.fault_kinds for point in ambition.scenario.points} == {"cut,kill"}


def test_of_all_what_is_meant_for_faults_reaches_only_those_who_have_them() -> None:
    given = ["--proxy", "nginx", "--fault-kinds", "cut", "--faults-per-s", "0.1"]
    usual = parse("test", ["all", *given[:4]])
    more = parse("test", ["all", *given, "--duration-s", "120"])
    assert having_faults(usual) == {"faults"}
    assert having_faults(more) == {*SCENARIOS} - {"stall"}  # which cannot have others


def having_faults(command: Command) -> set[str]:
    """Return the scenarios with faults, of these kinds and through a proxy; others have neither."""
    found = set()
    for each in command.every:
        for settings in (point.settings for point in each.scenario.points):
            asked = bool(settings.faults_per_s)
            assert (settings.proxy, settings.fault_kinds) == (
                ("nginx", "cut") if asked else ("", "")
            )
            found |= {each.scenario.name} if asked else set()
    return found


def test_the_instrument_is_measured_when_that_is_asked_for(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.measuring.show_self_check", lambda *_: 1)
    code, out, _ = clients("--self-check")
    assert code == 1
    assert "Measuring the instrument alone" in out
    assert "scenario" not in out


def test_modes_that_were_not_asked_for_are_left_out() -> None:
    ambition = parse("test", ["interval", "--modes", "ws"]).ambition
    assert ambition is not None
    assert {mode for point in ambition.scenario.points for mode in point.modes} == {"ws"}


def test_server_at_url_is_measured(
    clients: Clients, brief: list[str], demo: Demo, tmp_path: Path
) -> None:
    code, _, err = clients("quick", *brief, "--url", demo.url, "--out", str(tmp_path / "log"))
    assert code == 0, err
    log = read(tmp_path / "log")
    assert log.experiment.url == demo.url
    assert log.runs["lost"].to_list() == [0, 0, 0]
    assert log.runs["server_requests"].to_list() == log.runs["requests"].to_list()
    assert demo.process.poll() is None


def started(*arguments: str) -> "subprocess.Popen[str]":
    """Start `python -m clients`, both of its outputs kept."""
    command = [sys.executable, "-m", "clients", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_it_cleanly_and_keeps_the_rows(number: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "log"
    process = started("quick", "--duration-s", "60", "--out", str(folder))
    children = wait_until_it_measures(process, 20)
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert str(folder) in "".join(out.split())
    assert read(folder).runs["interrupted"].to_list() == [True]
    psutil.wait_procs(children, timeout=20)
    assert not any(child.is_running() for child in children)


def test_a_second_signal_kills_what_does_not_end_and_keeps_the_rows(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    process = started("quick", "--duration-s", "60", "--out", str(folder))
    children = wait_until_it_measures(process, 20)
    (server,) = (child for child in children if "demo" in child.cmdline())
    server.suspend()  # it would be waited for
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err == f"python -m clients: stopped at once: what was measured is in {folder}\n"
    assert read(folder).runs["interrupted"].to_list() == [True]
    psutil.wait_procs(children, timeout=20)
    assert not any(child.is_running() for child in children)


def wait_until_it_measures(process: subprocess.Popen[str], clients: int) -> list[psutil.Process]:
    """Wait until the server has as many connections as clients; return all child processes."""
    while process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        if any(connections(child) >= clients for child in children):
            return children
        time.sleep(0.02)
    pytest.fail(f"it ended: {process.communicate()}")


def connections(process: psutil.Process) -> int:
    try:
        if "demo" not in process.cmdline():
            return 0
        opened = process.net_connections("tcp")
    except psutil.Error:  # it has ended meanwhile
        return 0
    return sum(each.status == psutil.CONN_ESTABLISHED for each in opened)


def test_all_measures_every_scenario_into_a_folder_of_its_own(
    clients: Clients, brief: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    few = {name: briefly(SCENARIOS[name]) for name in ("quick", "chat", "hold")}
    monkeypatch.setattr("clients.options.SCENARIOS", few)
    leaps: list[Leap] = []

    async def leap_on_paper(leap: Leap, done: Callable[[HeaderTraffic], None]) -> None:
        leaps.append(leap)

    monkeypatch.setattr("clients.quantum_leap.showing.measure", leap_on_paper)
    code, out, err = clients("all", *brief, "--modes", "ws", "--out", str(tmp_path))
    assert code == 0, err
    assert "3 experiments, about" in out  # hold has long polling alone
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chat", "quantum-leap", "quick"]
    assert read(tmp_path / "chat").runs["lost"].to_list() == [0]
    assert len(leaps) == 1


def test_all_keeps_what_it_has_when_it_is_stopped(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "clients", "all", "--duration-s", "60", "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    children = wait_until_it_measures(process, 20)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "what was measured is kept" in out
    assert [path.name for path in tmp_path.iterdir()] == ["quick"]
    assert read(tmp_path / "quick").runs["interrupted"].to_list() == [True]
    psutil.wait_procs(children, timeout=20)
    assert not any(child.is_running() for child in children)


def test_killed_measurement_leaves_no_process_behind_and_no_complaint(tmp_path: Path) -> None:
    crowded = ["--clients", "30", "--sample-limit", "3", "--duration-s", "60"]
    process = subprocess.Popen(
        [sys.executable, "-m", "clients", "quick", *crowded, "--out", str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    children = wait_until_it_measures(process, 30)
    process.kill()
    try:
        _, err = process.communicate(timeout=30)  # until the last of its children has ended, too
    except subprocess.TimeoutExpired:
        for child in psutil.wait_procs(children, timeout=0)[1]:
            child.kill()
        raise
    assert len(children) == 3  # server, publisher, crowd
    assert err == ""


@pytest.mark.parametrize(
    ("arguments", "durations_s"),
    [
        (["rate", "--rate", "5"], [5]),  # the scenario's own
        (["rate", "--rate", "5", "--rtt-ms", "0"], [5]),
        (["rate", "--rate", "3"], [60]),
        (["hold", "--hold-s", "5"], [20]),
        (["rfc6202", "--rate", "2"], [20]),
        (["theory"], [30, 30, 20, 20, 15, 15, 160]),
    ],
)
def test_what_differs_in_the_windows_length_alone_is_measured_once(
    arguments: list[str], durations_s: list[float]
) -> None:
    ambition = parse("clients", arguments).ambition
    assert ambition is not None
    points = ambition.scenario.points
    assert [point.settings.duration_s for point in points] == durations_s
