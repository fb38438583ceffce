"""What a chart that compares the modes shows: a column of the summary, and how to write it."""

import msgspec

from analysis.wording import measured, percent


class Measure(msgspec.Struct, frozen=True):
    """A column of the summary; `theory` names the column that predicts it, if one does."""

    column: str
    axis: str
    theory: str | None = None
    share: bool = False

    def write(self, value: float) -> str:
        """Write a value as its label."""
        return percent(value) if self.share else measured(value)
