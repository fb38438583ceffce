"""Imports run one way: analysis -> clients -> demo, and only through contracts."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("demo", "clients", "analysis", "tests")

# What a file of a folder may take from the other folders.
CONTRACTS: dict[str, set[str]] = {
    "demo": set(),
    "clients": {"demo.message"},
    "analysis": {"clients.log", "clients.checks"},  # the records, and the limits they are held to
    # The one command measures first, then draws.
    "analysis/compare.py": {"clients.measuring", "clients.options"},
}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(source: str) -> Iterator[str]:
    """Yield the full name of every module that a source may import."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute here"
            module = node.module or ""
            # `from demo import message` takes a module, `from demo.message import encode` does not.
            if module in OURS:
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Return what a file may import."""
    return tuple(imported(path.read_text(encoding="utf-8")))


def foreign(path: str, modules: Iterable[str]) -> set[str]:
    """Return what of a file's imports is of our other folders and no contract allows."""
    folder = path.partition("/")[0]
    allowed = CONTRACTS.get(path, CONTRACTS[folder])
    return {
        module
        for module in modules
        if (top := module.partition(".")[0]) in OURS and top != folder and module not in allowed
    }


@pytest.mark.parametrize("folder", ["demo", "clients", "analysis"])
def test_imports_run_one_way(folder: str) -> None:
    assert sources(folder)
    for path in sources(folder):
        name = path.relative_to(ROOT).as_posix()
        assert not foreign(name, imports(path)), name


def test_a_message_imports_nothing_of_ours() -> None:
    modules = imports(ROOT / "demo" / "message.py")
    assert not {module.partition(".")[0] for module in modules} & set(OURS)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("demo/feed.py", "import clients.log"),
        ("demo/feed.py", "from clients import log"),
        ("clients/run.py", "from demo.feed import Feed"),
        ("clients/run.py", "from demo import feed"),
        ("clients/run.py", "import demo"),
        ("clients/run.py", "def late():\n    import analysis.theory"),
        ("analysis/report.py", "from demo.message import encode"),
        ("analysis/report.py", "from clients.measuring import measure"),
        ("demo/feed.py", "from tests.conftest import Server"),
    ],
)
def test_an_import_against_the_stream_is_noticed(path: str, source: str) -> None:
    assert foreign(path, imported(source))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("demo/feed.py", "from demo.message import encode\nimport demo.frames\nimport aiohttp"),
        ("clients/run.py", "from demo.message import encode\nfrom clients.log import Run"),
        ("analysis/report.py", "from clients.log import read\nfrom analysis import theory"),
        ("analysis/compare.py", "from clients.measuring import measure"),
    ],
)
def test_an_import_of_a_contract_is_fine(path: str, source: str) -> None:
    assert not foreign(path, imported(source))


def loaded(module: str, known: set[str]) -> set[str]:
    """Add to what is known the module, and all that it may import, by whichever way."""
    known.add(module)
    path = ROOT / f"{module.replace('.', '/')}.py"
    for each in imports(path) if path.exists() else ():
        if each not in known:
            loaded(each, known)
    return known


@pytest.mark.parametrize(
    ("process", "unneeded"),
    [
        ("clients.link", {"aiohttp", "polars", "psutil"}),
        ("clients.faults.line", {"aiohttp", "polars", "psutil"}),
        ("clients.stand_in", {"aiohttp", "polars", "psutil"}),
        ("clients.quantum_leap.server", {"aiohttp", "polars", "psutil"}),
        ("clients.quantum_leap.crowd", {"aiohttp", "polars", "psutil"}),
        ("clients.publisher", {"polars", "psutil"}),
        ("clients.crowd", {"polars", "psutil"}),
        ("clients.__main__", {"polars"}),
        ("demo.__main__", {"polars", "numpy", "matplotlib", "rich"}),
    ],
)
def test_a_process_loads_no_more_than_it_needs(process: str, unneeded: set[str]) -> None:
    tops = {module.partition(".")[0] for module in loaded(process, set())}
    assert "asyncio" in tops
    assert not tops & unneeded
