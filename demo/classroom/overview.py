"""The class at a glance: rates, latency and clock error of the readers that report, by mode."""

import asyncio
from collections.abc import Iterator, Sequence

from demo.classroom.lanes import MODES, PRESENT_S, Lane, Lanes
from demo.classroom.reports import Reports
from demo.classroom.settings import Mode
from demo.tally import Tally

Figures = dict[str, float | int | None]


class Overview:
    """Sum up what the readers of each mode have done in the last 10 s."""

    def __init__(self, lanes: Lanes, reports: Reports) -> None:
        self._lanes = lanes
        self._reports = reports

    def modes(self) -> dict[Mode, Figures]:
        """Return the figures of each mode; None where there is nothing to tell them from."""
        present = self._lanes.present()
        by_mode = {mode: [lane for lane in present if lane.mode == mode] for mode in MODES}
        return {mode: self._figures(mode, lanes) for mode, lanes in by_mode.items()}

    def _figures(self, mode: Mode, lanes: list[Lane]) -> Figures:
        latencies = sorted(self._recent(mode))
        errors = sorted(lane.clock_error_ms for lane in lanes if lane.clock_error_ms is not None)
        return {
            "readers": len(lanes),
            **_rates(mode, lanes),
            "latency_p50_ms": _quantile(latencies, 0.5),
            "latency_p90_ms": _quantile(latencies, 0.9),
            "latency_max_ms": _quantile(latencies, 1.0),
            "clock_error_ms": _quantile(errors, 0.9),
        }

    def _recent(self, mode: Mode) -> Iterator[float]:
        since = asyncio.get_running_loop().time() - PRESENT_S
        for reported_s, latency_ms in reversed(self._reports.latencies_ms[mode]):
            if reported_s < since:
                return
            yield latency_ms


def _rates(mode: Mode, lanes: list[Lane]) -> Figures:
    now = asyncio.get_running_loop().time()
    requests = messages = sent = 0.0
    responses = empty = timed = 0
    for lane in lanes:
        first = _first_sample(lane, mode, now)
        if first is None:
            continue
        then, before = first
        tally, seconds = lane.tallies[mode], now - then
        timed += 1
        requests += (tally.requests - before.requests) / seconds
        messages += (tally.deliveries - before.deliveries) / seconds
        sent += (_bytes(tally) - _bytes(before)) / seconds
        responses += tally.requests - before.requests
        empty += tally.empty - before.empty
    return {
        "requests_per_s": requests if timed else None,
        "messages_per_s": messages if timed else None,
        "bytes_per_s": sent if timed else None,
        "empty_share": empty / responses if responses and mode != "ws" else None,
    }


def _first_sample(lane: Lane, mode: Mode, now: float) -> tuple[float, Tally] | None:
    """Return a reader's counters of about 10 s ago: its first report in that time."""
    for then, of, tally in lane.samples:
        if of == mode and 1.0 <= now - then <= PRESENT_S + 2:
            return then, tally
    return None


def _bytes(tally: Tally) -> int:
    return tally.bytes_in + tally.bytes_out


def _quantile(ordered: Sequence[float], share: float) -> float | None:
    return ordered[round(share * (len(ordered) - 1))] if ordered else None
