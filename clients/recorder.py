"""Collect what the clients of one run see: raw rows, nothing averaged."""

import itertools
import time

import msgspec

from clients.meter import Tap
from clients.records import Delivery, Request
from demo.message import Message


class Ledger(msgspec.Struct):
    """What bytes up and down consist of; every byte stands in exactly one place."""

    request_head_bytes: int = 0
    response_head_bytes: int = 0
    handshake_bytes: int = 0
    frame_bytes: int = 0
    body_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All of it: bytes up and bytes down."""
        return sum(msgspec.structs.astuple(self))

    def add(self, other: "Ledger") -> None:
        """Add another ledger's bytes to this one's."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Recorder:
    """The rows of one run, as they come.

    ledgers: one for each request, in the order of `requests`
    breaks: how many WebSockets broke, whose requests had been answered well
    tap: the bytes of the exchange that brought the first client a message by itself
    """

    def __init__(self, run: int) -> None:
        self.run = run
        self.requests: list[Request] = []
        self.ledgers: list[Ledger] = []
        self.deliveries: list[Delivery] = []
        self.breaks = 0
        self.tap: Tap | None = None
        self._connections = itertools.count(1)

    def next_connection(self) -> int:
        """Number a connection."""
        return next(self._connections)

    def request(self, request: Request, ledger: Ledger) -> None:
        """Log a request that has ended, however it ended."""
        self.requests.append(request)
        self.ledgers.append(ledger)

    def delivery(self, client: int, message: Message, arrived_ns: int) -> None:
        """Log a message that has just reached its reader."""
        now = time.perf_counter_ns()
        row = Delivery(
            self.run, client, message.id, message.sent_ns, message.published_ns, arrived_ns, now
        )
        self.deliveries.append(row)
