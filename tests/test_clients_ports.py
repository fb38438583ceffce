"""A crowd takes as many local ports as it needs, from as many addresses, or is refused."""

import sys
from pathlib import Path

import msgspec
import pytest

from clients import ports
from clients.dialling import KEEPALIVE_S
from clients.errors import ServerError
from clients.log import Settings

SETTINGS = Settings(clients=20, rate_per_s=1, interval_s=1, hold_s=25, duration_s=1, warmup_s=1)


@pytest.fixture(autouse=True)
def _a_thousand_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "range").write_text("1001\t2000\n")
    monkeypatch.setattr(ports, "RANGE", tmp_path / "range")
    monkeypatch.setattr(ports, "_is_here", lambda _: True)


def settings(**changes: object) -> Settings:
    return msgspec.structs.replace(SETTINGS, **changes)


def sources(wanted: Settings, host: str = "127.0.0.1", mode: str = "short") -> int:
    return ports.sources(wanted, mode, host)


@pytest.mark.parametrize(("clients", "count"), [(1, 1), (900, 1), (901, 2), (9000, 10)])
def test_as_many_addresses_as_the_connections_need(clients: int, count: int) -> None:
    assert sources(settings(clients=clients)) == count


def test_closed_connections_keep_their_ports_for_a_while() -> None:
    assert sources(settings(clients=100, keepalive=False)) == 7  # 100 and 100 a second for 60 s
    assert sources(settings(clients=100, keepalive=False, interval_s=60, rate_per_s=0.01)) == 1
    assert sources(settings(clients=1, keepalive=False, interval_s=0)) == 67
    assert sources(settings(clients=900, keepalive=False), mode="ws") == 1


def test_pauses_too_long_to_keep_a_connection_open_take_one_for_each_poll() -> None:
    assert sources(settings(clients=300, rate_per_s=50, interval_s=KEEPALIVE_S)) == 1
    assert sources(settings(clients=300, rate_per_s=50, interval_s=30)) == 1  # 10 a second for 60 s
    assert sources(settings(clients=301, rate_per_s=50, interval_s=30)) == 2
    for mode in ("long", "ws"):  # which do not pause
        assert sources(settings(clients=900, interval_s=30), "10.0.0.1", mode) == 1
    with pytest.raises(ServerError, match="at which polls close fewer connections"):
        sources(settings(clients=301, interval_s=30), "10.0.0.1")


def test_elsewhere_than_on_loopback_there_is_one_address() -> None:
    assert sources(settings(clients=900), "10.0.0.1") == 1
    with pytest.raises(
        ServerError, match=r"901 clients need 901 local ports.*900.*fewer --clients"
    ):
        sources(settings(clients=901), "10.0.0.1")


def test_addresses_that_this_machine_has_not_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_is_here", lambda address: address == "127.0.0.1")
    with pytest.raises(ServerError, match="fewer --clients"):
        sources(settings(clients=901))


def test_system_that_does_not_say_gives_out_the_dynamic_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "RANGE", tmp_path / "nowhere")
    assert sources(settings(clients=14_000)) == 1
    assert sources(settings(clients=15_000)) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="one loopback address, unless more are added")
def test_address_beyond_the_first_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert ports._is_here("127.0.0.2")
    assert not ports._is_here("192.0.2.1")  # RFC 5737: nobody's
