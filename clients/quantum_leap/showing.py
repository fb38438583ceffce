"""Repeat the article for a terminal: each result as it comes, then the table."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from clients.quantum_leap.measuring import Leap, measure
from clients.quantum_leap.records import HeaderTraffic
from clients.quantum_leap.table import line, remarks, table, write
from clients.terminal import FAILED, carry_out
from clients.writing import make_folder, written_to


def show(program: str, leap: Leap, folder: Path, console: Console) -> int:
    """Measure into `folder` and print; return the exit code."""
    console.print(f"quantum-leap: about {leap.seconds:.0f} s", highlight=False)
    measured: list[HeaderTraffic] = []

    def tell(result: HeaderTraffic) -> None:
        console.print(line(result), highlight=False)

    code = carry_out(program, _measure_into(folder, leap, measured, tell))
    if code != FAILED:
        console.print(table(measured), highlight=False)
        for remark in remarks(measured):
            console.print(remark, highlight=False)
        console.print(f"The figures are in {folder}", highlight=False, soft_wrap=True)
    return code


async def _measure_into(
    folder: Path, leap: Leap, measured: list[HeaderTraffic], tell: Callable[[HeaderTraffic], None]
) -> None:
    make_folder(folder)
    with written_to(folder):
        write(folder, measured)

    def keep(result: HeaderTraffic) -> None:
        measured.append(result)
        tell(result)
        with written_to(folder):
            write(folder, measured)

    await measure(leap, keep)
