"""Say in a few lines what became of a session's readers, and of its server. No network here."""

from clients.checks import Continuity, continuity
from clients.modes import MODES
from clients.plan import Outcome

MIB = 2**20


def remarks(outcome: Outcome, ids: range) -> tuple[str, ...]:
    """Return the lines of a run whose messages are `ids`: readers with a cursor, and without."""
    plan, clients = outcome.plan, outcome.plan.settings.clients
    naive = continuity(outcome.naive.deliveries, clients, ids)
    name = MODES[plan.mode].name
    with_cursor = told(Continuity(*(outcome.facts[each] for each in COUNTED)))
    gaps = outcome.facts["gaps"]
    return (
        f"{name}: {len(outcome.faults)} faults, {len(ids)} messages to each of {clients} readers",
        f"  with a cursor {with_cursor}, {gaps} gaps told; without {told(naive)}",
        f"  {asked(outcome)}",
    )


def told(seen: Continuity) -> str:
    """Put into words how far all came once and in order."""
    return f"{seen.lost} lost, {seen.duplicates} twice, {seen.out_of_order} out of order"


def asked(outcome: Outcome) -> str:
    """Say how many requests it took, with those that found nobody."""
    with_cursor, without = outcome.recorder.requests, outcome.naive.requests
    return f"{len(with_cursor)} requests, {len(without)} without a cursor"


def held(outcome: Outcome) -> tuple[str, ...]:
    """Say what the server held at the first fault, and at the last."""
    known = [fault for fault in outcome.faults if fault.server_rss_bytes is not None]
    if not known:
        return ()
    first, last = (
        f"{(fault.server_rss_bytes or 0) / MIB:.1f} MiB and {fault.server_files} open files"
        for fault in (known[0], known[-1])
    )
    return (f"the server had {first} at the first fault, {last} at the last",)


COUNTED = ("lost", "duplicates", "out_of_order")
