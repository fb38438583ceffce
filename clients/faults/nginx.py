"""nginx between the line and the server, set up as docs/nginx.md has it, in a folder of its own."""

import asyncio
import os
import shutil
import socket
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from clients.server import ServerError

PLACES = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"  # where Debian has it
START_S = 10.0
LOOK_AGAIN_S = 0.02
MAIN = """
%(user)s
daemon off;
worker_processes %(workers)d;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    %(servers)s
}
"""
SERVERS = """
    map $http_upgrade $connection_of_upstream { default upgrade; '' ''; }
    upstream demo { server %(server)s; keepalive 64; }
    server {
        listen 127.0.0.1:%(port)d;
        location / {
            proxy_pass http://demo;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_of_upstream;
            proxy_set_header Host $http_host;
            proxy_buffering off;
            proxy_read_timeout 150s;
            proxy_send_timeout 150s;
            proxy_connect_timeout 2s;
        }
    }
"""


def configuration(servers: str, workers: int = 1) -> str:
    """Return what nginx is to be told so that it stays in its folder, with these servers."""
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    return MAIN % {"user": user, "workers": workers, "servers": servers}


def program() -> str:
    """Return where nginx is; raise ServerError when it is not installed."""
    found = shutil.which("nginx", path=PLACES)
    if found is None:
        raise ServerError("nginx is not installed: install it, or leave --proxy out")
    return found


@asynccontextmanager
async def before(url: str) -> AsyncIterator[str]:
    """Put nginx before the server at `url`; yield its address, and stop it at the end."""
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="nginx-") as folder:
        page = configuration(SERVERS % {"server": urlsplit(url).netloc, "port": port})
        (Path(folder) / "nginx.conf").write_text(page, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *(program(), "-p", folder, "-c", "nginx.conf", "-e", "stderr"),
            stdin=DEVNULL,
            stderr=PIPE,
            start_new_session=os.name == "posix",
        )
        try:
            await _listens(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


async def _listens(port: int, process: Process) -> None:
    """Wait until it takes connections; raise ServerError when it has ended instead."""
    try:
        async with asyncio.timeout(START_S):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(LOOK_AGAIN_S)
                else:
                    writer.close()
                    return
    except TimeoutError:
        pass
    raise ServerError("nginx did not start: try `nginx -t` to see why")


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port
