"""The charts: each takes the log and its summary and returns a figure, or None. No files here."""

from collections.abc import Callable

import msgspec
import polars as pl
from matplotlib.figure import Figure

from analysis.charts.break_even import draw_break_even, draw_break_even_distance
from analysis.charts.bytes import draw_bytes
from analysis.charts.cpu import draw_cpu
from analysis.charts.empty import draw_empty
from analysis.charts.faults import draw_faults
from analysis.charts.latency import draw_latency
from analysis.charts.ledger import draw_ledger
from analysis.charts.mean_latency import draw_mean_latency
from analysis.charts.memory import draw_memory
from analysis.charts.requests import draw_requests
from analysis.charts.stall import draw_stall
from analysis.charts.timeline import draw_timeline
from analysis.charts.tradeoff import draw_tradeoff
from analysis.charts.warmup import draw_warmup
from clients.log import Log

__all__ = [
    "CHARTS",
    "Chart",
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
]


class Chart(msgspec.Struct, frozen=True):
    """A chart, the question that it answers, and two sentences that say what to see.

    how: how it is measured; limits: what it does not show
    """

    draw: Callable[[Log, pl.DataFrame], Figure | None]
    question: str
    text: str
    how: str = ""
    limits: str = ""


CHARTS: dict[str, Chart] = {
    "timeline": Chart(
        draw_timeline,
        "What happens on the wire?",
        "Each lane is one client over the same seconds: a vertical line is a message being"
        " published, an arc is a request from its start to its end, and a numbered dot is a"
        " message that has arrived. A short poll can only find what is already there, a long poll"
        " is held open until there is something to find, and a WebSocket is never asked.",
        how="One client of one trial, the same in each mode, in seconds whose waits are much like"
        " that client's mean. The modes of a trial publish on one schedule.",
        limits="A few seconds of one client illustrate; the other charts count every message of"
        " every client, or of every one that is measured where a crowd is only counted.",
    ),
    "latency": Chart(
        draw_latency,
        "How long does a message wait?",
        "A curve shows which share of the messages arrived within the time on the axis; p50 is"
        " the median, and one message in a hundred is slower than p99, which of fewer messages is"
        " about the latest. Short polling spreads its"
        " messages evenly over its interval, because a message"
        " may be published at any moment of it.",
        how="From the server's stamp at publish to the moment when the message reached the reader,"
        " by one clock, for every delivery of a message published in the window. Of a crowd that is"
        " only counted the others speak, who are spread evenly among it.",
        limits="A browser's own time to show a message is not in it, nor the publisher's way to"
        " the server.",
    ),
    "mean_latency": Chart(
        draw_mean_latency,
        "How does latency change with the setting?",
        "Each point is how late a message is on average at one setting, with what theory expects"
        " beside it where it says anything. Where a curve is level the setting does not matter to"
        " the mode.",
        how="From the server's stamp at publish to the moment when the message reached the reader;"
        " the mean over the deliveries of the window, and of that over the runs.",
        limits="A mean says nothing of the slowest: p99 stands among the figures.",
    ),
    "tradeoff": Chart(
        draw_tradeoff,
        "What does a shorter interval buy?",
        "Halving the interval halves short polling's latency and doubles its requests, so its"
        " points lie on one line. Long polling and WebSocket do not know an interval and lie off"
        " that line.",
        how="Mean latency over the deliveries of the window, and requests started in the window"
        " for each client and second; means over runs.",
        limits="A request is counted, not weighed: what one costs in bytes and CPU stands in other"
        " charts.",
    ),
    "requests": Chart(
        draw_requests,
        "How many requests does a message cost?",
        "Every request of a receiving client counts, also those that brought nothing, and the"
        " upgrade that opens a WebSocket. Below one request for a message, a response brings"
        " several messages at once.",
        how="Requests that the receiving clients put on the wire in the window, over their"
        " deliveries of the window; a WebSocket session counts whole, from upgrade to close, so its"
        " one request is shared out among the messages of the warm-up too.",
        limits="The publisher's own requests are left out: they are the same in every mode.",
    ),
    "empty": Chart(
        draw_empty,
        "How many answers are empty?",
        "An empty response tells the client only that there is no news, and costs nearly as much"
        " as a full one. Short polling has the fewer of them the more is published, and long"
        " polling has one only when a whole hold passes without news.",
        how="Responses with status 204 over all responses to polls that started in the window.",
        limits="A request that got no response is neither empty nor full, and is not counted here.",
    ),
    "bytes": Chart(
        draw_bytes,
        "Which bytes carry the message?",
        "Every byte that a receiving client wrote to its connection or read from it is shared out"
        " among the messages that it received. A poll repeats its heads for each request, while"
        " a WebSocket pays for its handshake once and for a few bytes of frame with each message.",
        how="Bytes handed to TCP and taken from it by the clients, which must equal the server's"
        " own count; shared out by what they are: heads, handshake, frames, text. Of a crowd that"
        " is only counted, those of the others. A WebSocket session counts whole, and its handshake"
        " for the messages of the warm-up too. Theory: heads as long as before the window, as often"
        " as its formulas have requests; of a WebSocket, the message and the handshake as long as"
        " they were.",
        limits="TCP/IP's own headers and acknowledgements, and TLS, come on top; a browser sends"
        " longer request heads than these clients, with cookies and its own name.",
    ),
    "ledger": Chart(
        draw_ledger,
        "What is each byte of a delivery for?",
        "One message on its way to one client is laid out byte by byte: what went up, what came"
        " down, and what each header takes of it. A poll pays for its heads each time, while a"
        " WebSocket pays for its handshake once, and then for a frame head of a few bytes.",
        how="The first client of each mode's first run keeps a copy of every byte of one exchange,"
        " of a message that came by itself if there was one; each byte is counted as one part.",
        limits="One exchange is an example: a longer address, cookies or a gateway on the way make"
        " heads longer. TCP/IP's own headers and TLS come on top.",
    ),
    "cpu": Chart(
        draw_cpu,
        "What does a message cost the server?",
        "User and system time of the server's process over the window is shared out among the"
        " deliveries of the window. It includes the publishing itself, which is the same in"
        " every mode.",
        how="The operating system's count for the server's process at both ends of the window.",
        limits="The kernel's work for sockets outside the process's own calls is not in it; and"
        " this is one server in one language.",
    ),
    "memory": Chart(
        draw_memory,
        "What does a client cost in memory?",
        "What the server's memory grew by, from before the clients connected to the end of the"
        " window, is shared out among the clients. It holds their connections and what was"
        " allocated for serving them.",
        how="The resident set of the server's process, as the operating system counts it, at both"
        " moments.",
        limits="What a process needs to serve at all, and the messages that its feed keeps, are in"
        " it, so with few clients each seems to take more. The kernel's own buffers for a socket"
        " are not.",
    ),
    "break_even": Chart(
        draw_break_even,
        "Which mode is cheapest at which rate and interval?",
        "Each map is coloured by the mode that costs least there, in server time, in bytes or in"
        " requests, and hatched where that mode delivers later than 200 ms on average. The dots"
        " are the settings that were measured without jitter and with messages at random moments,"
        " each in the colour of the mode that was cheapest: a dot whose colour differs from the"
        " map's is where the map is wrong.",
        how="Least squares over the good runs of the usual kind, without jitter and with messages"
        " at random moments, give the server time of an empty poll, a poll with"
        " news, a long poll and a push; theory says how often each happens at a rate and interval.",
        limits="A step costs less the more of them come together, so the maps hold for about as"
        " many clients as were measured. Handshakes are left out: a session is long.",
    ),
    "break_even_distance": Chart(
        draw_break_even_distance,
        "Which mode is cheapest at which rate and distance?",
        "The same maps with the round trip upward and the interval as it was set. Distance makes"
        " every poll's cycle longer, so that polls become fewer and bring more messages each,"
        " while a WebSocket's cost does not know distance, only its latency does.",
        how="As in the maps over the interval, from the same costs of the steps.",
        limits="The emulated link delays bytes and loses none, and a long poll's next request is"
        " thought to leave a fixed time after its answer.",
    ),
    "stall": Chart(
        draw_stall,
        "What does a stall of the server do, and who notices?",
        "Each message is drawn twice, above the moment at which it was meant to go out: its"
        " latency from that moment, and its latency from its publish at the server. A server that"
        " stands still publishes nothing, so only the first shows what a person would have waited.",
        how="The publisher keeps its schedule whatever the server does, and sends the intended"
        " time with each message; the server's process is stopped in the middle of the window.",
        limits="The points are those of one run, the p99 those of all; a browser that itself waits"
        " for the server would also type later.",
    ),
    "faults": Chart(
        draw_faults,
        "What does a fault cost a reader, with a cursor and without?",
        "On the left, how many messages each kind of fault cost a reader that keeps no cursor and"
        " begins anew with what is new; the title says what it cost with one. What breaks no"
        " connection costs nobody a message. On the right, how soon each reader was current again:"
        " a poll has to ask, and whoever was refused waits, longer each time, so that not all come"
        " at once.",
        how="All readers of a session share one server and one line, so the same faults meet them."
        " Messages go round the line, at random moments, with a key by which each is sent again"
        " until it is acknowledged. What a reader lost is laid to the fault under which its request"
        " failed, how soon it was current again only to faults that found it current.",
        limits="A line that swallows bytes for long, with no end to the connection, is noticed by"
        " silence alone: 45 s of a WebSocket, 30 s beyond a poll's hold. Readers are few, and"
        " faults come one at a time.",
    ),
    "warmup": Chart(
        draw_warmup,
        "Was the warm-up long enough?",
        "Latency is drawn over the time of the run, its median as a line and the middle 80 % of"
        " the deliveries as a band; only what is published in the shaded window is measured. A"
        " median that still moves there would mean that the figures depend on how long one"
        " measures.",
        how="Deliveries of all good runs, by the moment of their publish, in slices of equal"
        " length; the two halves of the window are compared by their medians.",
        limits="In a slice with few messages the median moves by chance, most of all short"
        " polling's, whose latency is spread over its whole interval.",
    ),
}
