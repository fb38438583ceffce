"""Print what a crowd needs as a table for a terminal, and what was taken for granted.

No figure is computed here.
"""

from collections.abc import Callable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from analysis.capacity import Amount, Need, Wish
from analysis.client_costs import ClientCosts
from analysis.modes import title
from analysis.wording import NBSP, duration, measured, percent, plain, span

MBIT = 1e6 / 8


def print_capacity(
    needs: Sequence[Need], costs: dict[str, ClientCosts], wish: Wish, console: Console
) -> None:
    """Print a column for each mode, then the assumptions."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column(f"{wish.clients:,} clients need", no_wrap=True)
    for each in needs:
        table.add_column(title(each.mode), justify="right", no_wrap=True)
    for name, cell in ROWS.items():
        table.add_row(name.format(wish=wish), *map(cell, needs))
    console.print(table)
    for line in assumptions(costs, wish, bracketed=all(each.busy_cores.ends for each in needs)):
        console.print(Padding(line, (0, 0, 0, 2)), highlight=False, markup=False)


def assumptions(costs: dict[str, ClientCosts], wish: Wish, *, bracketed: bool) -> Iterator[str]:
    """Say what was measured, what was wished for, and what is left out.

    bracketed: whether every mode's figures have intervals
    """
    for mode, each in costs.items():
        yield _measured(mode, each)
    yield f"{_asked(costs, wish)}."
    yield (
        "A step costs less the busier the server is, which then need not be woken for it, and"
        " more the more connections share its caches. Where several loads were measured, the"
        " first is accounted for, up to the busiest; the second is not. Measure near the load that"
        " you plan for."
    )
    yield (
        "A poll is taken to cost what the measured ones did, whatever share of them brought news,"
        " and a text of any size the same."
    )
    yield (
        f"Each process is busy for {percent(wish.utilisation)} of a core and serves its readers one"
        " after another: hence the latency, which a lower --utilisation shortens, and long"
        " polling's gap, after which a poll brings several messages."
    )
    yield (
        "Left out: opening and closing sessions, a WebSocket's ping every 30 s, TLS, proxies, the"
        " kernel's socket buffers, and the feed that several processes would have to share."
    )
    if bracketed:
        yield "In brackets: 95 % intervals, bootstrapped over the runs; no other error is in them."
    else:
        yield "With one run of a setting it has no interval: measure with --trials 3 or more."


def _measured(mode: str, costs: ClientCosts) -> str:
    step = "a push" if mode == "ws" else "a poll"
    load = costs.load
    waking = f", {measured(load.waking_us)}{NBSP}µs more to wake for it" if load.waking_us else ""
    line = f" over a line of {plain(costs.rtt_ms)} ms" if costs.rtt_ms else ""
    runs = f"{costs.runs} run{'s' * (costs.runs != 1)}"
    return (
        f"{title(mode)}: {measured(load.step_us)}{NBSP}µs for {step}{waking},"
        f" {measured(costs.memory_bytes / 1024)}{NBSP}KiB for a client; measured with up to"
        f" {costs.clients:,} clients{line} in {runs}, the server busy for"
        f" {span(costs.busy, percent)} of a core."
    )


def _asked(costs: dict[str, ClientCosts], wish: Wish) -> str:
    def of(name: str, mode: str = "ws") -> str:
        wished = getattr(wish, name)
        return plain(float(getattr(costs[mode], name) if wished is None else wished))

    return (
        f"Asked for: {of('rate_per_s')} messages/s of {of('payload_bytes')} bytes to everybody, a"
        f" round trip of {of('rtt_ms')} ms, short polling every {of('interval_s', 'short')} s,"
        f" long polls held for {of('hold_s', 'long')} s, servers of {wish.server_cores} cores and"
        f" {plain(wish.server_gib)} GiB"
    )


def _amount(amount: Amount) -> str:
    text = measured(amount.value)
    if amount.ends is None:
        return text
    low, high = map(measured, amount.ends)
    return f"{text} ({low})" if low == high else f"{text} ({low}\u2013{high})"


def _whole(amount: Amount) -> str:
    ends = amount.ends and tuple(f"{end:,.0f}" for end in amount.ends)
    text = f"{amount.value:,.0f}"
    return text if ends is None or ends[0] == ends[1] else f"{text} ({ends[0]}\u2013{ends[1]})"


def _bits(bytes_per_s: float) -> str:
    mbit = bytes_per_s / MBIT
    return (
        f"{measured(mbit / 1000)}{NBSP}Gbit/s" if mbit >= 1000 else f"{measured(mbit)}{NBSP}Mbit/s"
    )


ROWS: dict[str, Callable[[Need], str]] = {
    "requests/s": lambda need: measured(need.requests_per_s),
    "deliveries/s": lambda need: measured(need.deliveries_per_s),
    "connections": lambda need: f"{need.clients:,}",
    "core-seconds/s": lambda need: _amount(need.busy_cores),
    "cores at {wish.utilisation:.0%}": lambda need: _whole(need.cores),
    "memory in GiB": lambda need: _amount(need.memory_gib),
    "up, with TCP/IP": lambda need: _bits(need.up_bytes_per_s),
    "down, with TCP/IP": lambda need: _bits(need.down_bytes_per_s),
    "servers": lambda need: _whole(need.servers),
    "mean latency": lambda need: duration(need.latency_mean_s * 1e3),
}
