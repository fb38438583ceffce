"""Windows of a benchmark: their medians, their ratios, and whether the goals are met."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Self

from rich.table import Table

from tests.bench.machine import BUSY, DISTURBED, Shares


@dataclass(frozen=True)
class Window:
    """What one server did in one setting of one part, in one trial.

    figure: how many a second, if the part counts; else what the part says
    cpu_us, generator_us: of the server's and the generator's process, for each
    shares are of one core
    limited: it is a rate, and the generator could not have made it higher
    trial: windows of one trial are compared with each other
    """

    part: str
    setting: str
    server: str
    figure: float
    cpu_us: float
    generator_us: float
    server_share: float
    generator_share: float
    others_share: float
    limited: bool = False
    trial: int = 0

    @classmethod
    def of(
        cls,
        part: str,
        setting: str,
        server: str,
        shares: Shares,
        count: int,
        *,
        figure: float | None = None,
    ) -> Self:
        """Make one from what was counted while `shares` were taken."""
        rate = count / shares.elapsed_s if figure is None else figure
        each_us = 1e6 / count if count else 0.0
        cpu_us = shares.server_s * each_us
        generator_us = shares.generator * shares.elapsed_s * each_us
        taken = shares.server, shares.generator, shares.others
        limited = figure is None and shares.generator > BUSY
        return cls(part, setting, server, rate, cpu_us, generator_us, *taken, limited)


@dataclass(frozen=True)
class Part:
    """A part of the benchmark: its unit, and the server that the others are held against."""

    name: str
    unit: str
    rival: str
    digits: int = 0


Cell = tuple[str, str, str]  # part, setting, server


@dataclass(frozen=True)
class Ratio:
    """How many times one figure is another: the median over trials, and its range.

    sign: "≥" where the generator was the limit of the first figure, "≤" where of the second, "~"
        where of both: the servers are further apart then than the ratio says
    """

    value: float
    low: float
    high: float
    sign: str

    def __str__(self) -> str:
        return f"{self.sign} {self.value:.2f}".lstrip()


@dataclass(frozen=True)
class Goal:
    """A figure over another (or as it is), and what it should be."""

    what: str
    over: Cell
    under: Cell | None
    limit: float
    at_least: bool
    cpu: bool = False


class Cells:
    """The windows of each part, setting and server, without those that others disturbed."""

    def __init__(self, windows: list[Window]) -> None:
        self._windows: dict[Cell, list[Window]] = defaultdict(list)
        for one in windows:
            self._windows[one.part, one.setting, one.server].append(one)

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._windows)

    def counted(self, cell: Cell) -> list[Window]:
        """Return what counts: the windows in which the machine was ours, or all if none was."""
        windows = self._windows.get(cell, [])
        return [one for one in windows if one.others_share <= DISTURBED] or windows

    def disturbed(self, cell: Cell) -> str:
        """Say how many windows others disturbed, of how many."""
        windows = self._windows[cell]
        return f"{sum(one.others_share > DISTURBED for one in windows)} of {len(windows)}"

    def median(self, cell: Cell) -> float | None:
        """Return the median of a cell's figures; None without a good window."""
        figures = [one.figure for one in self._good(cell).values()]
        return median(figures) if figures else None

    def ratio(self, over: Cell, under: Cell, *, cpu: bool = False) -> Ratio | None:
        """Divide one cell's figures, or CPU, by another's of the same trial; None if none has both.

        The machine is another one from minute to minute, and what ran side by side shares it.
        """
        above, below = self._good(over), self._good(under)
        pairs = [(above[trial], below[trial]) for trial in sorted(above.keys() & below.keys())]
        if cpu:
            found = [one.cpu_us / other.cpu_us for one, other in pairs if other.cpu_us]
        else:
            found = [one.figure / other.figure for one, other in pairs if other.figure]
        if not found:
            return None
        limited = [
            any(one.limited for one in side) and not cpu for side in zip(*pairs, strict=True)
        ]
        sign = {(1, 0): "≥", (0, 1): "≤", (1, 1): "~"}.get((limited[0], limited[1]), "")
        return Ratio(median(found), min(found), max(found), sign)

    def _good(self, cell: Cell) -> dict[int, Window]:
        windows = self._windows.get(cell, [])
        return {one.trial: one for one in windows if one.others_share <= DISTURBED}


def table(part: Part, cells: Cells) -> Table:
    """Draw a row for each setting and server: medians, and ranges over the trials."""
    drawn = Table(title=part.name, title_style="bold")
    drawn.add_column("setting")
    drawn.add_column("server")
    figures = (part.unit, "range", f"of {part.rival}", "server CPU µs", "server")
    for figure in (*figures, "generator CPU µs", "generator", "disturbed"):
        drawn.add_column(figure, justify="right")
    before = None
    found = [each for each in cells if each[0] == part.name]
    places = {setting: place for place, setting in enumerate(dict.fromkeys(c[1] for c in found))}
    for cell in sorted(found, key=lambda cell: (*_order(cell[1]), places[cell[1]], cell[2])):
        if before not in {None, cell[1]}:
            drawn.add_section()
        drawn.add_row("" if cell[1] == before else cell[1], cell[2], *_row(part, cells, cell))
        before = cell[1]
    return drawn


def _order(setting: str) -> tuple[list[int]]:
    numbers = "".join(each if each.isdigit() else " " for each in setting.replace(",", ""))
    return ([int(number) for number in numbers.split()],)


def _row(part: Part, cells: Cells, cell: Cell) -> list[str]:
    windows = cells.counted(cell)
    rates = [one.figure for one in windows]
    ratio = cells.ratio(cell, (cell[0], cell[1], part.rival))
    busy = median(one.generator_share for one in windows)
    limit = ", the limit" if any(one.limited for one in windows) else ""
    digits = part.digits
    return [
        f"{median(rates):,.{digits}f}",
        f"{min(rates):,.{digits}f} to {max(rates):,.{digits}f}",
        str(ratio or ""),
        f"{median(one.cpu_us for one in windows):.2f}",
        f"{median(one.server_share for one in windows):.0%}",
        f"{median(one.generator_us for one in windows):.2f}",
        f"{busy:.0%}{limit}",
        cells.disturbed(cell),
    ]


def goals(wanted: list[Goal], cells: Cells) -> Table:
    """Draw a row for each goal: what it should be, and what it is."""
    drawn = Table(title="Goals", title_style="bold")
    for heading in ("figure", "goal", "measured", "range", ""):
        drawn.add_column(heading, justify="left" if heading == "figure" else "right")
    for goal in wanted:
        sign = "≥" if goal.at_least else "≤"
        drawn.add_row(goal.what, f"{sign} {goal.limit:g}", *_reached(goal, cells))
    return drawn


def _reached(goal: Goal, cells: Cells) -> tuple[str, str, str]:
    if goal.under is None:
        value = cells.median(goal.over)
        return (
            ("not measured", "", "") if value is None else (f"{value:.2f}", "", _met(goal, value))
        )
    ratio = cells.ratio(goal.over, goal.under, cpu=goal.cpu)
    if ratio is None:
        return "not compared", "", ""
    return str(ratio), f"{ratio.low:.2f} to {ratio.high:.2f}", _met(goal, ratio.value)


def _met(goal: Goal, value: float) -> str:
    met = value >= goal.limit if goal.at_least else value <= goal.limit
    return "met" if met else "missed"
