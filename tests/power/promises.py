"""What a server has promised by each moment, and whether a disk has kept it. No processes here."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from demo.disk import Disk, Row
from demo.feed import Away
from demo.message import Message
from tests.power.calls import Said

PUBLISHED = re.compile(rb'\{"id":(\d+),"sender":"(\w+)","text":"([^"\\]*)"[^}]*\}')
BEGUN = re.compile(rb'\{"epoch":"(\w+)","(?:head|cursor)":\d+\}')  # anew, or what a reader is told
LONGEST = 4096  # of an answer, which may come in pieces

Text = tuple[str, str]  # of a sender


class Promises:
    """What was answered until now: an epoch, and messages of it by their ids."""

    def __init__(self) -> None:
        self.epochs: list[str] = []
        self.messages: dict[int, Text] = {}
        self._heard: dict[str, bytes] = {}

    def take(self, said: Said) -> None:
        """Read what was said: a reader's hello, the answer to a publish, or to a teacher."""
        heard = self._heard.get(said.socket, b"") + said.data
        for found in BEGUN.finditer(heard):
            epoch = found[1].decode()
            if epoch not in self.epochs:
                self.epochs.append(epoch)
                self.messages = {}
        for found in PUBLISHED.finditer(heard):
            self.messages[int(found[1])] = (found[2].decode(), found[3].decode())
        self._heard[said.socket] = BEGUN.sub(b"", PUBLISHED.sub(b"", heard))[-LONGEST:]

    def broken(self, path: Path, history: int, later: Iterable[str], sent: set[Text]) -> list[str]:
        """Open a feed's file as a server would; return what it should have and has not.

        later: epochs that were to be told, `sent`: all that was published, acknowledged or not.
        """
        disk = Disk(path)
        try:
            epoch, rows = disk.open(history)
            disk.append([_next(rows)], oldest=1)
        except Away as away:
            return [f"refused: {away}"]
        finally:
            disk.close()
        if self.epochs and epoch != self.epochs[-1]:
            if epoch in set(later) - set(self.epochs):
                return []  # the feed had begun anew, and the teacher was not told yet
            return [f"the epoch is {epoch}, and {self.epochs[-1]} was promised"]
        return [*self._missing(rows, history), *_strange(rows, sent)]

    def _missing(self, rows: list[Row], history: int) -> Iterable[str]:
        found = {message.id: (message.sender, message.text) for message, _ in rows}
        first = max([*found, *self.messages], default=0) - history + 1
        for number, promised in self.messages.items():
            if number >= first and found.get(number) != promised:
                yield f"message {number} is {found.get(number)}, and {promised} was acknowledged"


def _strange(rows: list[Row], sent: set[Text]) -> Iterable[str]:
    for text, times in Counter((message.sender, message.text) for message, _ in rows).items():
        if text not in sent or times > 1:
            yield f"{text} is there {times} times, and was {'' if text in sent else 'never '}sent"


def _next(rows: list[Row]) -> Row:
    return Message(rows[-1][0].id + 1 if rows else 1, "after", "the failure", 0, 0), None
