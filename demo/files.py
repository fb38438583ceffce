"""Open files: each connection is one, and a process is allowed few until it asks for more."""

import contextlib

MACOS_FILES = 10_240  # where the hard limit is none, no process gets more than OPEN_MAX


def allow_files() -> None:
    """Raise the limit of open files as far as the system lets this process; how far, it keeps."""
    with contextlib.suppress(ImportError):  # Windows, which has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = MACOS_FILES if hard == resource.RLIM_INFINITY else hard
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
