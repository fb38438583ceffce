"""The command line of a measurement, for `python -m clients` and for `compare` alike."""

import argparse
import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from clients.alike import once
from clients.arguments import kinds, modes, number, url, whole
from clients.experiment import Ambition
from clients.modes import MODES
from clients.pace import TIMERS
from clients.quantum_leap.measuring import Leap
from clients.records import Settings
from clients.refusals import contradiction, spared
from clients.scenarios import SCENARIOS, Point, Scenario
from clients.schedule import SCHEDULES

MAX_HOLD_S = 120.0  # what the server takes
ALL, LEAP = OTHERS = ("all", "quantum-leap")
OF_LEAP = ("scenario", "list", "self_check", "clients", "duration_s", "seed", "out")


class Command(msgspec.Struct, frozen=True):
    """What was asked for: a measurement and where to put it, or one of the other things.

    every: measure all of these, each in a folder of its own; leap: repeat the article
    """

    program: str
    ambition: Ambition | None = None
    folder: Path = Path()
    self_check: bool = False
    every: tuple[Ambition, ...] = ()
    leap: Leap | None = None


def parse(program: str, arguments: list[str], *, default: str | None = None) -> Command:
    """Parse the command line; exit with 2 and one line when it is wrong."""
    parser = _parser(program, default)
    options = parser.parse_args(arguments)
    if options.list or options.self_check:
        return Command(program, self_check=options.self_check)
    if options.scenario is None:
        parser.error(f"which scenario? {_known()}")
    if options.scenario not in (*SCENARIOS, *OTHERS):
        parser.error(f"there is no scenario {options.scenario!r}: {_known()}")
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    folder = options.out or _folder(options.scenario)
    chosen = [SCENARIOS.get(options.scenario)] if options.scenario != ALL else SCENARIOS.values()
    ambitions = [Ambition(change(each, options), seed, options.url) for each in chosen if each]
    every = tuple(each for each in ambitions if each.scenario.points)
    if ambitions and not every:
        modes, measured = ",".join(options.modes), ",".join(_measured(options.scenario))
        parser.error(f"{options.scenario} does not measure {modes}: choose of --modes {measured}")
    if wrong := _contradiction(options, every):
        parser.error(wrong)
    if options.scenario in SCENARIOS:
        return Command(program, every[0], folder)
    return Command(program, folder=folder, every=every, leap=_leap(options, seed))


def _contradiction(options: argparse.Namespace, every: tuple[Ambition, ...]) -> str:
    """Say what of the options would not be carried out; or nothing."""
    given = [name for name, value in vars(options).items() if value is not None]
    if options.scenario == LEAP and (other := [name for name in given if name not in OF_LEAP]):
        option = {"rate_per_s": "rate"}.get(other[0], other[0]).replace("_", "-")
        return f"{LEAP} takes --clients, --duration-s, --seed and --out: leave --{option} out"
    for scenario in (each.scenario for each in every):
        for point in scenario.points:
            if wrong := contradiction(point.settings):
                return f"{scenario.name}: {wrong}" if options.scenario == ALL else wrong
    return ""


def _measured(name: str) -> list[str]:
    points = SCENARIOS[name].points
    return [mode for mode in MODES if any(mode in point.modes for point in points)]


def _leap(options: argparse.Namespace, seed: int) -> Leap:
    default = Leap()
    own = options.scenario == LEAP  # the options of `all` are meant for the scenarios
    sizes = (options.clients,) if own and options.clients else default.sizes
    duration_s = options.duration_s if own and options.duration_s else default.duration_s
    return Leap(sizes, duration_s, seed)


def change(scenario: Scenario, options: argparse.Namespace) -> Scenario:
    """Override the scenario's values with the options that were given.

    Of `all`, one without faults is spared what is meant for the one that has them.
    """
    given = {
        name: getattr(options, name)
        for name in Settings.__struct_fields__
        if hasattr(options, name)
    }
    given = {name: value for name, value in given.items() if value is not None}
    points: dict[Settings, tuple[str, ...]] = {}
    for point in scenario.points:
        settings = msgspec.structs.replace(point.settings, **given)
        if options.scenario == ALL and not point.settings.faults_per_s:
            settings = spared(settings)
        modes = set(options.modes or MODES) & {*points.get(settings, ()), *point.modes}
        points[settings] = tuple(mode for mode in MODES if mode in modes)
    return msgspec.structs.replace(
        scenario,
        points=tuple(once([Point(*each) for each in points.items()], scenario.points)),
        trials=options.trials or scenario.trials,
    )


def _parser(program: str, default: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        usage=argparse.SUPPRESS,
        description=f"{program} SCENARIO [options]: measure the three modes on real sockets. "
        "Every option overrides the scenario's own value.",
        argument_default=None,
    )
    add = parser.add_argument
    add("scenario", nargs="?", default=default, metavar="SCENARIO", help=_known())
    add("--list", action="store_true", help="name each scenario and the question it answers")
    add("--self-check", action="store_true", help="measure the instrument alone, and judge it")
    add("--modes", type=modes, metavar="short,long,ws", help="measure these modes only")
    add("--clients", type=whole(1, 100_000), metavar="N", help="readers in each run")
    add("--rate", dest="rate_per_s", type=number(0.001, 10_000), metavar="M", help="messages/s")
    add("--interval-s", type=number(0, 3600), metavar="S", help="short polling's interval")
    add("--hold-s", type=number(0, MAX_HOLD_S), metavar="S", help="long polling's hold")
    add("--rtt-ms", type=number(0, 10_000), metavar="R", help="emulated round trip")
    add("--jitter-ms", type=number(0, 10_000), metavar="J", help="up to so much more, each way")
    add("--kbit-per-s", type=number(0, 1e9), metavar="K", help="emulated bandwidth, 0: no limit")
    add("--payload-bytes", type=whole(1, 2**20), metavar="B", help="size of each text")
    add("--duration-s", type=number(0.1, 86_400), metavar="D", help="measured window of a run")
    add("--keepalive", action=argparse.BooleanOptionalAction, help="let polls share a connection")
    add("--deflate", action=argparse.BooleanOptionalAction, help="compress on WebSockets")
    add("--schedule", choices=list(SCHEDULES), help="how the messages are spaced")
    add("--timer", choices=list(TIMERS), help="count the interval from the response, or on a grid")
    add("--faults-per-s", type=number(0, 10), metavar="F", help="faults in the window, 0: none")
    add("--fault-kinds", type=kinds, metavar="cut,kill,...", help="of these; named twice, more")
    add("--proxy", choices=["nginx"], help="put it between line and server, where faults come")
    add("--sample-limit", type=whole(1, 20_000), metavar="N", help="clients measured at most")
    add("--trials", type=whole(1, 1000), metavar="T", help="runs of each mode and setting")
    add("--seed", type=whole(0, 2**63 - 1), metavar="S", help="for all that is random")
    add("--url", type=url, metavar="URL", help="measure this server, not fresh ones")
    add("--out", type=Path, metavar="DIR", help="the experiment's folder")
    return parser


def _known() -> str:
    return f"choose one of {', '.join((*SCENARIOS, *OTHERS))}"


def _folder(name: str) -> Path:
    return Path("runs") / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}-{name}"
