import json
from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from demo.answers import MAX_ANSWERS, Answers
from demo.feed import Entry, Feed
from demo.message import Draft, News
from demo.stats import Tally


class CountingFeed(Feed):
    """A feed that counts how often it is read."""

    reads = 0

    def after(self, cursor: int) -> list[Entry]:
        self.reads += 1
        return super().after(cursor)


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
    assert sum(len(body) for _, body in answers._kept.values()) < 16 * 65536
    assert 0 not in answers._kept
    assert 39 in answers._kept
