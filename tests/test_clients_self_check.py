"""The self-check measures the instrument for real, and judges what it finds."""

import io

import pytest
from rich.console import Console

from clients import self_check
from clients.self_check import Floor, checks, show_self_check


def test_every_mode_has_a_floor_and_every_check_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "SECONDS", 0.2)
    monkeypatch.setattr(self_check, "SLEEPS", 5)
    paper = io.StringIO()
    console = Console(file=paper, width=120)
    assert show_self_check(console) in (0, 1)  # how fast this machine is is not for a test to say
    said = paper.getvalue()
    for words in ("short polling", "long polling", "WebSocket", "clock resolution", "line adds"):
        assert words in said


def floor(mode: str, p99_ms: float) -> Floor:
    return Floor(
        mode=mode,
        latency_p50_ms=0.1,
        latency_p99_ms=p99_ms,
        reader_p50_ms=0.05,
        messages_per_s=1000,
        cpu_us=200,
    )


def test_slow_client_fails_its_check_alone() -> None:
    judged = {check.name: check.holds for check in checks([floor("short", 0.3), floor("ws", 5.1)])}
    assert judged["floor of latency, short polling, p99"]
    assert not judged["floor of latency, WebSocket, p99"]
