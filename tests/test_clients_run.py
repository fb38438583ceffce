"""What goes wrong in a run is said in its row, and is not a traceback."""

import asyncio
import sys

import pytest

from clients import readers
from clients.experiment import Ambition, plans
from clients.plan import Outcome
from clients.run import _cpu_s
from clients.server import Stats
from tests.test_clients_experiment import tiny


async def test_process_that_has_ended_has_no_cpu_time() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()
    assert _cpu_s(process) is None
    assert _cpu_s(None) is None


async def test_first_error_of_a_reader_makes_the_run_void_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> None:
        raise IndexError("pop from an empty deque")

    monkeypatch.setattr(readers, "_read", fail)
    outcome = Outcome(plans(Ambition(tiny("ws"), seed=1))[0])
    stage = readers.Stage(None, "http://127.0.0.1:1", None, None, None)  # type: ignore[arg-type]
    before = Stats("epoch", 0, 0.0, 0, 0.0, {})
    async with readers.readers(outcome, stage, before) as reading:
        await asyncio.wait(reading)
    row, _, _ = outcome.rows()
    assert not row.valid
    assert "IndexError('pop from an empty deque')" in row.void_because
