"""The columns of the project's log, contract 2, in their order; a test holds them to it."""

RUNS = (
    "run", "mode", "trial", "setting", "order", "clients", "rate_per_s", "interval_s",
    "hold_s", "rtt_ms", "jitter_ms", "kbit_per_s", "payload_bytes", "duration_s",
    "warmup_s", "schedule", "keepalive", "deflate", "stall_s", "timer", "sample_limit",
    "faults_per_s", "fault_kinds", "proxy",
    "seed", "started_utc", "window_start_ns", "window_end_ns", "first_message", "messages",
    "published", "publish_failures", "deliveries", "requests", "connections", "bytes_up",
    "bytes_down", "request_head_bytes", "response_head_bytes", "handshake_bytes",
    "frame_bytes", "body_bytes", "crowd_clients", "crowd_requests", "crowd_deliveries",
    "crowd_window_deliveries", "crowd_bytes_up", "crowd_bytes_down", "crowd_cpu_share",
    "server_cpu_s", "server_rss_before_bytes", "server_rss_bytes", "server_lag_max_ms",
    "client_cpu_share", "client_lag_p99_ms", "reader_p99_ms", "publisher_late_p99_ms",
    "link_cpu_share", "clock_apart_ms", "failures",
    "server_requests", "server_deliveries", "server_bytes_in", "server_bytes_out", "faults",
    "gaps", "lost", "duplicates", "out_of_order", "interrupted", "valid", "void_because",
)  # fmt: skip

REQUESTS = (
    "run", "client", "started_ns", "ended_ns", "status", "messages", "bytes_up",
    "bytes_down", "connection",
)  # fmt: skip

DELIVERIES = (
    "run", "client", "message", "sent_ns", "published_ns", "arrived_ns", "received_ns",
)  # fmt: skip
