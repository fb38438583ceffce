"""What the article prints, to the letter. Data only.

Source: Peter Lubbers and Frank Greco, "HTML5 Web Sockets: A Quantum Leap in Scalability for the
Web" (2010): examples 2 and 3, and the use cases A, B and C.

The headers have 871 characters, as the article counts, and so do these. On the wire each of the 17
lines ends in two bytes more, and each head in another two: 909. The article's Mbps are 2^20 bits.
"""

import msgspec

REQUEST = (
    "GET /PollingStock//PollingStock HTTP/1.1",
    "Host: localhost:8080",
    (
        "User-Agent: Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US; rv:1.9.1.5) "
        "Gecko/20091102 Firefox/3.5.5"
    ),
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-us",
    "Accept-Encoding: gzip,deflate",
    "Accept-Charset: ISO-8859-1,utf-8;q=0.7,*;q=0.7",
    "Keep-Alive: 300",
    "Connection: keep-alive",
    "Referer: http://www.example.com/PollingStock/",
    (
        "Cookie: showInheritedConstant=false; showInheritedProtectedConstant=false; "
        "showInheritedProperty=false; showInheritedProtectedProperty=false; "
        "showInheritedMethod=false; showInheritedProtectedMethod=false; "
        "showInheritedEvent=false; showInheritedStyle=false; showInheritedEffect=false"
    ),
)
RESPONSE = (
    "HTTP/1.x 200 OK",  # as the browser's extension printed it; HTTP/1.1 is as long
    "X-Powered-By: Servlet/2.5",
    "Server: Sun Java System Application Server 9.1_02",
    "Content-Type: text/html;charset=UTF-8",
    "Content-Length: 21",
    "Date: Sat, 07 Nov 2009 00:32:46 GMT",
)
BODY = b"GOOG 551.10 +2.53 0.5"  # 21 bytes: "about 20 characters long", it says

POLL_CHARACTERS = sum(map(len, (*REQUEST, *RESPONSE)))
FRAME_BYTES = 2  # of overhead for each message, it says
MBPS = 2**20


class UseCase(msgspec.Struct, frozen=True):
    """What the article says of so many clients, each of which gets a message a second."""

    clients: int
    polling_mbps: float
    websocket_mbps: float


USE_CASES = (
    UseCase(1_000, 6.6, 0.015),
    UseCase(10_000, 66, 0.153),
    UseCase(100_000, 665, 1.526),
)


def wire(lines: tuple[str, ...]) -> bytes:
    """Return a head as it is on the wire, with its line ends and the empty line."""
    return "\r\n".join((*lines, "", "")).encode("ascii")
