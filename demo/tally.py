"""What is counted of a mode, of publishing, of a reader, and of all the rest. No network here."""

from collections.abc import Iterable

import msgspec


class Tally(msgspec.Struct):
    """What one mode has cost since the server started.

    requests: requests begun, upgrades and refused ones included
    empty: responses that said "nothing new" (204)
    gaps: readers told that messages they had not read are gone (410 or close code 4410)
    deliveries: messages written to a reader
    bytes_in, bytes_out: bytes taken from and handed to TCP by connections in this mode
    connections: TCP connections open now, each counted under the mode of its last request
    stalled: connections cut off since their reader took nothing of a poll's answer for
        --stall-timeout-s, or less than 4 KiB/s of it, did not answer the close after a gap within
        2 s, or another within 10 s, had a WebSocket answer pings and texts and took none of the
        answers, or was owed over 1 MiB, or sent over 256 KiB ahead, over a line of the class's
    silent: WebSockets cut off since their reader did not answer a ping: 36 to 45 s after its last
        sign of life
    """

    requests: int = 0
    empty: int = 0
    gaps: int = 0
    deliveries: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    connections: int = 0
    stalled: int = 0
    silent: int = 0

    def add(self, other: "Tally") -> None:
        """Add another's counts to these."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def total(tallies: Iterable[Tally]) -> Tally:
    """Add counters up."""
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole
