import asyncio
import json
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from demo.feed import TURN, Feed, Gap
from demo.frames import text_frame
from demo.message import Draft, Message
from tests.conftest import Clock


def publish(feed: Feed, count: int) -> None:
    for number in range(count):
        feed.publish(Draft("ada", f"text {number}"))


def ids(feed: Feed, cursor: int) -> list[int]:
    return [entry.message.id for entry in feed.after(cursor)]


def test_ids_are_consecutive_from_one() -> None:
    feed = Feed()
    publish(feed, 3)
    assert ids(feed, 0) == [1, 2, 3]
    assert feed.head == 3


def test_a_new_feed_has_nothing_and_no_gap() -> None:
    feed = Feed()
    assert list(feed.after(0)) == []
    assert (feed.oldest, feed.head) == (1, 0)


def test_an_entry_holds_its_json_and_its_frame() -> None:
    entry = Feed(clock=lambda: 5).publish(Draft("ada", "hi", 4))
    assert json.loads(entry.json) == {
        "id": 1,
        "sender": "ada",
        "text": "hi",
        "sent_ns": 4,
        "published_ns": 5,
    }
    assert entry.frame == text_frame(entry.json)


@given(history=st.integers(1, 20), head=st.integers(0, 50), count=st.integers(0, 50))
def test_a_feed_that_begins_in_the_middle_reads_as_one_that_did_not(
    history: int, head: int, count: int
) -> None:
    feed = Feed(history)
    publish(feed, 3)
    feed.restart("another", head)
    assert (feed.epoch, feed.head, feed.oldest) == ("another", head, head + 1)
    publish(feed, count)
    kept = min(count, history)
    assert (feed.head, feed.oldest) == (head + count, head + count - kept + 1)
    assert ids(feed, feed.oldest - 1) == list(range(feed.oldest, feed.head + 1))
    if feed.oldest > 1:
        with pytest.raises(Gap):
            feed.after(feed.oldest - 2)


@pytest.mark.parametrize("hold_s", [None, 25.0])
async def test_a_restart_wakes_those_who_wait_in_the_old_history(
    clock: Clock, hold_s: float | None
) -> None:
    feed = Feed()
    publish(feed, 3)
    waiting = asyncio.create_task(feed.news(3, hold_s))
    await clock.settle()
    assert not waiting.done()
    feed.restart()
    await clock.settle()
    assert waiting.done()
    assert (feed.head, feed.oldest) == (0, 1)


def test_a_message_that_has_its_id_and_stamps_keeps_them() -> None:
    feed = Feed(clock=lambda: 99)
    feed.restart("another", 6)
    message = Message(7, "ada", "hi", 4, 5)
    assert feed.enter(message).message == message
    assert next(feed.after(6)).message == message


def test_without_a_stamp_sent_is_published() -> None:
    message = Feed(clock=lambda: 5).publish(Draft("ada", "hi")).message
    assert (message.sent_ns, message.published_ns) == (5, 5)


def test_a_history_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Feed(0)


def test_epochs_differ() -> None:
    assert Feed().epoch != Feed().epoch


def test_a_cursor_of_another_epoch_is_a_gap() -> None:
    feed = Feed(epoch="new")
    with pytest.raises(Gap, match="epoch 'old' has ended, this is new"):
        feed.check(0, "old")
    feed.check(0, "new")


def test_a_cursor_beyond_the_head_is_a_gap() -> None:
    with pytest.raises(Gap, match="beyond the head"):
        Feed().after(1)


def test_a_cursor_behind_the_history_is_a_gap_that_says_where_to_read_on() -> None:
    feed = Feed(2)
    publish(feed, 4)
    with pytest.raises(Gap, match="starts at 3: read on with after=2"):
        feed.after(1)
    assert ids(feed, 2) == [3, 4]


@given(history=st.integers(1, 20), count=st.integers(0, 50), cursor=st.integers(0, 60))
def test_a_read_gives_all_that_follows_or_a_gap(history: int, count: int, cursor: int) -> None:
    feed = Feed(history)
    publish(feed, count)
    if count - history <= cursor <= count:
        assert ids(feed, cursor) == list(range(cursor + 1, count + 1))
    else:
        with pytest.raises(Gap):
            feed.after(cursor)


async def test_news_comes_at_once_when_there_is_some() -> None:
    feed = Feed()
    publish(feed, 1)
    await feed.news(0)


async def test_news_wakes_every_reader_that_waits() -> None:
    feed = Feed()
    readers = [asyncio.create_task(feed.news(0)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(reader.done() for reader in readers)
    publish(feed, 1)
    await asyncio.gather(*readers)


async def test_many_readers_are_woken_in_turns_and_others_come_in_between() -> None:
    feed = Feed()
    woken: list[int] = []

    async def read(number: int) -> None:
        await feed.news(0, 60)
        woken.append(number)

    readers = [asyncio.create_task(read(number)) for number in range(3 * TURN + 1)]
    await asyncio.sleep(0)
    publish(feed, 1)
    seen = [0]
    while len(woken) < len(readers):
        await asyncio.sleep(0)
        seen.append(len(woken))
        publish(feed, 1)  # which finds nobody who does not know yet
    assert max(after - before for before, after in pairwise(seen)) == TURN
    assert woken == list(range(len(readers)))
    await asyncio.gather(*readers)


async def test_a_fan_out_is_woken_ahead_of_those_who_hold() -> None:
    feed = Feed()
    woken: list[str] = []

    async def wait(name: str, hold_s: float | None) -> None:
        await feed.news(0, hold_s)
        woken.append(name)

    waits = [wait("poll", 60), wait("poll", 60), wait("fan-out", None)]
    tasks = [asyncio.create_task(each) for each in waits]
    await asyncio.sleep(0)
    publish(feed, 1)
    await asyncio.gather(*tasks)
    assert woken == ["fan-out", "poll", "poll"]


async def test_readers_whose_turn_has_yet_to_come_may_give_up() -> None:
    feed = Feed()
    readers = [asyncio.create_task(feed.news(0, 60)) for _ in range(2 * TURN)]
    await asyncio.sleep(0)
    publish(feed, 1)
    readers[-1].cancel()
    results = await asyncio.gather(*readers, return_exceptions=True)
    assert [isinstance(each, asyncio.CancelledError) for each in results[-2:]] == [False, True]


async def test_close_wakes_any_number_at_once() -> None:
    feed = Feed()
    readers = [asyncio.create_task(feed.news(0, 60)) for _ in range(4 * TURN)]
    await asyncio.sleep(0)
    publish(feed, 1)
    readers += [asyncio.create_task(feed.news(1, 60)) for _ in range(2 * TURN)]
    await asyncio.sleep(0)
    feed.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert all(reader.done() for reader in readers)


async def test_a_reader_that_gives_up_leaves_the_others_waiting() -> None:
    feed = Feed()
    leaver, stayer = (asyncio.create_task(feed.news(0)) for _ in range(2))
    await asyncio.sleep(0)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    assert not stayer.done()
    publish(feed, 1)
    await stayer


async def test_who_gives_up_is_not_kept() -> None:
    feed = Feed()
    for hold_s in (None, 60):
        leaver = asyncio.create_task(feed.news(0, hold_s))
        await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
    assert not feed._waiting
    assert not feed._first


async def test_a_hold_ends_without_news() -> None:
    feed = Feed()
    await feed.news(0, hold_s=0)
    assert not feed._waiting


async def test_a_reader_ahead_sleeps_through_news_it_has() -> None:
    feed = Feed()
    publish(feed, 1)
    reader = asyncio.create_task(feed.news(2))
    await asyncio.sleep(0)
    publish(feed, 1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not reader.done()
    publish(feed, 1)
    await reader


async def test_close_wakes_every_reader_for_good() -> None:
    feed = Feed()
    reader = asyncio.create_task(feed.news(0))
    await asyncio.sleep(0)
    feed.close()
    await reader
    await feed.news(0)


@dataclass
class Reader:
    """A client's side: its cursor, and what it has been given or told is gone."""

    epoch: str
    cursor: int = 0
    got: list[int] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)


class Chat(RuleBasedStateMachine):
    """Publishers, readers at any pace, a short history, and restarts that lose it."""

    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.history = 4
        self.feed = Feed(self.history)
        self.everyone: list[Reader] = []

    @rule(target=readers)
    def join(self) -> Reader:
        reader = Reader(self.feed.epoch)
        self.everyone.append(reader)
        return reader

    @rule(count=st.integers(1, 9))
    def publish(self, count: int) -> None:
        publish(self.feed, count)

    @rule(reader=readers)
    def read(self, reader: Reader) -> None:
        try:
            self.feed.check(reader.cursor, reader.epoch)
            reader.got += ids(self.feed, reader.cursor)
        except Gap:
            self.tell(reader)
        else:
            reader.cursor = self.feed.head

    def tell(self, reader: Reader) -> None:
        if reader.epoch != self.feed.epoch:
            reader.epoch, reader.cursor, reader.got, reader.gone = self.feed.epoch, 0, [], []
        missed = range(reader.cursor + 1, self.feed.oldest)
        assert reader.cursor == 0 or missed, "a gap was told where none is"
        reader.gone += missed
        reader.cursor = self.feed.oldest - 1

    @precondition(lambda self: self.feed.head)
    @rule()
    def restart(self) -> None:
        self.feed = Feed(self.history)

    @invariant()
    def every_reader_has_every_id_once_in_order_or_was_told(self) -> None:
        for reader in self.everyone:
            assert reader.got == sorted(set(reader.got))
            assert sorted(reader.got + reader.gone) == list(range(1, reader.cursor + 1))

    @invariant()
    def the_history_is_bounded(self) -> None:
        oldest = self.feed.oldest
        assert len(list(self.feed.after(oldest - 1))) == min(self.feed.head, self.history)


MANY = settings().max_examples
TestChat = Chat.TestCase
TestChat.settings = settings(max_examples=MANY if MANY > 100 else 30)  # test_delivery.py has more
