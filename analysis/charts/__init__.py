"""The charts: each takes the log and its summary and returns a figure, or None. No files here."""

from collections.abc import Callable

import msgspec
import polars as pl
from matplotlib.figure import Figure

from analysis.charts.bytes import draw_bytes
from analysis.charts.cpu import draw_cpu
from analysis.charts.empty import draw_empty
from analysis.charts.latency import draw_latency
from analysis.charts.requests import draw_requests
from analysis.charts.timeline import draw_timeline
from analysis.charts.tradeoff import draw_tradeoff
from clients.log import Log

__all__ = [
    "CHARTS",
    "Chart",
    "draw_bytes",
    "draw_cpu",
    "draw_empty",
    "draw_latency",
    "draw_requests",
    "draw_timeline",
    "draw_tradeoff",
]


class Chart(msgspec.Struct, frozen=True):
    """A chart, the question that it answers, and two sentences that explain it."""

    draw: Callable[[Log, pl.DataFrame], Figure | None]
    question: str
    text: str


CHARTS: dict[str, Chart] = {
    "timeline": Chart(
        draw_timeline,
        "What happens on the wire?",
        "Each lane is one client over the same seconds: a vertical line is a message being"
        " published, an arc is a request from its start to its end, and a numbered dot is a"
        " message that has arrived. A short poll can only find what is already there, a long poll"
        " is held open until there is something to find, and a WebSocket is never asked.",
    ),
    "latency": Chart(
        draw_latency,
        "How long does a message wait?",
        "A curve shows which share of the messages arrived within the time on the axis; p50 is"
        " the median, and one message in a hundred is slower than p99. Short polling spreads its"
        " messages evenly over its interval, because a message"
        " may be published at any moment of it.",
    ),
    "tradeoff": Chart(
        draw_tradeoff,
        "What does a shorter interval buy?",
        "Halving the interval halves short polling's latency and doubles its requests, so its"
        " points lie on one line. Long polling and WebSocket do not know an interval and lie off"
        " that line.",
    ),
    "requests": Chart(
        draw_requests,
        "How many requests does a message cost?",
        "Every request of a receiving client counts, also those that brought nothing, and the"
        " upgrade that opens a WebSocket. Below one request for a message, a response brings"
        " several messages at once.",
    ),
    "empty": Chart(
        draw_empty,
        "How many answers are empty?",
        "An empty response tells the client only that there is no news, and costs nearly as much"
        " as a full one. Short polling has the fewer of them the more is published, and long"
        " polling has one only when a whole hold passes without news.",
    ),
    "bytes": Chart(
        draw_bytes,
        "Which bytes carry the message?",
        "Every byte that a receiving client wrote to its connection or read from it is shared out"
        " among the messages that it received. A poll repeats its heads for each request, while"
        " a WebSocket pays for its handshake once and for a few bytes of frame with each message.",
    ),
    "cpu": Chart(
        draw_cpu,
        "What does a message cost the server?",
        "User and system time of the server's process over the window is shared out among the"
        " deliveries of the window. It includes the publishing itself, which is the same in"
        " every mode.",
    ),
}
