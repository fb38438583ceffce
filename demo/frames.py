"""WebSocket text frames as a server sends them: unmasked, in one piece. No network here.

Source: RFC 6455, section 5.2. aiohttp builds the same bytes, but once for every recipient; the
feed builds them once for all.
"""

from struct import pack

TEXT = 0x81  # FIN set, opcode 1


def text_frame(payload: bytes) -> bytes:
    """Frame `payload`, which must be UTF-8, with the shortest of the three length forms."""
    size = len(payload)
    if size <= 125:
        head = pack("!BB", TEXT, size)
    elif size <= 0xFFFF:
        head = pack("!BBH", TEXT, 126, size)
    else:
        head = pack("!BBQ", TEXT, 127, size)
    return head + payload
