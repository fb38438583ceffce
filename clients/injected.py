"""What a log has beside runs into which faults were injected. Nothing is read or written here.

Readers without a cursor have files of their own, so that no average of a mode can take in theirs.
"""

import msgspec

from clients.records import Delivery, Request

FAULTS = "faults.csv"
NAIVE_REQUESTS = "naive_requests.csv"
NAIVE_DELIVERIES = "naive_deliveries.csv"


class Fault(msgspec.Struct, frozen=True):
    """One fault that was injected into a run; runs that were measured together share it.

    kind: one of the kinds of `clients.faults.schedule`
    began_ns, ended_ns: when it began, and when all was as before: a server that was killed listens
    server_rss_bytes, server_files: memory and open files of the server's process just before;
        None of a server that is not ours
    """

    run: int
    kind: str
    began_ns: int
    ended_ns: int
    server_rss_bytes: int | None = None
    server_files: int | None = None


BESIDE: dict[str, type[msgspec.Struct]] = {
    FAULTS: Fault,
    NAIVE_REQUESTS: Request,
    NAIVE_DELIVERIES: Delivery,
}
