"""The small parts of the classroom that need no server."""

import random
import socket
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.classroom import address
from demo.classroom.address import home_url, join_url
from demo.classroom.chatter import NAMES, RATES_PER_S, Chatter
from demo.classroom.framing import frames, last_text, text_bytes
from demo.classroom.qr import qr_svg
from demo.classroom.settings import Level
from demo.feed import Feed
from demo.frames import text_frame
from tests.conftest import Clock

PONG = b"\x8a\x00"
MASKED = b"\x81\x82abcd\x00\x01"


@given(st.lists(st.binary(max_size=70_000), max_size=3))
def test_frames_are_told_apart_whatever_their_length(payloads: list[bytes]) -> None:
    whole = [text_frame(payload) for payload in payloads]
    assert list(frames(b"".join(whole))) == whole
    assert text_bytes(b"".join(whole)) == sum(map(len, payloads))


@given(st.binary(max_size=300))
def test_bytes_that_are_no_frames_do_no_harm(data: bytes) -> None:
    assert b"".join(frames(data)) == data
    assert text_bytes(data) <= len(data)
    last_text(data)


def test_the_last_whole_text_is_found() -> None:
    assert last_text(text_frame(b"a") + MASKED + PONG + text_frame(b"b")[:-1]) == MASKED
    assert last_text(PONG) is None


def test_text_is_counted_and_nothing_else() -> None:
    assert text_bytes(text_frame(b"abc") + PONG + text_frame(bytes(200))) == 203


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_on_loopback_nobody_joins(host: str) -> None:
    assert join_url(host, f"http://{host}:3001") is None


def test_an_address_that_was_asked_for_is_where_to_join() -> None:
    assert join_url("192.0.2.7", "http://192.0.2.7:3001") == "http://192.0.2.7:3001/join"
    assert join_url("2001:db8::7", "http://[2001:db8::7]:80") == "http://[2001:db8::7]:80/join"


@pytest.mark.parametrize(("up", "students"), [(True, "http://10.42.0.1:3001/join"), (False, None)])
def test_a_hotspot_that_leads_nowhere_else_is_where_to_join(
    monkeypatch: pytest.MonkeyPatch, up: bool, students: str | None
) -> None:
    def interface(*addresses: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(family=socket.AF_INET, address=address) for address in addresses]

    addresses = {
        "lo": interface("127.0.0.1"),
        "eth0": interface("169.254.3.4"),
        "wlan0": [SimpleNamespace(family=socket.AF_INET6, address="fd00::1")],
        "ap0": interface("10.42.0.1"),
    }
    states = {name: SimpleNamespace(isup=up or name != "ap0") for name in addresses}
    monkeypatch.setitem(address.FAR, socket.AF_INET, "255.255.255.255")  # no socket may go there
    monkeypatch.setattr("psutil.net_if_addrs", lambda: addresses)
    monkeypatch.setattr("psutil.net_if_stats", lambda: states)
    assert join_url("0.0.0.0", "http://0.0.0.0:3001") == students


@pytest.mark.parametrize(
    ("host", "url", "home"),
    [
        ("localhost", "http://127.0.0.1:3001", "http://localhost:3001/"),
        ("0.0.0.0", "http://0.0.0.0:3001", "http://localhost:3001/"),
        ("::", "http://[::]:3001", "http://localhost:3001/"),
        ("192.0.2.7", "http://192.0.2.7:3001", "http://192.0.2.7:3001/"),
        ("2001:db8::7", "http://[2001:db8::7]:80", "http://[2001:db8::7]:80/"),
    ],
)
def test_the_teacher_finds_the_page_on_this_machine(host: str, url: str, home: str) -> None:
    assert home_url(host, url) == home


def test_the_picture_of_an_address_is_black_on_white_with_its_quiet_zone() -> None:
    picture = qr_svg("http://192.0.2.7:3001/join")
    assert b'fill="#fff"' in picture
    assert b'stroke="#000"' in picture
    assert b"M4 4.5h7" in picture  # the first finder pattern, four modules from the edge


@pytest.mark.parametrize("level", ["quiet", "lively", "storm"])
async def test_chatter_keeps_its_mean_rate(clock: Clock, level: Level) -> None:
    feed = Feed()
    chatter = Chatter(feed.publish, random.Random(1), lambda: round(clock.now_s * 1e9))
    chatter.set(level)
    seconds = 400 / RATES_PER_S[level]
    for _ in range(100):
        await clock.advance(seconds / 100)
    chatter.set("off")
    assert feed.head == pytest.approx(400, abs=80)
    head = feed.head
    await clock.advance(60)
    assert feed.head == head
    assert {entry.message.sender for entry in feed.after(0)} == set(NAMES)


async def test_chatter_is_stamped_with_the_time_it_was_meant_for(clock: Clock) -> None:
    feed = Feed(clock=lambda: round(clock.now_s * 1e9))
    chatter = Chatter(feed.publish, random.Random(1), lambda: round(clock.now_s * 1e9))
    chatter.late_ms = []
    chatter.set("storm")
    await clock.settle()
    clock.now_s += 0.5  # the loop was busy
    await clock.settle()
    (first, *_) = [entry.message for entry in feed.after(0)]
    assert first.published_ns - first.sent_ns == pytest.approx(chatter.late_ms[0] * 1e6, abs=1000)
    assert chatter.late_ms[0] > 100


async def test_after_a_long_standstill_chatter_does_not_catch_up_for_ever(clock: Clock) -> None:
    feed = Feed()
    chatter = Chatter(feed.publish, random.Random(1), lambda: 0)
    chatter.set("storm")
    clock.now_s += 3600
    for _ in range(10):
        await clock.settle()
    assert feed.head < 100
    chatter.stop()
