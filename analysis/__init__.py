"""From the log to numbers to pictures; what a notebook needs is here.

log = analysis.read(Path("runs/..."))
summary = analysis.summarise(log)
analysis.CHARTS["latency"].draw(log, summary)
"""

from analysis.charts import (
    CHARTS,
    draw_bytes,
    draw_cpu,
    draw_empty,
    draw_latency,
    draw_ledger,
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
    "draw_bytes",
    "draw_cpu",
    "draw_empty",
    "draw_latency",
    "draw_ledger",
    "draw_requests",
    "draw_stall",
    "draw_timeline",
    "draw_tradeoff",
    "draw_warmup",
    "read",
    "summarise",
    "unit_costs",
]
