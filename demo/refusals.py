"""What the server's limits have refused, counted where it happened. No network here."""

import msgspec


class Refusals(msgspec.Struct):
    """How often each limit was met since the server started; `limits` of /stats.

    text: texts over --max-text-bytes (413)
    body: bodies over --max-body-bytes (413)
    sender: senders over --max-sender-characters (400)
    characters: texts and senders with control characters (400)
    rate: messages above --publish-rate (429)
    connections: connections above --max-connections (503)
    of_address: connections above --max-connections-per-address (503)
    held_of_address: long polls above --max-held-per-address (429)
    malformed: requests that were no HTTP (400)
    slow_requests: requests whose head or body took longer than --request-timeout-s (408)
    """

    text: int = 0
    body: int = 0
    sender: int = 0
    characters: int = 0
    rate: int = 0
    connections: int = 0
    of_address: int = 0
    held_of_address: int = 0
    malformed: int = 0
    slow_requests: int = 0
