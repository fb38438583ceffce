import json
from decimal import Decimal

import pytest

from demo.message import MAX_NS, MAX_TEXT_BYTES, Draft, Message, Unfit, decode_draft, encode


def test_a_draft_is_read_from_json() -> None:
    assert decode_draft('{"sender": "ada", "text": "hi"}') == Draft("ada", "hi", None)


def test_a_draft_keeps_the_publishers_stamp() -> None:
    assert decode_draft(b'{"sender": "ada", "text": "hi", "sent_ns": 7}').sent_ns == 7


def test_a_message_has_the_five_fields_of_the_contract() -> None:
    assert json.loads(encode(Message(1, "ada", "hi", 2, 3))) == {
        "id": 1,
        "sender": "ada",
        "text": "hi",
        "sent_ns": 2,
        "published_ns": 3,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hi",
        b"[]",
        b"null",
        b"{}",
        b'{"sender": "ada", "text": "hi", "more": ' + b"[" * 20_000,
        b'{"sender": "ada", "text": "hi", "sent_ns": 4000000000000000001}',
        b'{"sender": "ada"}',
        b'{"text": "hi"}',
        b'{"sender": "", "text": "hi"}',
        b'{"sender": "' + b"a" * 65 + b'", "text": "hi"}',
        b'{"sender": 1, "text": "hi"}',
        b'{"sender": "ada", "text": 1}',
        b'{"sender": "ada", "text": "hi", "sent_ns": -1}',
        b'{"sender": "ada", "text": "hi", "sent_ns": 1.5}',
        b'{"sender": "ada", "text": "hi", "sent_ns": "1"}',
        b'{"sender": "ada", "text": "\xff"}',
        b'{"sender": "ada", "text": "\\ud800"}',
        b'{"sender": "ada", "text": "hi"} and more',
        b"[" * 100_000,
    ],
)
def test_a_bad_draft_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        decode_draft(body)


def test_the_latest_stamp_is_taken_and_a_browser_makes_none_later_of_it() -> None:
    body = encode({"sender": "ada", "text": "", "sent_ns": MAX_NS})
    assert decode_draft(body).sent_ns == MAX_NS
    assert float(MAX_NS - 1) == MAX_NS  # as JavaScript reads it
    assert int(Decimal(repr(float(MAX_NS)))) == MAX_NS  # and writes it


def test_the_longest_sender_is_taken() -> None:
    sender = "é" * 64
    assert decode_draft(encode({"sender": sender, "text": ""})).sender == sender


def test_the_longest_text_is_taken() -> None:
    text = "x" * MAX_TEXT_BYTES
    assert decode_draft(encode({"sender": "ada", "text": text})).text == text


def test_a_longer_text_is_too_long() -> None:
    with pytest.raises(Unfit, match="4097 bytes, the limit is 4096"):
        decode_draft(encode({"sender": "ada", "text": "x" * (MAX_TEXT_BYTES + 1)}))


def test_the_limit_counts_bytes_and_not_characters() -> None:
    with pytest.raises(Unfit, match="6 bytes, the limit is 5"):
        decode_draft(encode({"sender": "ada", "text": "ééé"}), max_text_bytes=5)


CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]


@pytest.mark.parametrize("control", CONTROLS)
def test_control_characters_are_refused_but_for_tab_and_newline_in_a_text(control: str) -> None:
    with pytest.raises(Unfit, match="the sender has control characters"):
        decode_draft(encode({"sender": f"a{control}", "text": ""}))
    with pytest.raises(Unfit, match="the key has control characters"):
        decode_draft(encode({"sender": "ada", "text": "", "key": f"{control}b"}))
    body = encode({"sender": "ada", "text": f"{control}b"})
    if control in "\t\n":
        assert decode_draft(body).text == f"{control}b"
    else:
        with pytest.raises(Unfit, match="the text has control characters"):
            decode_draft(body)


@pytest.mark.parametrize("sender", ["Zoë", "名前", "👩‍🚀", "a b", "ada\u00a0l"])
def test_names_of_all_alphabets_are_taken(sender: str) -> None:
    assert decode_draft(encode({"sender": sender, "text": sender})).sender == sender


def test_a_longer_sender_is_refused_with_the_limit() -> None:
    with pytest.raises(Unfit, match="the sender has 4 characters, the limit is 3"):
        decode_draft(encode({"sender": "adaa", "text": ""}), max_sender_characters=3)
