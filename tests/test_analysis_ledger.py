from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from msgspec.structs import replace

from analysis.charts import CHARTS
from analysis.charts.ledger_rows import CELLS, rows_of
from analysis.ledger import Ledger, Part, split
from analysis.summary import summarise
from clients.log import Exchange, Log
from tests.made_log import EPOCH, SETTINGS, exchange, message_json
from tests.made_log import made as made_log

DOWN_HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

# From bytes, as Hypothesis reckons for seconds before its first character of any alphabet.
names = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1)
values = st.binary().map(lambda data: data.translate(None, b"\r\n").decode("latin-1"))
headers = st.lists(st.tuples(names, values))
bytes_as_text = st.binary().map(lambda data: data.decode("latin-1"))


def made(up: bytes, down: bytes) -> Exchange:
    return Exchange(up.decode("latin-1"), down.decode("latin-1"))


def pushed(*frames: bytes) -> Ledger:
    return split(made(b"GET /ws HTTP/1.1\r\n\r\n", DOWN_HEAD + b"".join(frames)))


def frame(payload: bytes, *, opcode: int = 1, mask: bytes = b"") -> bytes:
    """Build a frame by hand (RFC 6455, section 5.2)."""
    masked, size = 0x80 if mask else 0, len(payload)
    if size < 126:
        length = bytes([masked | size])
    elif size < 2**16:
        length = bytes([masked | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([masked | 127]) + size.to_bytes(8, "big")
    return bytes([0x80 | opcode]) + length + mask + payload


def counted(ledger: Ledger) -> list[tuple[str, int]]:
    return [(part.name, len(part.data)) for part in ledger.down]


def test_no_byte_of_a_poll_is_lost_or_named_twice() -> None:
    for mode in ("short", "long", "ws"):
        kept = exchange(mode, 64)
        ledger = split(kept)
        assert b"".join(part.data for part in ledger.up).decode("latin-1") == kept.up
        assert b"".join(part.data for part in ledger.down).decode("latin-1") == kept.down
        assert ledger.bytes_of() == len(kept.up) + len(kept.down)


@given(bytes_as_text, bytes_as_text, st.sampled_from(["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 101 "]))
def test_any_bytes_add_up_to_themselves(up: str, down: str, start: str) -> None:
    ledger = split(Exchange(up, start + down))
    assert b"".join(part.data for part in ledger.up) == up.encode("latin-1")
    assert b"".join(part.data for part in ledger.down) == (start + down).encode("latin-1")
    assert all(part.data for part in (*ledger.up, *ledger.down))


@given(headers)
def test_each_header_has_its_own_bytes(listed: list[tuple[str, str]]) -> None:
    lines = [f"{name}: {value}\r\n".encode("latin-1") for name, value in listed]
    ledger = split(made(b"GET / HTTP/1.1\r\n" + b"".join(lines) + b"\r\n", b""))
    found = [(part.name, part.data) for part in ledger.up]
    expected = [(name, line) for (name, _), line in zip(listed, lines, strict=True)]
    assert found == [
        ("request line", b"GET / HTTP/1.1\r\n"),
        *expected,
        ("blank line", b"\r\n"),
    ]


@pytest.mark.parametrize(
    ("size", "form", "head"), [(125, 7, 2), (126, 16, 4), (65535, 16, 4), (65536, 64, 10)]
)
def test_a_frame_head_grows_with_its_payload(size: int, form: int, head: int) -> None:
    down = pushed(frame(b"{}"), frame(b"x" * size))
    assert counted(down)[-2:] == [(f"frame head, {form}-bit length", head), ("message", size)]


def test_the_first_frame_is_handshake_and_the_second_the_message() -> None:
    down = pushed(frame(b'{"epoch":"e","cursor":0}'), frame(message_json(64))).down[3:]
    assert [part.group for part in down] == [
        *("handshake", "handshake"),
        *("frame head", "message", "text", "message"),
    ]


def test_the_mask_of_a_clients_frame_is_told_apart() -> None:
    up = b"GET /ws HTTP/1.1\r\n\r\n" + frame(b"xyz", mask=b"\1\2\3\4")
    ledger = split(made(up, DOWN_HEAD))
    assert [(part.name, len(part.data)) for part in ledger.up[2:]] == [
        ("frame head, 7-bit length", 2),
        ("mask", 4),
        ("message", 3),
    ]


def test_pings_are_not_messages() -> None:
    ledger = pushed(frame(b"are you there?", opcode=9), frame(b"{}"), frame(message_json(9)))
    assert counted(ledger)[3:5] == [("frame head, 7-bit length", 2), ("ping", 14)]
    assert ledger.bytes_of("text") == 9


def test_a_frame_that_is_cut_off_is_not_a_message() -> None:
    ledger = pushed(frame(b"{}"), frame(message_json(64))[:-1])
    assert counted(ledger)[-1][0] == "unfinished frame"
    assert ledger.bytes_of("message", "text") == 0


@pytest.mark.parametrize("mode", ["short", "long", "ws"])
def test_the_same_message_is_found_in_each_mode(mode: str) -> None:
    ledger = split(exchange(mode, 64))
    assert ledger.bytes_of("text") == 64
    assert ledger.bytes_of("message", "text") == len(message_json(64))


def test_an_envelope_is_what_a_poll_adds_to_its_messages() -> None:
    ledger = split(exchange("short", 64))
    envelope = f'{{"epoch":"{EPOCH}","cursor":1,"messages":[]}}'
    assert b"".join(part.data for part in ledger.down if part.group == "envelope") == (
        envelope.encode()
    )


def test_quotes_within_a_text_do_not_end_it() -> None:
    ledger = pushed(frame(b"{}"), frame(rb'{"id":1,"text":"say \"hi\\","sent_ns":1}'))
    assert [part.data for part in ledger.down if part.group == "text"] == [rb"say \"hi\\"]


def test_messages_that_came_together_are_told_apart() -> None:
    body = b'{"messages":[' + message_json(5) + b"," + message_json(7) + b"]}"
    ledger = split(made(b"", b"HTTP/1.1 200 OK\r\n\r\n" + body))
    assert [len(part.data) for part in ledger.down if part.group == "text"] == [5, 7]


# The chart


def analysed(folder: Path, payload_bytes: int = 100, **options: Any) -> tuple[Log, pl.DataFrame]:
    setting = replace(SETTINGS, payload_bytes=payload_bytes, duration_s=4, clients=2)
    log = made_log(folder, setting, trials=1, **options)
    return log, summarise(log)


def drawn(log: Log, summary: pl.DataFrame) -> Figure:
    figure = CHARTS["ledger"].draw(log, summary)
    assert figure is not None
    return figure


def cells(figure: Figure) -> int:
    return round(sum(patch.get_width() for patch in figure.axes[0].patches))  # type: ignore[attr-defined]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_byte_is_a_cell(tmp_path: Path) -> None:
    log, summary = analysed(tmp_path / "log")
    assert cells(drawn(log, summary)) == sum(split(kept).bytes_of() for kept in log.wire.values())


def test_what_of_a_long_message_is_not_drawn_is_counted(tmp_path: Path) -> None:
    log, summary = analysed(tmp_path / "log", payload_bytes=3000)
    figure = drawn(log, summary)
    said = words(figure)
    hidden = [said[i + 1] for i, word in enumerate(said) if word == "not drawn"]
    total = cells(figure) + sum(int(count.replace(",", "")) for count in hidden)
    assert len(hidden) == 3
    assert total == sum(split(kept).bytes_of() for kept in log.wire.values())


def test_the_message_is_given_of_what_each_further_one_takes(tmp_path: Path) -> None:
    log, summary = analysed(tmp_path / "log")
    size = len(message_json(100))
    said = words(drawn(log, summary))
    assert f"of {size + 4} bytes {size} are the message" in said
    once = split(log.wire["ws"]).bytes_of("handshake")
    assert f"after {once} bytes, once" in said


def test_without_kept_bytes_there_is_no_chart(tmp_path: Path) -> None:
    log, summary = analysed(tmp_path / "log")
    assert CHARTS["ledger"].draw(replace(log, wire={}), summary) is None


@pytest.mark.parametrize(("size", "rows"), [(2 * CELLS, [CELLS, CELLS]), (CELLS + 1, [CELLS, 1])])
def test_bytes_are_broken_into_rows_of_which_none_is_empty(size: int, rows: list[int]) -> None:
    ledger = Ledger((), (Part("envelope", "envelope", b"x" * size),))
    found = [row for row in rows_of(ledger) if not row.heading]
    assert [sum(len(part.data) for part in row.parts) for row in found] == rows
