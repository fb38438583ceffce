"""Tell once when something cannot be had, and once when it can again. No network here."""

from collections.abc import Callable


class Outage:
    """What `say` has been told, such as of a log that is elsewhere than in memory."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._told = False

    def begin(self, line: str) -> None:
        """Tell that it cannot be had, unless that has been told."""
        if not self._told:
            self._told = True
            self._say(line)

    def end(self, line: str) -> None:
        """Tell that it can be had again, if anybody was told that it could not."""
        if self._told:
            self._told = False
            self._say(line)
