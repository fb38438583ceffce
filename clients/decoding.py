"""What a server says, read: one decoder for each kind of answer. No network here.

Each raises ValueError when it is something else.
"""

import msgspec

from demo.message import GapNotice, Hello, Message, News

read_news = msgspec.json.Decoder(News).decode
read_gap = msgspec.json.Decoder(GapNotice).decode
read_message = msgspec.json.Decoder(Message).decode
_read_hello = msgspec.json.Decoder(Hello).decode


def read_notice(body: bytes) -> GapNotice | Hello:
    """Read what a frame says that is not a message."""
    try:
        return read_gap(body)
    except msgspec.ValidationError:
        return _read_hello(body)
