"""The article's table is read as `quantum-leap` wrote it."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis.chapters import LEAP
from analysis.leap import answer, cells, read_leap
from clients.log import HEADER_FILES, LogError, shortcomings
from clients.options import LEAP as NAME
from clients.quantum_leap.records import HeaderTraffic
from clients.quantum_leap.table import write
from tests.test_clients_quantum_leap import example


def written(folder: Path, *measured: HeaderTraffic) -> Path:
    folder.mkdir()
    write(folder, measured)
    return folder


def test_it_has_the_names_that_the_measurement_gives() -> None:
    assert LEAP == NAME


def test_printed_and_measured_figures_stand_side_by_side(tmp_path: Path) -> None:
    pushed = example("websocket", header_mbps=0.0152)
    leap = read_leap(written(tmp_path / "leap", example(), pushed))
    first, *others = cells(leap)
    assert first == ["1,000", "6.6", "6.6", "6.9", "6.9", "0.015", "0.015", "0.015", "454 to 1"]
    assert [row[4] for row in others] == ["\u2013", "\u2013"]
    said = answer(leap) or ""
    assert said.startswith(
        "The headers of 1,000 clients come to 6.9\u00a0Mbps by polling and 0.015"
    )
    assert said.endswith("454 to 1; the article prints 6.6 and 0.015")
    assert not leap.void
    assert list(shortcomings(leap.crowds)) == []


def test_one_way_alone_is_no_answer(tmp_path: Path) -> None:
    assert answer(read_leap(written(tmp_path / "leap", example()))) is None


def test_nothing_measured_is_void(tmp_path: Path) -> None:
    leap = read_leap(written(tmp_path / "leap"))
    assert leap.void
    assert len(cells(leap)) == 3


def test_what_the_machine_did_not_carry_or_count_alike_is_said(tmp_path: Path) -> None:
    slow = replace(example(), kept_up=False, messages_per_client_s=0.5)
    wrong = replace(example("websocket"), agrees=False, failures=2)
    leap = read_leap(written(tmp_path / "leap", slow, wrong))
    assert list(shortcomings(leap.crowds)) == [
        "1,000 clients, polling: this machine does not carry them, 0.50 messages/s each",
        "1,000 clients, WebSocket: void, clients and server disagree (2 failures)",
    ]


@pytest.mark.parametrize("name", HEADER_FILES)
def test_a_file_that_is_not_what_it_should_be_is_refused(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path / "leap", example())
    (folder / name).write_text("nothing")
    with pytest.raises(LogError, match=r"cannot be read .*: measure it again"):
        read_leap(folder)
