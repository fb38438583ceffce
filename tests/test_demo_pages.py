import re

import pytest
from aiohttp import ClientSession

from demo.pages import PAGE, policy
from tests.conftest import Server

PAGES = ["/", "/join", "/handout", "/page/index.html"]


@pytest.mark.parametrize("path", [*PAGES, "/page/app.js", "/page/page.css"])
async def test_a_page_is_not_framed_not_guessed_at_and_tells_nobody_where_it_is(
    client: ClientSession, path: str
) -> None:
    async with client.get(path) as response:
        assert response.status == 200
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


async def test_a_page_runs_and_applies_only_its_own_files(
    client: ClientSession, server: Server
) -> None:
    async with client.get("/") as response:
        policy = response.headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    host = f"127.0.0.1:{server.port}"
    assert rules["connect-src"] == f"'self' ws://{host} wss://{host}"


@pytest.mark.parametrize("host", ["x; script-src *", "a b", "", "x\r\ny", "é", "'unsafe-inline'"])
def test_a_made_up_host_adds_no_rule(host: str) -> None:
    assert "connect-src 'self'; " in policy(host)


@pytest.mark.parametrize("path", sorted(PAGE.rglob("*.html")), ids=lambda path: path.name)
def test_no_script_and_no_style_stands_in_a_page(path: object) -> None:
    html = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    for tag in re.findall(r"<script[^>]*>", html):
        assert "src=" in tag
