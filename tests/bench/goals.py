"""What the demo should reach beside the others."""

from tests.bench import fanout, memory, polls
from tests.bench.results import Goal

MANY = 10_000


def wanted() -> list[Goal]:
    """Return every goal, in the order of the tables."""

    def fan(server: str, in_flight: int, sockets: int = 1000) -> tuple[str, str, str]:
        return fanout.FAN_OUT, fanout.setting(sockets, in_flight), server

    def over(rival: str, in_flight: int, limit: float) -> Goal:
        what = f"deliveries/s over {rival}'s, {in_flight} in flight"
        return Goal(what, fan("room", in_flight), fan(rival, in_flight), limit, at_least=True)

    paced, waiting = "1,000 sockets, 10 texts/s", f"{memory.MORE:,} more"
    asking, holding = f"{polls.ASKING} connections", f"{polls.HOLDING:,} connections"
    late = [(fanout.LATENCY, paced, name) for name in ("room", "node")]
    short = [(polls.SHORT, asking, name) for name in ("feed", "aiohttp")]
    return [
        *(over("node", count, limit) for count, limit in ((1, 1.8), (4, 5), (16, 18))),
        *(over("nchan", count, limit) for count, limit in ((1, 1), (4, 3), (16, 10))),
        over("c-loop", 1, 0.75),
        Goal("p99 latency over node's", late[0], late[1], 0.7, at_least=False),
        Goal("short polls/s over a bare handler's", short[0], short[1], 0.9, at_least=True),
        Goal(
            "CPU of a wake and re-arm over a bare request's",
            (polls.HELD, holding, "feed"),
            short[1],
            1.6,
            at_least=False,
            cpu=True,
        ),
        Goal("KiB of an idle WebSocket", (memory.SOCKETS, waiting, "feed"), None, 9, False),
        Goal(
            "CPU of a delivery, 10,000 sockets over 1,000",
            fan("room", 1, MANY),
            fan("room", 1),
            1.25,
            at_least=False,
            cpu=True,
        ),
    ]
