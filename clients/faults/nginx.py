"""nginx between the line and the server, set up as docs/nginx.md has it, in a folder of its own."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from clients.errors import ServerError
from clients.processes import LISTENING, START_TIMEOUT_S, child

PLACES = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"  # where Debian has it
FRONT = "clients.faults.front"
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
async def before(url: str) -> AsyncIterator[tuple[str, Process]]:
    """Put nginx before the server at `url`; yield its address, and the process that keeps it."""
    # Made here, as a front that is killed removes nothing.
    with tempfile.TemporaryDirectory(prefix="nginx-", ignore_cleanup_errors=True) as folder:
        async with child(FRONT, url, folder) as process:
            said = await _first_words(process)
            if not said.startswith(LISTENING):
                raise ServerError(f"nginx did not start: {said or 'it does not say why'}")
            yield said.removeprefix(LISTENING), process


async def _first_words(process: Process) -> str:
    """Return the first line that a process says; nothing, when it does not say any."""
    assert process.stdout is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_TIMEOUT_S):
            return (await process.stdout.readline()).decode().strip()
    return ""
