"""The errors that a user can mend: each message says what was wrong and what to do.

Nothing is imported here: a process that needs no more of another module need not load it.
"""


class LogError(Exception):
    """A folder cannot be used as a log; the message says why and what to do."""


class ServerError(Exception):
    """The server cannot be measured; the message says why and what to do."""
