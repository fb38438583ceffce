"""One attempt at a request: from the decision to ask until its row is in the log."""

import time

from clients.meter import Meter
from clients.recorder import Ledger, Recorder
from clients.records import Request


class Attempt:
    """What is known of a request while it is under way.

    status: 0 until a response comes; body_bytes: bodies, or the texts of messages
    handshake_bytes: of an upgrade, both ways, with the frames that are not messages; 0 for a poll
    """

    def __init__(self, client: int, recorder: Recorder, meter: Meter) -> None:
        self.status = 0
        self.messages = 0
        self.body_bytes = 0
        self.handshake_bytes = 0
        self._client = client
        self._recorder = recorder
        self._meter = meter
        self._started_ns = time.perf_counter_ns()
        self._up = meter.bytes_up
        self._down = meter.bytes_down

    @property
    def bytes_up(self) -> int:
        """Bytes handed to TCP since the attempt began."""
        return self._meter.bytes_up - self._up

    @property
    def bytes_down(self) -> int:
        """Bytes taken from TCP since the attempt began."""
        return self._meter.bytes_down - self._down

    def log(self) -> None:
        """Write the row, as the attempt stands now."""
        row = Request(
            run=self._recorder.run,
            client=self._client,
            started_ns=self._started_ns,
            ended_ns=time.perf_counter_ns(),
            status=self.status,
            messages=self.messages,
            bytes_up=self.bytes_up,
            bytes_down=self.bytes_down,
            connection=self._meter.connection if self.bytes_up else 0,
        )
        self._recorder.request(row, self._ledger())

    def _ledger(self) -> Ledger:
        if not self.handshake_bytes:
            return Ledger(
                request_head_bytes=self.bytes_up,
                response_head_bytes=self.bytes_down - self.body_bytes,
                body_bytes=self.body_bytes,
            )
        total = self.bytes_up + self.bytes_down
        return Ledger(
            handshake_bytes=self.handshake_bytes,
            frame_bytes=total - self.handshake_bytes - self.body_bytes,
            body_bytes=self.body_bytes,
        )
