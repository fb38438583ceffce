import json
from collections.abc import Iterator, Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from demo.answers import MAX_ANSWER_BYTES, MAX_ANSWERS, Answers
from demo.feed import Entry, Feed
from demo.message import Draft, News
from demo.tally import Tally


class CountingFeed(Feed):
    """A feed that counts how often it is read, and how much of it."""

    reads = taken = 0

    def after(self, cursor: int) -> Iterator[Entry]:
        self.reads += 1
        return self._counted(super().after(cursor))

    def _counted(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self.taken += 1
            yield entry


def body(answers: Answers, cursor: int) -> bytes:
    body = answers.news(cursor, Tally()).body
    assert isinstance(body, bytes)
    return body


def test_readers_at_one_cursor_share_one_serialisation() -> None:
    feed = CountingFeed()
    answers = Answers(feed, wall=lambda: 0)
    feed.publish(Draft("ada", "hi"))
    assert body(answers, 0) is body(answers, 0)
    assert feed.reads == 1


def test_no_more_is_taken_from_a_long_history_than_goes_into_an_answer() -> None:
    feed = CountingFeed()
    for _ in range(100):
        feed.publish(Draft("ada", "x" * (MAX_ANSWER_BYTES // 10)))
    news = msgspec.json.decode(body(Answers(feed), 0), type=News)
    assert len(news.messages) == 9  # with its id and times, each is a little more than a tenth
    assert feed.taken == 10


def test_a_publish_makes_the_kept_answers_stale() -> None:
    feed = Feed()
    answers = Answers(feed)
    feed.publish(Draft("ada", "one"))
    body(answers, 0)
    feed.publish(Draft("ada", "two"))
    assert [each["text"] for each in json.loads(body(answers, 0))["messages"]] == ["one", "two"]


def test_the_kept_answers_are_bounded() -> None:
    feed = Feed()
    answers = Answers(feed, wall=lambda: 0)
    for _ in range(MAX_ANSWERS + 10):
        feed.publish(Draft("ada", "hi"))
    for cursor in range(feed.head):
        body(answers, cursor)
    assert len(answers._kept) <= MAX_ANSWERS


@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=5), skip=st.integers(0, 4))
def test_an_answer_is_the_json_of_the_contract(texts: Sequence[str], skip: int) -> None:
    feed = Feed(epoch="e1")
    for text in texts:
        feed.publish(Draft("ada", text))
    cursor = min(skip, len(texts) - 1)
    messages = tuple(entry.message for entry in feed.after(cursor))
    answer = body(Answers(feed), cursor)
    assert msgspec.json.decode(answer, type=News) == News("e1", feed.head, messages)
    assert list(json.loads(answer)) == ["epoch", "cursor", "messages"]


def test_an_answer_counts_what_it_delivers() -> None:
    feed = Feed()
    answers, tally = Answers(feed), Tally()
    feed.publish(Draft("ada", "one"))
    feed.publish(Draft("ada", "two"))
    for cursor in (0, 1, 2):
        answers.news(cursor, tally)
    assert (tally.deliveries, tally.empty) == (3, 1)


def test_long_answers_are_not_kept_for_others() -> None:
    feed = Feed()
    for _ in range(40):
        feed.publish(Draft("ada", "x" * 4000))
    answers = Answers(feed, wall=lambda: 0)
    for cursor in range(40):
        answers.news(cursor, Tally())
    assert sum(len(body) for _, body, _ in answers._kept.values()) < 16 * 65536
    assert 0 not in answers._kept
    assert 39 in answers._kept


def test_who_is_far_behind_reads_on_in_answers_of_bounded_size() -> None:
    feed = Feed()
    for _ in range(600):
        feed.publish(Draft("ada", "x" * 4000))
    answers, tally = Answers(feed), Tally()
    ids: list[int] = []
    cursor = 0
    while cursor < feed.head:
        answer = answers.news(cursor, tally).body
        assert isinstance(answer, bytes)
        assert len(answer) <= MAX_ANSWER_BYTES + 100
        news = msgspec.json.decode(answer, type=News)
        ids += [message.id for message in news.messages]
        cursor = news.cursor
    assert ids == list(range(1, 601))
    assert tally.deliveries == 600


def test_a_message_that_is_longer_than_an_answer_should_be_is_one_by_itself() -> None:
    feed = Feed()
    for _ in range(2):
        feed.publish(Draft("ada", "x" * (MAX_ANSWER_BYTES + 1)))
    assert msgspec.json.decode(body(Answers(feed), 0), type=News).cursor == 1
