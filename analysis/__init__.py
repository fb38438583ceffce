"""From the log to numbers to pictures; what a notebook needs is here.

from analysis import CHARTS, read, summarise

log = read(Path("runs/20260102T030405-quick"))
summary = summarise(log)
CHARTS["latency"].draw(log, summary)

A chart is a `matplotlib.figure.Figure`, which a notebook shows after `%matplotlib inline`; it is
None when the log holds nothing for it to show.
"""

from analysis.charts import (
    CHARTS,
    draw_break_even,
    draw_break_even_distance,
    draw_bytes,
    draw_cpu,
    draw_empty,
    draw_faults,
    draw_latency,
    draw_ledger,
    draw_mean_latency,
    draw_memory,
    draw_requests,
    draw_stall,
    draw_timeline,
    draw_tradeoff,
    draw_warmup,
)
from analysis.drawing import draw
from analysis.summary import summarise
from analysis.unit_costs import unit_costs
from clients.log import LogError, read

__all__ = [
    "CHARTS",
    "LogError",
    "draw",
    "draw_break_even",
    "draw_break_even_distance",
    "draw_bytes",
    "draw_cpu",
    "draw_empty",
    "draw_faults",
    "draw_latency",
    "draw_ledger",
    "draw_mean_latency",
    "draw_memory",
    "draw_requests",
    "draw_stall",
    "draw_timeline",
    "draw_tradeoff",
    "draw_warmup",
    "read",
    "summarise",
    "unit_costs",
]
