"""The wall clock may jump: it dates what people read, and nothing is decided or measured by it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
WALL = {"time.time", "time.localtime", "time.gmtime", "datetime.now", "time.strftime"}

# Where it is read, and what for.
DATES = {
    "demo/answers.py": "the Date of an answer",
    "demo/ready.py": "the Date of an answer",
    "demo/classroom/archive.py": "when a file of the zip was made",
    "demo/classroom/runs.py": "when a run of the class began",
    "clients/experiment.py": "when an experiment began",
    "clients/options.py": "the name of its folder",
    "clients/plan.py": "when a run began",
}


def readings(source: str) -> Iterator[str]:
    """Yield each way in which a source reads the wall clock."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in WALL:
                yield name
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"from time import {alias.name}" for alias in node.names)


def test_the_wall_clock_is_read_for_dates_alone() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("demo", "clients", "analysis")
        for path in (ROOT / folder).rglob("*.py")
        if any(readings(path.read_text(encoding="utf-8")))
    }
    assert found == set(DATES)
