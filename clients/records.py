"""The records of a log: what each file holds, field by field. Nothing is read or written here."""

from typing import Any

import msgspec

EXPERIMENT = "experiment.json"
RUNS = "runs.csv"
REQUESTS = "requests.csv"
DELIVERIES = "deliveries.csv"
WIRE = "wire.json"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one run is to be: who reads, how often something is published, for how long.

    rtt_ms, jitter_ms, kbit_per_s: the emulated line between clients and server; 0 is none
    schedule: how messages are spaced, "poisson" or "periodic"
    keepalive: polls share a connection; deflate: WebSockets compress
    stall_s: for so long the server's process is stopped in the middle of the window
    timer: what short polling's interval is counted from: "after" the response, or a fixed "grid"
    sample_limit: so many clients at most are measured; the rest of a crowd is counted
    faults_per_s: so many faults are injected into the window; fault_kinds: of these kinds, with
        commas between them, or of all. All modes are then measured at once, and beside each reader
        one that keeps no cursor
    proxy: what stands between the line and the server, "nginx" or nothing
    """

    clients: int
    rate_per_s: float
    interval_s: float
    hold_s: float
    rtt_ms: float = 0.0
    jitter_ms: float = 0.0
    kbit_per_s: float = 0.0
    payload_bytes: int = 64
    duration_s: float
    warmup_s: float
    schedule: str = "poisson"
    keepalive: bool = True
    deflate: bool = False
    stall_s: float = 0.0
    timer: str = "after"
    sample_limit: int = 100
    faults_per_s: float = 0.0
    fault_kinds: str = ""
    proxy: str = ""

    @property
    def longest_round_trip_s(self) -> float:
        """How long something and its answer are on the line, apart from waits for bandwidth."""
        return (self.rtt_ms + 2 * self.jitter_ms) / 1e3


class Request(msgspec.Struct, frozen=True):
    """One request of one client; a WebSocket session is one request, from upgrade to close.

    status: the HTTP status, 0 when no response came
    messages: messages that its response, or its session, brought
    connection: which of the run's TCP connections carried it, 0 when none could be opened
    """

    run: int
    client: int
    started_ns: int
    ended_ns: int
    status: int
    messages: int
    bytes_up: int
    bytes_down: int
    connection: int


class Delivery(msgspec.Struct, frozen=True):
    """One message reaching one client.

    sent_ns: when the publisher meant to send it
    published_ns: when it entered the feed
    arrived_ns: when its last byte reached the client's process
    received_ns: when it reached the reader
    """

    run: int
    client: int
    message: int
    sent_ns: int
    published_ns: int
    arrived_ns: int
    received_ns: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run: a fresh server, one mode, one setting; and what was seen of it from outside.

    Figures that were not measured are None, and empty in the file.

    setting: number of the setting within the scenario, from 0; order: place in the experiment
    window_start_ns, window_end_ns: what lies before is warm-up, what lies after is draining.
        Warm-up messages are evenly spaced on an idle server, so they give the unit costs
    messages: messages meant for the window, with consecutive ids from first_message on
    published: messages published in all; publish_failures: publishes that were not answered 201
    deliveries, requests, connections, bytes_up, bytes_down: the counts of all clients, whole run
    crowd_clients: so many of the clients are only counted, by bare readers in other processes, and
        have no rows in the other files; crowd_requests, crowd_deliveries, crowd_bytes_up,
        crowd_bytes_down: their part of the counts, None when the run ended before they reported
    crowd_window_deliveries: to them, of the messages meant for the window
    crowd_cpu_share: as client_cpu_share, of the busiest process that they are in
    request_head_bytes, response_head_bytes, handshake_bytes, frame_bytes, body_bytes: what the
        bytes of the measured requests of the window (a WebSocket's session whole) consist of. The
        upgrade, the 101 and the frames that are not messages are handshake; frame heads, masks,
        pings and closes are frames; a poll's body, and a frame's text, are body
    server_cpu_s: user and system time of the server over the window; None when it also served
        readers in another mode
    server_rss_before_bytes, server_rss_bytes: before the clients connected, and at the window's
        end. The first is None of a server that was there before: it has memory of earlier readers
        to give out again
    server_lag_max_ms: by how much the server's event loop was late at most, over its last 10 s
    client_cpu_share: CPU time of the measuring process over the window / the window
    reader_p99_ms: from a message's arrival in the measuring process to its reader
    client_lag_p99_ms: by how much its event loop was late; publisher_late_p99_ms: likewise
    link_cpu_share: as client_cpu_share, of the emulated line's process, where there is one
    clock_apart_ms: by how much the server's stamps lie outside the times between which a message
        was published, at most; not 0 where the server runs on another machine
    failures: requests that failed, or were answered as no reader's should be, and WebSockets that
        broke; one that the server closed is none
    server_requests, server_deliveries, server_bytes_in, server_bytes_out: the server's own counts
    faults: how many were injected; gaps: how often its readers were told that messages are gone
    lost, duplicates, out_of_order: against the ids published, over the whole run
    interrupted: the run was ended before its time
    valid: every check held; void_because: which did not, in words
    """

    run: int
    mode: str
    trial: int
    setting: int
    order: int
    clients: int
    rate_per_s: float
    interval_s: float
    hold_s: float
    rtt_ms: float
    jitter_ms: float = 0.0
    kbit_per_s: float = 0.0
    payload_bytes: int
    duration_s: float
    warmup_s: float
    schedule: str
    keepalive: bool = True
    deflate: bool = False
    stall_s: float = 0.0
    timer: str = "after"
    sample_limit: int = 100
    faults_per_s: float = 0.0
    fault_kinds: str = ""
    proxy: str = ""
    seed: int
    started_utc: str
    window_start_ns: int | None = None
    window_end_ns: int | None = None
    first_message: int | None = None
    messages: int | None = None
    published: int = 0
    publish_failures: int = 0
    deliveries: int = 0
    requests: int = 0
    connections: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    request_head_bytes: int = 0
    response_head_bytes: int = 0
    handshake_bytes: int = 0
    frame_bytes: int = 0
    body_bytes: int = 0
    crowd_clients: int = 0
    crowd_requests: int | None = 0
    crowd_deliveries: int | None = 0
    crowd_window_deliveries: int | None = 0
    crowd_bytes_up: int | None = 0
    crowd_bytes_down: int | None = 0
    crowd_cpu_share: float | None = None
    server_cpu_s: float | None = None
    server_rss_before_bytes: int | None = None
    server_rss_bytes: int | None = None
    server_lag_max_ms: float | None = None
    client_cpu_share: float | None = None
    client_lag_p99_ms: float | None = None
    reader_p99_ms: float | None = None
    publisher_late_p99_ms: float | None = None
    link_cpu_share: float | None = None
    clock_apart_ms: float | None = None
    failures: int = 0
    server_requests: int | None = None
    server_deliveries: int | None = None
    server_bytes_in: int | None = None
    server_bytes_out: int | None = None
    faults: int = 0
    gaps: int = 0
    lost: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    interrupted: bool = False
    valid: bool = False
    void_because: str = ""


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment set out to do, where and with what."""

    scenario: str
    question: str
    modes: tuple[str, ...]
    settings: tuple[Settings, ...]
    trials: int
    seed: int
    url: str | None
    started_utc: str
    machine: dict[str, Any]
    versions: dict[str, str]
    clock_resolution_ns: float
    finished: bool = False
    expected: str = ""
    source: str = ""


class Exchange(msgspec.Struct, frozen=True):
    """All bytes of one delivered message, up and down, each byte one character (Latin-1).

    Of a poll: the request and its answer; of a WebSocket: from the upgrade to the first message.
    """

    up: str
    down: str


FILES: dict[type[msgspec.Struct], str] = {Run: RUNS, Request: REQUESTS, Delivery: DELIVERIES}
