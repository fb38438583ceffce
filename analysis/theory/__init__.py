"""What each mode should cost, from first principles. No measurement here, and no I/O.

Latency counts from publish at the server. MEASURING.md's derivations, in the letters of `Case`;
each formula is held against a simulation in `tests/test_analysis_theory*.py`.
"""

from typing import Protocol

from analysis.theory import long_polling, short_polling, websocket
from analysis.theory.case import Case, Floats

__all__ = ["MODES", "Case", "Floats", "Theory"]


class Theory(Protocol):
    """What each mode's module answers."""

    def latency_mean_s(self, case: Case) -> float:
        """Return the mean latency."""

    def latency_quantile_s(self, case: Case, share: float) -> float:
        """Return the latency that `share` of deliveries stay within."""

    def latency_cdf(self, case: Case, latency_s: Floats) -> Floats:
        """Return the share of deliveries within each latency."""

    def requests_per_client_s(self, case: Case) -> float:
        """Return requests per client and second."""

    def empty_share(self, case: Case) -> float:
        """Return empty responses / responses."""


MODES: dict[str, Theory] = {
    "short": short_polling,
    "long": long_polling,
    "ws": websocket,
}
