"""Open files: each connection is one, and a process is allowed few until it asks for more."""

import contextlib
import errno
import os

STDERR = 2
NO_FILES = frozenset({errno.EMFILE, errno.ENFILE})
SPARE = 8  # files that connections leave to pages, the feed's file and the like
MACOS_FILES = 10_240  # where the hard limit is none, no process gets more than OPEN_MAX


def allow_files() -> None:
    """Raise the limit of open files as far as the system lets this process; how far, it keeps."""
    with contextlib.suppress(ImportError):  # Windows, which has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = MACOS_FILES if hard == resource.RLIM_INFINITY else hard
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def are_scarce() -> bool:
    """Say whether this process may open only a few files more.

    The system gives out the lowest number that is free, so one look tells, and a transport need not
    be asked for its socket, which it would keep an object for.
    """
    try:
        import resource
    except ImportError:
        return False
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        number = os.dup(STDERR)
    except OSError as error:
        return error.errno in NO_FILES
    os.close(number)
    return soft != resource.RLIM_INFINITY and number >= soft - SPARE
