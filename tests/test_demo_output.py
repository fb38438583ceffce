"""Lines of output: whoever reads them, slowly or not at all, nobody who says one waits."""

import os
from collections.abc import Iterator
from typing import TextIO

import pytest

from demo import output
from demo.output import Output

Pipe = tuple[TextIO, TextIO]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe's end to read from, and its end to write to."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as reader, os.fdopen(writing, "w") as writer:
        yield reader, writer


def test_all_lines_are_written_in_order_before_the_end(pipe: Pipe) -> None:
    reader, writer = pipe
    said = Output(writer)
    for number in range(100):
        said.say(f"{number} \x1b")
    said.end()
    assert [reader.readline() for _ in range(100)] == [f"{n} \\x1b\n" for n in range(100)]


def test_a_pipe_that_nobody_reads_holds_up_neither_who_speaks_nor_the_end(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "END_S", 0.01)
    monkeypatch.setattr(output, "MOST_WAITING", 10)
    reader, writer = pipe
    said = Output(writer)
    for _ in range(100):
        said.say("x" * 10_000)  # a pipe holds 64 KiB
    said.end()
    assert said._thread.is_alive()
    monkeypatch.undo()
    reader.close()
    said.end()
    assert not said._thread.is_alive()


def test_a_reader_that_has_gone_is_no_error(pipe: Pipe) -> None:
    reader, writer = pipe
    reader.close()
    said = Output(writer)
    said.say("lost")
    said.end()
    assert not said._thread.is_alive()
