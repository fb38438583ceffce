"""Lines of output, written by a thread: a terminal that stands still holds up nothing but lines."""

import contextlib
import os
import time
from queue import Full, Queue
from threading import Thread
from typing import TextIO

from demo.lines import printable

MOST_WAITING = 1000  # lines; when more wait to be taken, what is said then is lost
END_S = 1.0  # how long the last lines may take


class Output:
    """Write lines to `file` in the order in which they were said; to say one never blocks."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lines: Queue[bytes | None] = Queue(MOST_WAITING)
        self._thread = Thread(target=self._write_all, name="output", daemon=True)
        self._thread.start()

    def say(self, line: str) -> None:
        """Write a line when those before have been; leave it out if too many wait."""
        text = f"{printable(line)}\n".encode(self._file.encoding, "backslashreplace")
        with contextlib.suppress(Full):
            self._lines.put_nowait(text)

    def end(self) -> None:
        """Wait until all has been written, or nobody takes it."""
        until = time.monotonic() + END_S
        with contextlib.suppress(Full):
            self._lines.put(None, timeout=END_S)
            self._thread.join(max(0.0, until - time.monotonic()))

    def _write_all(self) -> None:
        while (text := self._lines.get()) is not None:
            # Not by print: what a full disk, or a reader that has gone, did not take, it would try
            # again at the exit. Nobody who asks something of the server is to suffer from that.
            with contextlib.suppress(OSError):
                while text:
                    text = text[os.write(self._file.fileno(), text) :]
