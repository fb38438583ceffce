"""What the server's limits have refused, counted where it happened. No network here."""

import msgspec

from demo.frames import TOO_BIG, Broken


class Refusals(msgspec.Struct):
    """How often each limit was met since the server started; `limits` of /stats.

    text: texts over --max-text-bytes (413)
    body: bodies over --max-body-bytes, and reports over --max-report-bytes (413), and frames that
        are longer than any of it (close code 1009); not those of compressed WebSockets, which are
        aiohttp's
    sender: senders over --max-sender-characters (400)
    characters: texts, senders and keys with control characters (400)
    rate: messages above --publish-rate (429)
    rate_of_connection: messages above --publish-rate-per-connection (429)
    origin: upgrades and POSTs of foreign pages (403); see --allow-origin
    host: requests for a name that is not this server's (403)
    connections: connections above --max-connections (503)
    of_address: connections above --max-connections-per-address (503)
    files: connections hung up on at once, or not even accepted, since no more files may be open
    held_of_address: long polls above --max-held-per-address (429)
    malformed: requests that were no HTTP (400), and frames that were no WebSocket's (close codes
        1002 and 1007); not those of compressed ones either
    slow_requests: requests whose head or body took longer than --request-timeout-s (408)
    idle: connections closed that asked nothing for --idle-timeout-s
    readers, readers_of_address, readers_of_connection: polls and WebSockets that brought a name
        above --max-readers, --max-readers-per-address or --max-readers-per-connection, and were
        answered as those that bring none
    readers_of_pages: the same of foreign pages
    reports: reports above 2/s of one reader (429)
    token: wrong tokens (403, or answered as those who bring none)
    rate_of_tokens: requests with a token, of addresses with more wrong ones than
        --wrong-token-rate (429)
    """

    text: int = 0
    body: int = 0
    sender: int = 0
    characters: int = 0
    rate: int = 0
    rate_of_connection: int = 0
    origin: int = 0
    host: int = 0
    connections: int = 0
    of_address: int = 0
    files: int = 0
    held_of_address: int = 0
    malformed: int = 0
    slow_requests: int = 0
    idle: int = 0
    readers: int = 0
    readers_of_address: int = 0
    readers_of_connection: int = 0
    readers_of_pages: int = 0
    reports: int = 0
    token: int = 0
    rate_of_tokens: int = 0

    def count(self, limit: str) -> None:
        """Count that a limit was met, by its name here."""
        setattr(self, limit, getattr(self, limit) + 1)

    def broken(self, broken: Broken) -> None:
        """Count a WebSocket that broke the protocol."""
        if broken.code == TOO_BIG:
            self.body += 1
        else:
            self.malformed += 1
