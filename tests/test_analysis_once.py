"""What is made of a log is made once, and kept no longer than the log."""

import gc
import weakref
from pathlib import Path

from msgspec.structs import replace

from analysis.runs import figures_of_runs
from tests.made_log import SETTINGS, made

SMALL = replace(SETTINGS, duration_s=1, clients=1)


def test_figures_are_made_once_for_each_log(tmp_path: Path) -> None:
    log = made(tmp_path / "log", SMALL, trials=1)
    assert figures_of_runs(log) is figures_of_runs(log)
    assert figures_of_runs(replace(log)) is not figures_of_runs(log)


def test_a_log_that_nobody_needs_is_not_kept_for_its_figures(tmp_path: Path) -> None:
    log = made(tmp_path / "log", SMALL, trials=1)
    figures_of_runs(log)
    kept = weakref.ref(log)
    del log
    gc.collect()
    assert kept() is None
