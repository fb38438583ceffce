"""Open files: each connection is one in the server, and two in an emulated line.

A system allows a process few of them until it asks for more, and then as many as its hard limit.
"""

import contextlib
import sys

from clients.errors import ServerError
from clients.records import Settings

OTHER_FILES = 64  # of a process, beside its connections
MACOS_FILES = 10_240  # where the hard limit is none, no process gets more than OPEN_MAX


def allow_files(clients: int, *, line: bool = False) -> None:
    """Raise the limit of open files as far as so many clients need; child processes inherit it.

    line: there is an emulated line. Raises ServerError when the system does not allow as many.
    """
    needed = clients * (2 if line else 1) + OTHER_FILES
    with contextlib.suppress(ImportError):  # Windows, which has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY or soft >= needed:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        except (ValueError, OSError):
            each = ", two for each on the line, and" if line else ", and"
            raise ServerError(
                f"{clients} clients need {needed} open files in a process{each} this system "
                f"allows {hard}: use fewer --clients, or raise the limit as root with "
                f"`ulimit -n {needed}`"
            ) from None


def allow_all_files() -> None:
    """Raise the limit of open files as far as it goes: how many are needed is not known."""
    with contextlib.suppress(ImportError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = MACOS_FILES if hard == resource.RLIM_INFINITY else hard
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def most_clients() -> int:
    """How many clients a process may have connections to; sys.maxsize where there is no limit."""
    with contextlib.suppress(ImportError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY:
            return hard - OTHER_FILES
    return sys.maxsize


def has_line(settings: Settings) -> bool:
    """Say whether there is an emulated line between clients and server; faults come by one."""
    emulated = settings.rtt_ms or settings.jitter_ms or settings.kbit_per_s
    return bool(emulated or settings.faults_per_s)
