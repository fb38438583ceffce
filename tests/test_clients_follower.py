"""A reader of a crowd finds what is lost, repeated or out of order, as the log's own check does."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.checks import Continuity, continuity
from clients.follower import Census, Follower
from clients.joining import Tally
from clients.place import Place
from demo.message import GapNotice, Hello, Message, News, encode
from tests.test_clients_checks import deliveries

LAST = 9
URL = "http://127.0.0.1:3001"


@pytest.fixture
def census() -> Census:
    return Census(Tally())


@pytest.fixture
def follower(census: Census) -> Follower:
    return Follower(census, Place("now", 0), LAST, URL)


def message(number: int) -> Message:
    return Message(number, "ada", "text", 1, 2)


def news(*numbers: int) -> bytes:
    return encode(News("now", numbers[-1], tuple(map(message, numbers))))


@given(st.lists(st.integers(1, LAST), max_size=30))
def test_census_agrees_with_the_check_of_the_log(numbers: list[int]) -> None:
    census = Census(Tally())
    follower = Follower(census, Place("now", 0), LAST, URL)
    for number in numbers:
        follower.hear(encode(message(number)))
    lost = LAST - (census.deliveries - census.duplicates)
    found = Continuity(lost, census.duplicates, census.out_of_order)
    assert found == continuity(deliveries(*numbers), 1, range(1, LAST + 1))
    assert census.deliveries == len(numbers)


def test_reader_goes_on_until_the_last_message(follower: Follower) -> None:
    assert follower.take(200, news(1, 2))
    assert follower.take(204, b"")
    assert not follower.take(200, news(3, 4, 5, 6, 7, 8, LAST))


def test_next_request_asks_for_what_follows(follower: Follower) -> None:
    follower.take(200, news(1, 2, 3))
    assert follower.asking("/long-poll", hold_s="25")().startswith(
        b"GET /long-poll?after=3&epoch=now&hold_s=25 HTTP/1.1\r\nHost: 127.0.0.1:3001\r\n"
    )


def test_address_of_a_server_may_have_a_path(census: Census) -> None:
    follower = Follower(census, Place("now", 0), LAST, "http://[::1]:80/chat")
    assert follower.asking("/ws")().startswith(
        b"GET /chat/ws?after=0&epoch=now HTTP/1.1\r\nHost: [::1]:80\r\n"
    )


def test_reader_behind_the_history_reads_on_from_the_oldest(
    follower: Follower, census: Census
) -> None:
    gap = encode(GapNotice("gone", "now", 5, 8))
    assert follower.take(410, gap)
    assert b"?after=4&epoch=now " in follower.asking("/ws")()
    assert follower.hear(gap)
    assert b"?after=4&epoch=now " in follower.asking("/ws")()
    assert not census.received


def test_first_frame_says_where_the_reader_starts(follower: Follower) -> None:
    assert follower.hear(encode(Hello("new", 2)))
    assert b"?after=2&epoch=new " in follower.asking("/ws")()


def test_deliveries_are_counted_by_message(census: Census) -> None:
    for _ in range(3):
        reader = Follower(census, Place("now", 0), LAST, URL)
        reader.take(200, news(1, 2, 3))
    assert census.received == {1: 3, 2: 3, 3: 3}
    assert census.deliveries == 9
    assert census.among(range(2, 4)) == 6


def test_censuses_are_added_up() -> None:
    whole = Census(Tally(requests=1, bytes_up=10), {1: 2, 2: 2}, duplicates=1)
    whole.add(Census(Tally(requests=2, failures=3), {2: 5, 3: 1}, out_of_order=4))
    tally = Tally(requests=3, failures=3, bytes_up=10)
    assert whole == Census(tally, {1: 2, 2: 7, 3: 1}, duplicates=1, out_of_order=4)


def test_report_is_read_back(census: Census) -> None:
    census.received[7] = 2
    assert msgspec.json.decode(encode(census), type=Census) == census
