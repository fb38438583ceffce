"""`python -m analysis capacity`: read the arguments, find an experiment, print and draw."""

import argparse
import contextlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from matplotlib.figure import Figure
from rich.console import Console

from analysis.capacity import Need, Wish, need
from analysis.capacity_table import print_capacity
from analysis.charts.canvas import style
from analysis.charts.capacity import draw_capacity
from analysis.client_costs import LEAST_CLIENTS, MAKE_ONE, ClientCosts, client_costs
from analysis.drawing import svg_of
from analysis.modes import MODES
from analysis.wording import percent, plain
from clients.log import EXPERIMENT, LogError, read

NAME = "capacity"
RUNS = Path("runs")
SAME = ("rate_per_s", "rtt_ms", "payload_bytes")  # in every mode


def capacity(program: str, arguments: list[str], console: Console) -> None:
    """Say what a crowd needs, and draw it into the folder of the experiment that it is made from.

    Exits with 2 and one line when an argument is wrong; raises LogError when no experiment fits.
    """
    options = _parser(program).parse_args(arguments)
    given = {name: getattr(options, name) for name in Wish.__struct_fields__}
    wish = Wish(**{name: value for name, value in given.items() if value is not None})
    folder, costs = _costs(options.folder)
    # What is not asked for is taken from one experiment's largest crowd, the same for every mode.
    same = {name: getattr(costs["ws"], name) for name in SAME if getattr(wish, name) is None}
    wish = msgspec.structs.replace(wish, **same)
    interval_s = costs["short"].interval_s if wish.interval_s is None else wish.interval_s
    if not interval_s and not wish.rtt_ms:
        raise LogError(f"{folder} polled without a pause: give an --interval-s")
    needs = [need(costs[mode], wish) for mode in MODES]
    print_capacity(needs, costs, wish, console)
    path = _save(folder / "charts", draw_capacity(costs, wish, *_words(needs, wish)))
    console.print(f"From {folder}; chart: {path}", highlight=False, soft_wrap=True, markup=False)


def _costs(folder: Path | None) -> tuple[Path, dict[str, ClientCosts]]:
    """Return an experiment's costs: of the folder given, or of the newest that has all of them."""
    if folder is not None:
        return folder, client_costs(read(folder))
    for each in _newest_first(RUNS):
        try:
            return each, client_costs(read(each))
        except LogError:
            continue
    raise LogError(
        f"no experiment in {RUNS}/ has a good run of each mode with {LEAST_CLIENTS} clients: make "
        f"one with `{MAKE_ONE}`"
    )


def _newest_first(folder: Path) -> Iterator[Path]:
    """Yield the experiments in a folder, and in the collections in it."""
    found = [*folder.glob(f"*/{EXPERIMENT}"), *folder.glob(f"*/*/{EXPERIMENT}")]
    yield from (path.parent for path in sorted(found, key=_started, reverse=True))


class _Start(msgspec.Struct):
    started_utc: datetime


def _started(path: Path) -> float:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Start).started_utc.timestamp()
    except (OSError, ValueError):
        return 0.0


def _words(needs: Sequence[Need], wish: Wish) -> tuple[str, str]:
    """Return a chart's title and what was asked for."""
    cores = [f"{MODES[each.mode].name} {each.cores.value:,.0f}" for each in needs]
    title = f"Cores that {wish.clients:,} clients need: {', '.join(cores)}"
    rate = needs[0].deliveries_per_s / wish.clients
    subtitle = (
        f"{plain(rate)} messages/s to everybody; a core busy for {percent(wish.utilisation)}; "
        f"servers of {wish.server_cores} cores and {plain(wish.server_gib)} GiB"
    )
    return title, subtitle


def _save(folder: Path, drawn: Figure) -> Path:
    try:
        folder.mkdir(exist_ok=True)
        with style():
            drawn.savefig(folder / f"{NAME}.png")
        (folder / f"{NAME}.svg").write_bytes(svg_of(drawn))
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None
    return folder / f"{NAME}.svg"


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program,
        usage=argparse.SUPPRESS,
        description=f"{program} {NAME} [options] [DIR]: say what each mode needs for a crowd, from "
        "what the experiment in DIR, or the newest in runs/ that can tell, has measured",
    )
    add = parser.add_argument
    add("folder", nargs="?", type=Path, metavar="DIR", help="folder of an experiment")
    add(
        "--clients",
        type=_within(1, 10**9, int),
        metavar="N",
        help="how many read, 1,000,000 if not given",
    )
    add("--rate", dest="rate_per_s", type=_within(1e-6, 1e4), metavar="M", help="messages/s to all")
    add("--rtt-ms", type=_within(0, 1e4), metavar="R", help="round trip")
    add("--interval-s", type=_within(0.001, 86_400), metavar="S", help="short polling's interval")
    add("--hold-s", type=_within(0.1, 3600), metavar="S", help="long polling's hold")
    add("--payload-bytes", type=_within(1, 2**20, int), metavar="B", help="size of each text")
    add("--utilisation", type=_within(0.01, 1), metavar="U", help="of a core, 0.6 if not given")
    add(
        "--server-cores",
        type=_within(1, 1024, int),
        metavar="C",
        help="of a server, 4 if not given",
    )
    add("--server-gib", type=_within(0.1, 1e5), metavar="G", help="16 if not given")
    return parser


def _within(low: float, high: float, kind: type[float] = float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        with contextlib.suppress(ValueError):
            if low <= (number := kind(text)) <= high:
                return number
        what = "whole number" if kind is int else "number"
        raise argparse.ArgumentTypeError(f"{text!r} is not a {what} from {low:,} to {high:,}")

    return parse
