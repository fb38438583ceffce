"""Say where polling becomes cheaper than WebSocket, and what that rests on. Text only."""

from msgspec.structs import replace

from analysis.break_even import Point, StepCosts, cpu, crossing_rate, latency_mean_ms
from analysis.wording import duration, figure, percent, plain

RATES = (0.03, 100.0)  # messages per second that are looked at
NEAR_S, FAR_S = 0.001, 1.0  # round trips that are compared


def about(costs: StepCosts) -> str:
    """Say what a step costs the server."""
    short, long = costs.polls["short"], costs.polls["long"]
    return (
        f"measured: an empty poll {figure(short.empty_us, 2)} \u00b5s, with news"
        f" {figure(short.news_us, 2)}, a long poll {figure(long.news_us, 2)},"
        f" a push {figure(costs.push_us, 2)} (within {percent(costs.off)})"
    )


def interval_title(costs: StepCosts, here: Point) -> str:
    """Say from which rate on polling at this interval costs the server less than WebSocket."""
    at = _crossing(costs, here)
    poll = f"polling every {plain(here.interval_s)} s"
    if at is None and _is_cheaper(costs, here):
        return f"{_most()}, {poll} costs the server less than WebSocket at any rate"
    if at is None:
        return f"{_most()}, {poll} never begins to cost the server less than WebSocket"
    late = duration(latency_mean_ms(costs, "short", here))
    return (
        f"Above {figure(at, 2)} messages/s, {poll} costs the server less than WebSocket,"
        f" at a mean latency of {late}"
    )


def distance_title(costs: StepCosts, here: Point) -> str:
    """Say the same for a short and a long distance."""
    near, far = (replace(here, round_trip_s=trip) for trip in (NEAR_S, FAR_S))
    if _crossing(costs, far) is None:
        if _is_cheaper(costs, far):
            return f"{_most()}, polling costs the server less than WebSocket at any rate, far away"
        return f"{_most()}, distance alone does not make polling cheaper than WebSocket"
    return (
        f"At {duration(NEAR_S * 1e3, 1)} of round trip, polling costs the server less than"
        f" WebSocket {_from(costs, near)}; at {duration(FAR_S * 1e3, 1)}, {_from(costs, far)}"
    )


def _from(costs: StepCosts, here: Point) -> str:
    """Say at which rates polling costs the server less than WebSocket."""
    at = _crossing(costs, here)
    if at is not None:
        return f"above {figure(at, 2)} messages/s"
    return "at any rate" if _is_cheaper(costs, here) else f"at no rate up to {plain(RATES[1])}"


def _crossing(costs: StepCosts, here: Point) -> float | None:
    return crossing_rate(cpu, costs, ("short", "ws"), here, RATES)


def _is_cheaper(costs: StepCosts, here: Point) -> bool:
    """Tell whether polling costs the server less already where next to nothing is published."""
    seldom = replace(here, rate_per_s=RATES[0])
    return bool(cpu(costs, "short", seldom) < cpu(costs, "ws", seldom))


def _most() -> str:
    return f"Up to {plain(RATES[1])} messages/s"
