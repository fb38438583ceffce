"""What a measured run is, what a reader's part in it is, and what comes out. No clock here."""

from typing import Annotated

import msgspec

from demo.classroom.settings import ClassSettings, Level, Mode
from demo.tally import Tally, total

Cell = str | int | float | bool | None  # of a table


class RunRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the teacher asks for."""

    seconds: Annotated[float, msgspec.Meta(ge=5, le=300)]
    chatter: Level = "lively"


class Part(msgspec.Struct):
    """One reader's part in a run; after is None until the run has ended with it still there.

    text_bytes: that frames had brought it before; once the run has ended, during it
    """

    number: int
    mode: Mode
    before: Tally
    text_bytes: int
    after: Tally | None = None

    @property
    def spent(self) -> Tally:
        """What the reader has cost during the run."""
        assert self.after is not None
        pairs = zip(*map(msgspec.structs.astuple, (self.after, self.before)), strict=True)
        return Tally(*(after - before for after, before in pairs))


class Run(msgspec.Struct):
    """A run, and what is known of it so far.

    left_out: why the log does without it, if it does
    """

    seconds: float
    chatter: Level
    settings: ClassSettings
    started_utc: str
    started_ns: int
    ends_ns: int
    epoch: str
    first_message: int
    parts: list[Part]
    readers: frozenset[tuple[int, Mode]]
    messages: int = 0
    text_bytes: int = 0
    late_ms: list[float] = []
    faults: list[str] = []
    latency_ms: dict[str, tuple[float, int]] = {}
    ended: bool = False
    left_out: str | None = None
    result: dict[str, dict[str, float | int | None]] | None = None

    def contains(self, stamp_ns: int) -> bool:
        """Say whether something happened during the run."""
        return self.started_ns <= stamp_ns < self.ends_ns

    def of(self, mode: Mode) -> list[Part]:
        """Return the parts of the readers that read in this mode from start to end."""
        return [part for part in self.parts if part.mode == mode and part.after is not None]


def result_of(run: Run, mode: Mode) -> dict[str, float | int | None]:
    """Return the figures of a mode; None where there is nothing to tell them from."""
    spent = total([Tally(), *(part.spent for part in run.of(mode))])
    readers = len(run.of(mode))
    latency_ms, heard = run.latency_ms.get(mode, (0.0, 0))
    return {
        "requests_per_reader_minute": _per(spent.requests * 60 / run.seconds, readers),
        "latency_mean_ms": _per(latency_ms, heard),
        "bytes_per_delivery": _per(spent.bytes_in + spent.bytes_out, spent.deliveries),
        "empty_share": None if mode == "ws" else _per(spent.empty, spent.requests),
        "deliveries": spent.deliveries if readers else None,
        "readers": readers,
    }


def _per(amount: float, count: int) -> float | None:
    return amount / count if count else None
