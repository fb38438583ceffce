"""A room whose broadcast is a loop in C; run with the compiled c_loop.c as its argument.

It answers handshakes, and takes each read for whole texts in short masked frames: the generator's.
"""

import base64
import ctypes
import hashlib
import re
import selectors
import socket
import sys

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
send_all = ctypes.CDLL(sys.argv[1]).send_all


def accept(head: bytes) -> bytes:
    """Return the answer to a handshake."""
    found = re.search(rb"Sec-WebSocket-Key: (\S+)", head)
    key = base64.b64encode(hashlib.sha1(found[1] + GUID).digest()) if found else b""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + key + b"\r\n\r\n"
    )


def unmask(data: bytes) -> bytes:
    """Return the same short frames as a server sends them."""
    frames = b""
    while data:
        size, key = data[1] & 0x7F, data[2:6]
        text = bytes(each ^ key[i % 4] for i, each in enumerate(data[6 : 6 + size]))
        frames += bytes((data[0], size)) + text
        data = data[6 + size :]
    return frames


listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
listener.setblocking(False)
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
print(f"Listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
guests: dict[int, socket.socket] = {}
while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            guest, _ = listener.accept()
            guest.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(guest, selectors.EVENT_READ, guest)
            continue
        guest = key.data
        data = guest.recv(65536)
        if not data:
            selector.unregister(guest)
            guests.pop(guest.fileno(), None)
            guest.close()
        elif data.startswith(b"GET "):
            guest.send(accept(data))
            guests[guest.fileno()] = guest
            everyone = (ctypes.c_int * len(guests))(*guests)
        else:
            frames = unmask(data)
            send_all(everyone, len(guests), frames, len(frames))
