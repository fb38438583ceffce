"""Which run is to be made, and what is known of it so far. No network here."""

import math
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import msgspec

from clients.attendance import Attendance
from clients.checks import reasons
from clients.follower import Census
from clients.injected import Fault
from clients.instrument import quantile
from clients.joining import Tally
from clients.pace import Pace, make_pace
from clients.recorder import Ledger, Recorder
from clients.records import Delivery, Request, Run, Settings
from clients.schedule import Schedule, make_schedule

WORKER_SIZE = 5_000  # readers of a crowd that one process counts


class Plan(msgspec.Struct, frozen=True):
    """Which run of an experiment this is. Runs of a trial and rate share one publish schedule.

    together: how many runs are measured at once, this one among them
    """

    run: int
    mode: str
    trial: int
    setting: int
    order: int
    settings: Settings
    seed: int
    together: int = 1

    @property
    def schedule(self) -> Schedule:
        """When to publish: the same for every mode of a trial, and every setting of one rate."""
        return make_schedule(self.settings, f"{self.seed}/{self.trial}")

    def pace(self, client: int) -> Pace:
        """How one client paces itself; whenever the run is repeated, the same."""
        return make_pace(self.settings, self.name, client)

    @property
    def name(self) -> str:
        """What random things of this run are drawn from: the experiment's seed, and its number."""
        return f"{self.seed}/{self.run}"

    @property
    def connections(self) -> int:
        """How many are open at once; where faults come, also of readers without a cursor."""
        clients = self.settings.clients
        return 2 * self.together * clients if self.settings.faults_per_s else clients

    @property
    def sampled(self) -> int:
        """How many of the clients are measured one by one; the others are counted."""
        clients, limit = self.settings.clients, self.settings.sample_limit
        counted = not self.settings.deflate and not self.settings.faults_per_s
        return min(clients, limit) if counted else clients  # counting reads plainly, and stays

    @property
    def crowd(self) -> int:
        """How many of the clients are counted."""
        return self.settings.clients - self.sampled

    @property
    def shares(self) -> list[tuple[int, int]]:
        """Whom each worker of the crowd counts: the first and the last of its clients."""
        workers = math.ceil(self.crowd / WORKER_SIZE)
        ends = [self.sampled + self.crowd * n // (workers or 1) for n in range(workers + 1)]
        return [(before + 1, last) for before, last in pairwise(ends)]


class Outcome:
    """What is known of a run so far; `rows` can be written at any time, and are never less."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.recorder = Recorder(plan.run)
        self.naive = Recorder(plan.run)  # of the readers without a cursor, where faults come
        self.faults: list[Fault] = []
        self.facts: dict[str, Any] = {"interrupted": True}
        self.attendance = Attendance(plan.settings.clients)
        self.census: Census | None = None if plan.crowd else Census(Tally())
        self.trouble = ""  # what went wrong beside the checks
        self.remarks: tuple[str, ...] = ()
        self._started = datetime.now(UTC)

    def rows(self) -> tuple[Run, list[Request], list[Delivery]]:
        """Return the run's row, with its verdict, and the rows of its events."""
        run = Run(
            **{name: getattr(self.plan, name) for name in PLANNED},
            **msgspec.structs.asdict(self.plan.settings),
            started_utc=self._started.isoformat(timespec="seconds"),
            **self._totals(self.census or Census(Tally())),
            **self._crowd(),
            **self.facts,
        )
        void = [*filter(None, [self.trouble]), *reasons(run)]
        run = msgspec.structs.replace(run, valid=not void, void_because="; ".join(void))
        return run, self.recorder.requests, self.recorder.deliveries

    def _totals(self, census: Census) -> dict[str, Any]:
        rows = self.recorder.requests
        requests = [row for row in rows if row.bytes_up]
        failed = sum(row.status not in ANSWERS for row in rows)
        crowd = census.tally
        return {
            "requests": crowd.requests + len(requests),
            "deliveries": census.deliveries + len(self.recorder.deliveries),
            "failures": crowd.failures + failed + self.recorder.breaks,
            "connections": crowd.connections + len({row.connection for row in requests}),
            "bytes_up": crowd.bytes_up + sum(row.bytes_up for row in requests),
            "bytes_down": crowd.bytes_down + sum(row.bytes_down for row in requests),
            "reader_p99_ms": quantile(self._reading_ms(), 0.99),
            **msgspec.structs.asdict(self._ledger()),
        }

    def _reading_ms(self) -> list[float]:
        rows = self.recorder.deliveries
        return [(row.received_ns - row.arrived_ns) / 1e6 for row in rows]

    def _crowd(self) -> dict[str, Any]:
        if self.census is None:  # the run ended before the crowd had reported
            return {"crowd_clients": self.plan.crowd, **dict.fromkeys(CROWD)}
        first, count = self.facts.get("first_message") or 0, self.facts.get("messages") or 0
        return {
            "crowd_clients": self.plan.crowd,
            "crowd_requests": self.census.tally.requests,
            "crowd_deliveries": self.census.deliveries,
            "crowd_window_deliveries": self.census.among(range(first, first + count)),
            "crowd_bytes_up": self.census.tally.bytes_up,
            "crowd_bytes_down": self.census.tally.bytes_down,
        }

    def _ledger(self) -> Ledger:
        # Of the requests that the window counts; a WebSocket's session counts whole.
        start, end = self.facts.get("window_start_ns", 0), self.facts.get("window_end_ns", 0)
        total = Ledger()
        for row, ledger in zip(self.recorder.requests, self.recorder.ledgers, strict=True):
            if row.status == 101 or start <= row.started_ns < end:
                total.add(ledger)
        return total


ANSWERS = (101, 200, 204, 410)  # as a reader may be answered
PLANNED = ("run", "mode", "trial", "setting", "order", "seed")
CROWD = (
    "crowd_requests",
    "crowd_deliveries",
    "crowd_window_deliveries",
    "crowd_bytes_up",
    "crowd_bytes_down",
)
