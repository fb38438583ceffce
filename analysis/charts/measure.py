"""What a chart that compares the modes shows: a column of the summary, and how to write it."""

import msgspec

from analysis.wording import duration, figure, measured, percent


class Measure(msgspec.Struct, frozen=True):
    """A column of the summary; `theory` names the column that predicts it, if one does.

    share: it is a share of one; time: it is in milliseconds
    """

    column: str
    axis: str
    theory: str | None = None
    share: bool = False
    time: bool = False

    def write(self, value: float) -> str:
        """Write a value as its label."""
        if self.time:
            return duration(value)
        return percent(value) if self.share else measured(value)

    def tick(self, value: float) -> str:
        """Write a value as a place on a logarithmic axis."""
        return duration(value, 1) if self.time else figure(value, 1)
