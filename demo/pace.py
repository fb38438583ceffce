"""How many messages a second an address may publish, and each connection of it. No network here.

Many people may be behind one address, and one of them may open many connections and flood. So half
of what an address has is divided evenly among its open connections, and the rest is for who comes
first: a flooder takes the rest, and leaves to every other connection its part. A connection saves
its part up for as long as it is open, up to a message or a second's worth, so one that is opened
for each message has none. What is saved up may go beyond the rate by a second's worth; then all of
the address wait until that is made up for.
"""

import time
from collections.abc import Callable

from demo.metering import Meter
from demo.rates import Bucket, Rate, take, wait_s

PER_S = 100.0  # from an address: of people, hundreds may be behind it
PER_S_HERE = 1000.0  # from this machine, where programs publish
PER_S_OF_CONNECTION = 50.0
DIVIDED = 0.5  # of what an address has

Clock = Callable[[], float]


class TooFast(Exception):
    """A message came too soon; `limit` is its name among the counters: see refusals.py.

    after_s: how long it takes until it would not be
    """

    def __init__(self, limit: str, line: str, after_s: float) -> None:
        super().__init__(line)
        self.limit = limit
        self.after_s = after_s


class Pace:
    """Count messages of sites (see bounds.py) and connections; of a rate, 0 is no limit.

    of_address, of_connection: messages a second; here: those from this machine, whose connections
        have no rate of their own, since all who come by a proxy may share them
    open_of: how many connections a site has open
    """

    def __init__(
        self,
        of_address: float,
        of_connection: float = 0.0,
        here: float | None = None,
        clock: Clock = time.monotonic,
        open_of: Callable[[str], int] = lambda _: 1,
    ) -> None:
        self._of_address = of_address
        self._of_connection = of_connection
        self._here = of_address if here is None else here
        self._sites = Rate(self._of_address, clock)
        self._machine = Rate(self._here, clock)
        self._clock = clock
        self._open_of = open_of

    def check(self, site: str | None, meter: Meter | None) -> None:
        """Count a message; raise TooFast. A connection that nobody counts has no meter."""
        if site is None:
            if not self._machine.take(site):
                raise _too_many_of_address(self._here, self._machine.wait_s(site))
            return
        if meter is not None:
            self._check_connection(meter)
        if not (self._sites.take(site) or (meter is not None and self._take_part(site, meter))):
            raise _too_many_of_address(self._of_address, self._wait_s(site, meter))

    def _check_connection(self, meter: Meter) -> None:
        # First: what is too much for a connection is not taken from what its address has.
        per_s = self._of_connection
        if per_s:
            taken, meter.said = take(meter.said, per_s, self._clock())
            if not taken:
                line = f"too fast: at most {per_s:g} messages a second over one connection"
                wanted_s = wait_s(meter.said, per_s, self._clock())
                raise TooFast("rate_of_connection", line, wanted_s)

    def _take_part(self, site: str, meter: Meter) -> bool:
        """Take a message of a connection's part, if it has one and its address can owe it."""
        taken, left = take(self._saved(meter), self._part_per_s(site), self._clock())
        if taken and not self._sites.owe(site):
            return False
        meter.part = left
        return taken

    def _part_per_s(self, site: str) -> float:
        return DIVIDED * self._of_address / max(1, self._open_of(site))

    def _wait_s(self, site: str, meter: Meter | None) -> float:
        """Return how long it takes until a message that was refused would not be."""
        of_site_s = self._sites.wait_s(site)
        if meter is None:
            return of_site_s
        of_part_s = wait_s(self._saved(meter), self._part_per_s(site), self._clock())
        return min(of_site_s, max(of_part_s, self._sites.owing_in_s(site)))

    def _saved(self, meter: Meter) -> Bucket:
        return meter.part or Bucket(0.0, meter.opened_s)


def _too_many_of_address(per_s: float, after_s: float) -> TooFast:
    line = f"too fast: at most {per_s:g} messages a second from one address"
    return TooFast("rate", line, after_s)
