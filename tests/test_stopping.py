"""A server that is stopped lets every reader go as it should, and keeps what it acknowledged."""

from pathlib import Path

from demo.arguments import SQLITE
from tests.stopping import stop


async def test_nobody_is_left_hanging_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    counts = {"sockets": 20, "held": 0, "idle": 20}
    found = await stop(counts, 2, f"{SQLITE}{tmp_path / 'feed.db'}", rest_s=0.1)
    for figure in ("seconds", "cpu_s", "acknowledged"):
        assert found.pop(figure)
    assert found == {
        "code": 0,
        "sockets told": 20,
        "idle closed": 20,
        "lost": 0,
    }
