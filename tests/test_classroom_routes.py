import asyncio
import re
import time
from argparse import ArgumentTypeError
from typing import Any

import pytest
from aiohttp import ClientSession

from demo import arguments
from demo.app import Settings
from demo.bounds import Bounds
from demo.classroom.classroom import CLASSROOM
from demo.options import parse
from demo.publishing import MAX_REPORT_BYTES
from demo.stats import STATS
from tests.conftest import Serve, Server, Session, StartServer, Wire

TOKEN = "known"
TEACHER = {"Authorization": f"Bearer {TOKEN}"}
FREE = Settings(token=TOKEN, wrong_tokens_per_s=0.1)
TEACHERS = [
    ("POST", "/class/settings"),
    ("POST", "/class/restart"),
    ("POST", "/class/run"),
    ("POST", "/class/readers/r/line"),
    ("GET", "/class/log.zip"),
]


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    return await start_server(Settings(token=TOKEN))


async def get(client: ClientSession, path: str, status: int = 200) -> Any:
    async with client.get(path, headers=TEACHER) as response:
        assert response.status == status, await response.text()
        assert response.headers["Cache-Control"] == "no-store"
        return await response.json()


async def post(client: ClientSession, path: str, body: object, status: int = 200) -> Any:
    async with client.post(path, json=body, headers=TEACHER) as response:
        assert response.status == status, await response.text()
        assert response.headers["Cache-Control"] == "no-store"
        return await response.json()


async def test_the_class_is_told_to_anybody_and_who_is_its_teacher(client: ClientSession) -> None:
    assert (await get(client, "/class"))["teacher"] is True
    async with client.get("/class") as response:
        state = await response.json()
    assert state["teacher"] is False
    assert state["settings"] == {
        "interval_s": 1,
        "hold_s": 25,
        "chatter": "off",
        "rtt_ms": 0,
        "keepalive": True,
        "cursor": True,
        "hold": True,
        "stage": "chat",
    }
    assert list(state["modes"]) == ["short", "long", "ws"]
    assert state["run"] is None
    assert state["guesses"] == {"count": 0, "answers": []}
    assert state["join_url"] is None


async def test_what_is_not_known_is_null_and_not_zero(client: ClientSession) -> None:
    modes = (await get(client, "/class"))["modes"]
    for figures in modes.values():
        assert figures.pop("readers") == 0
        assert set(figures.values()) == {None}


@pytest.mark.parametrize(("method", "path"), TEACHERS)
@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer kn\u00f6wn"],
)
async def test_a_student_cannot_use_the_controls(
    client: ClientSession, method: str, path: str, header: str
) -> None:
    before = await get(client, "/class")
    headers = {"Authorization": header} if header else {}
    async with client.request(method, path, json={}, headers=headers) as response:
        assert response.status == 403
        assert "only the teacher" in (await response.json())["error"]
    assert (await get(client, "/class"))["epoch"] == before["epoch"]


async def test_without_a_token_of_its_own_a_server_makes_one_nobody_knows(
    start_server: StartServer, session: Session
) -> None:
    client = session(await start_server())
    async with client.post("/class/restart", json={}, headers=TEACHER) as response:
        assert response.status == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"interval_s": 0.1},
        {"interval_s": 60},
        {"hold_s": 0},
        {"hold_s": 120},
        {"chatter": "off", "rtt_ms": 4000},
        {"keepalive": False, "cursor": False, "hold": False},
        {"stage": "guess"},
        {},
    ],
)
async def test_settings_change_as_they_are_set(
    client: ClientSession, changes: dict[str, object]
) -> None:
    before = (await get(client, "/class"))["settings"]
    assert await post(client, "/class/settings", changes) == before | changes
    assert (await get(client, "/class"))["settings"] == before | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"interval_s": 0.09},
        {"interval_s": 61},
        {"interval_s": "1"},
        {"interval_s": True},
        {"hold_s": -1},
        {"hold_s": 121},
        {"chatter": "deafening"},
        {"rtt_ms": 4001},
        {"keepalive": 1},
        {"stage": "=1+1"},
        {"colour": "red"},
        {"interval_s": None},
        {"interval_s": 2, "hold_s": -1},
        [],
        "interval_s",
        None,
    ],
)
async def test_settings_that_cannot_be_are_a_400_and_change_nothing(
    client: ClientSession, changes: object
) -> None:
    before = (await get(client, "/class"))["settings"]
    assert "send" in (await post(client, "/class/settings", changes, 400))["error"]
    assert (await get(client, "/class"))["settings"] == before


POSTS = [
    "/class/settings",
    "/class/run",
    "/class/reports",
    "/class/guesses",
    "/class/readers/r/line",
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"a": 1e999}', b"null"])
async def test_what_is_not_json_is_a_400(client: ClientSession, path: str, body: bytes) -> None:
    async with client.post(path, data=body, headers=TEACHER) as response:
        assert response.status == 400
        assert "send" in (await response.json())["error"]


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_is_too_large_is_a_413(
    client: ClientSession, server: Server, path: str
) -> None:
    body = b" " * (MAX_REPORT_BYTES + 1)
    async with client.post(path, data=body, headers=TEACHER) as response:
        assert response.status == 413
        assert str(MAX_REPORT_BYTES) in (await response.json())["error"]
    assert server.app[STATS].refusals.body == 1


async def test_how_long_a_report_may_be_is_an_option(
    start_server: StartServer, session: Session
) -> None:
    client = session(await start_server(Settings(max_report_bytes=10)))
    async with client.post("/class/guesses", data=b"{" + b" " * 10) as response:
        assert response.status == 413
        assert "over 10 bytes" in (await response.json())["error"]


async def test_posts_of_other_pages_are_refused(client: ClientSession) -> None:
    headers = {**TEACHER, "Origin": "https://example.org"}
    async with client.post("/class/restart", json={}, headers=headers) as response:
        assert response.status == 403


async def test_the_clock_is_that_of_published_ns(client: ClientSession, server: Server) -> None:
    before = (await get(client, "/class/clock"))["now_ns"]
    (entry,) = server.publish("now")
    after = (await get(client, "/class/clock"))["now_ns"]
    assert before <= entry.message.published_ns <= after


# Readers


@pytest.mark.parametrize("path", ["/short-poll", "/long-poll", "/ws"])
@pytest.mark.parametrize("reader", ["", "a b", "=1+1", "x" * 41, "a%0A", "%C3%A9", "<b>"])
async def test_a_reader_of_another_kind_of_name_is_a_400(
    client: ClientSession, path: str, reader: str
) -> None:
    async with client.get(f"{path}?reader={reader}") as response:
        assert response.status == 400
        assert "reader must be" in (await response.json())["error"]


async def test_readers_are_counted_for_themselves_and_their_mode(
    client: ClientSession, server: Server
) -> None:
    server.publish("one", "two")
    for query in ("after=0&reader=a", "after=2&reader=a", "after=9&reader=b", "after=0"):
        async with client.get(f"/short-poll?{query}") as response:
            await response.read()
    tallies = await get(client, "/class/tallies?readers=a,b,unknown")
    assert set(tallies) == {"a", "b"}
    counted = {name: tallies["a"][name] for name in ("requests", "empty", "deliveries", "gaps")}
    assert counted == {"requests": 2, "empty": 1, "deliveries": 2, "gaps": 0}
    assert tallies["a"]["cursor_behind"] == 0
    assert (tallies["b"]["gaps"], tallies["b"]["cursor_behind"]) == (1, None)
    server.publish("three")
    assert (await get(client, "/class/tallies?readers=a"))["a"]["cursor_behind"] == 1
    mode = (await get(client, "/stats"))["modes"]["short"]
    assert (mode["requests"], mode["empty"], mode["deliveries"], mode["gaps"]) == (4, 1, 4, 1)
    assert mode["bytes_in"] > tallies["a"]["bytes_in"] + tallies["b"]["bytes_in"] > 0


async def test_a_readers_bytes_are_those_on_the_wire(
    wire: Wire, client: ClientSession, server: Server
) -> None:
    server.publish("one")
    await wire.request("/short-poll?after=0&reader=a")
    await wire.request("/short-poll?after=1&reader=a")
    tally = (await get(client, "/class/tallies?readers=a"))["a"]
    assert (tally["bytes_in"], tally["bytes_out"]) == (len(wire.sent), len(wire.got))


async def test_a_sockets_bytes_are_those_on_the_wire(
    wire: Wire, client: ClientSession, server: Server
) -> None:
    await wire.upgrade("/ws?after=0&reader=w")
    await wire.frame()
    server.publish("one", "two")
    for _ in range(2):
        await wire.frame()
    tally = (await get(client, "/class/tallies?readers=w"))["w"]
    assert (tally["bytes_in"], tally["bytes_out"]) == (len(wire.sent), len(wire.got))
    assert (tally["deliveries"], tally["cursor_behind"]) == (2, 0)


@pytest.mark.parametrize("query", ["", "?readers=", "?readers=" + ",".join(["a"] * 101)])
async def test_tallies_of_nobody_or_too_many_are_a_400(client: ClientSession, query: str) -> None:
    assert "name 1 to 100" in (await get(client, f"/class/tallies{query}", 400))["error"]


async def test_close_ends_the_connection_after_the_answer(wire: Wire) -> None:
    answer = await wire.request("/short-poll?after=0&reader=a&close=1")
    assert b"Connection: close" in answer
    await wire.end()


async def test_a_poll_that_names_nobody_is_answered_as_ever(wire: Wire, server: Server) -> None:
    server.publish("one")
    plain = await wire.request("/short-poll?after=0&close=1")
    named = await wire.request("/short-poll?after=0&reader=a")
    strip = re.compile(rb"Date: [^\r]*")
    assert strip.sub(b"", plain) == strip.sub(b"", named)


# The wire


async def test_the_bytes_of_a_poll_are_shown_as_they_were(
    wire: Wire, client: ClientSession, server: Server
) -> None:
    server.publish("one")
    await wire.request("/short-poll?after=0&reader=a", "X-Odd:  Case ", "x-odd: again")
    shown = await get(client, "/class/wire?reader=a")
    assert shown["down"].encode("latin-1") == wire.got
    assert shown["up"] is None  # these spaces are lost, so what is there is not what was sent
    wire.sent = wire.got = b""
    await wire.request("/short-poll?after=0&reader=a", "X-Odd: Case", "x-odd: \u00e9")
    shown = await get(client, "/class/wire?reader=a")
    assert shown["up"].encode("latin-1") == wire.sent
    assert shown["frame_up"] is shown["frame_down"] is None


@pytest.mark.parametrize("name", ["Cookie", "authorization", "PROXY-AUTHORIZATION"])
async def test_what_is_secret_is_shown_as_long_as_it_was_and_not_as_it_was(
    wire: Wire, client: ClientSession, name: str
) -> None:
    await wire.request("/short-poll?after=0&reader=a", f"{name}: session=a-login", "X-Odd: plain")
    shown = await get(client, "/class/wire?reader=a")
    masked = wire.sent.replace(b"session=a-login", b"*" * 15)
    assert shown["up"].encode("latin-1") == masked != wire.sent


async def test_the_bytes_of_a_socket_are_shown_as_they_were(
    wire: Wire, client: ClientSession
) -> None:
    head = await wire.upgrade("/ws?after=0&reader=w")
    upgrade = wire.sent
    await wire.frame()
    frame = b"\x81\x99\0\0\0\0" + b'{"sender":"a","text":"b"}'
    await wire.send(frame)
    before = len(wire.got)
    await wire.frame()
    shown = await get(client, "/class/wire?reader=w")
    assert shown["up"].encode("latin-1") == upgrade
    assert shown["down"].encode("latin-1") == head
    assert shown["frame_up"].encode("latin-1") == frame
    assert shown["frame_down"].encode("latin-1") == wire.got[before:]


@pytest.mark.parametrize("query", ["", "?reader=nobody", "?reader=%3Cb%3E"])
async def test_the_bytes_of_nobody_are_a_404(client: ClientSession, query: str) -> None:
    assert "no reader" in (await get(client, f"/class/wire{query}", 404))["error"]


# Guesses


def guess(reader: str = "r", **answers: object) -> dict[str, object]:
    return {"reader": reader, "answers": answers}


async def read(client: ClientSession, *readers: str) -> None:
    for reader in readers:
        async with client.get("/short-poll", params={"reader": reader}):
            pass


async def test_guesses_are_counted_and_hidden_until_they_are_revealed(
    client: ClientSession,
) -> None:
    await read(client, "a", "b")
    await post(client, "/class/guesses", guess("a", latency_ms=500, fewest_bytes="ws"))
    await post(client, "/class/guesses", guess("b", requests_per_minute=60))
    await post(client, "/class/guesses", guess("b", requests_per_minute=30))
    assert (await get(client, "/class"))["guesses"] == {"count": 2, "answers": []}
    await post(client, "/class/settings", {"stage": "reveal"})
    answers = (await get(client, "/class"))["guesses"]["answers"]
    assert [each["requests_per_minute"] for each in answers] == [None, 30]
    assert "reader" not in answers[0]
    assert "revealed" in (await post(client, "/class/guesses", guess(), 409))["error"]


@pytest.mark.parametrize("way", [["guess"], ["chat", "guess"], ["run", "chat", "guess"]])
async def test_what_is_guessed_after_a_reveal_is_another_rounds(
    client: ClientSession, way: list[str]
) -> None:
    await read(client, "r")
    await post(client, "/class/guesses", guess(latency_ms=500))
    await post(client, "/class/settings", {"stage": "reveal"})
    assert (await get(client, "/class"))["guesses"]["count"] == 1
    for stage in way:
        await post(client, "/class/settings", {"stage": stage})
    assert (await get(client, "/class"))["guesses"]["count"] == 0


async def test_a_round_lasts_until_it_is_revealed(client: ClientSession) -> None:
    await read(client, "r")
    await post(client, "/class/guesses", guess(latency_ms=500))
    for stage in ("guess", "chat", "guess", "run", "guess", "reveal", "chat"):
        await post(client, "/class/settings", {"stage": stage})
        assert (await get(client, "/class"))["guesses"]["count"] == 1


async def test_a_reader_is_told_what_it_has_guessed(client: ClientSession) -> None:
    await read(client, "r")
    said = {"reader": "r", "mode": "short"}
    assert (await post(client, "/class/reports", said))["guess"] is None
    await post(client, "/class/guesses", guess(latency_ms=500))
    assert (await post(client, "/class/reports", said))["guess"]["latency_ms"] == 500


@pytest.mark.parametrize(
    "body",
    [
        guess("=cmd"),
        guess("x" * 41),
        guess(latency_ms=-1),
        guess(latency_ms="=1+1"),
        guess(latency_ms=1e10),
        guess(fewest_bytes="carrier pigeon"),
        guess(name="<script>"),
        {"reader": "r"},
        {"answers": {}},
    ],
)
async def test_rude_guesses_are_a_400(client: ClientSession, body: object) -> None:
    await post(client, "/class/guesses", body, 400)
    assert (await get(client, "/class"))["guesses"]["count"] == 0


async def test_who_has_not_read_guesses_nothing(client: ClientSession) -> None:
    assert "no reader" in (await post(client, "/class/guesses", guess("a"), 404))["error"]
    assert (await get(client, "/class"))["guesses"]["count"] == 0


# Joining


async def test_on_loopback_there_is_no_address_to_join_at(client: ClientSession) -> None:
    assert "--host 0.0.0.0" in (await get(client, "/class/join.svg", 404))["error"]


async def test_the_address_to_join_at_is_drawn(client: ClientSession, server: Server) -> None:
    server.app[CLASSROOM].join_url = "http://192.0.2.7:3001/join"
    async with client.get("/class/join.svg") as response:
        assert response.content_type == "image/svg+xml"
        picture = await response.text()
    assert 'fill="#fff"' in picture
    assert "viewBox" in picture
    assert (await get(client, "/class"))["join_url"] == "http://192.0.2.7:3001/join"


async def test_a_class_that_asks_at_once_is_spread_over_the_modes(client: ClientSession) -> None:
    states = await asyncio.gather(*(get(client, "/class") for _ in range(30)))
    suggested = [state["suggest"] for state in states]
    assert {mode: suggested.count(mode) for mode in ("short", "long", "ws")} == {
        "short": 10,
        "long": 10,
        "ws": 10,
    }


async def test_the_teachers_address_is_printed_with_its_token(serve: Serve) -> None:
    served = await serve("--token", "lesson")
    port = served.urls[0].rpartition(":")[2]
    assert served.said[-2] == f"Teacher: http://localhost:{port}/#token=lesson"


async def test_each_start_has_a_token_of_its_own(serve: Serve) -> None:
    tokens = {(await serve()).said[-2].partition("#token=")[2] for _ in range(2)}
    assert len(tokens) == 2
    assert all(len(token) >= 32 for token in tokens)


def test_a_token_that_is_soon_guessed_is_refused_with_what_to_do() -> None:
    with pytest.raises(ArgumentTypeError, match=r"choose 4 characters or more, .* leave --token"):
        arguments.token("abc")
    assert arguments.token("fuzz") == "fuzz"


async def test_wrong_tokens_are_counted_and_slowed_and_this_machine_is_spared(
    start_server: StartServer, session: Session
) -> None:
    slow = Settings(token=TOKEN, bounds=Bounds(loopback=True), wrong_tokens_per_s=0.1)
    for settings, statuses in ((slow, [200, 403, 429, 429]), (FREE, [200, 403, 403, 200])):
        server = await start_server(settings)
        client, got = session(server), []
        for secret in (TOKEN, "wrong", "other", TOKEN):
            headers = {"Authorization": f"Bearer {secret}"}
            async with client.post("/class/restart", json={}, headers=headers) as response:
                got.append(response.status)
        assert got == statuses
        refusals, slowed = server.app[STATS].refusals, statuses.count(429)
        assert (refusals.token, refusals.rate_of_tokens) == (2 - slowed // 2, slowed)
        async with client.get("/class") as response:  # who brings none is not slowed
            assert (response.status, (await response.json())["teacher"]) == (200, False)
        if slowed:
            async with client.get("/class", headers=TEACHER) as response:
                assert response.status == 429
                assert 1 < int(response.headers["Retry-After"]) <= 10
                assert "too many wrong tokens" in (await response.json())["error"]
            server.app[CLASSROOM].token._wrong._clock = lambda: time.monotonic() + 11
            async with client.get("/class", headers=TEACHER) as response:
                assert (await response.json())["teacher"] is True


async def test_wrong_tokens_shut_no_teacher_out_whose_own_is_long(
    start_server: StartServer, session: Session
) -> None:
    secret, bounds = "0123456789abcdef", Bounds(loopback=True)
    server = await start_server(Settings(token=secret, bounds=bounds, wrong_tokens_per_s=0.1))
    client, got = session(server), []
    for brought in ("wrong", "other", "third", secret):
        headers = {"Authorization": f"Bearer {brought}"}
        async with client.post("/class/restart", json={}, headers=headers) as response:
            got.append(response.status)
    assert got == [403, 403, 403, 200]
    assert server.app[STATS].refusals.token == 3


@pytest.mark.parametrize("token", ["", "a b", "a&b", "\u00e9", "#"])
def test_a_token_that_no_address_can_hold_is_refused(
    capsys: pytest.CaptureFixture[str], token: str
) -> None:
    with pytest.raises(SystemExit) as end:
        parse(["--token", token])
    assert end.value.code == 2
    assert "a token is" in capsys.readouterr().err


async def test_beyond_loopback_students_are_told_where_to_go(serve: Serve) -> None:
    served = await serve("--host", "0.0.0.0")
    port = served.urls[0].rpartition(":")[2]
    students = [line for line in served.said if line.startswith("Students: ")]
    async with ClientSession(f"http://127.0.0.1:{port}") as client:
        url = (await get(client, "/class"))["join_url"]
    assert students == ([f"Students: {url}"] if url else [])
    if url is not None:
        assert re.fullmatch(rf"http://\d+\.\d+\.\d+\.\d+:{port}/join", url)


# Files


async def test_files_in_folders_of_the_page_are_served(client: ClientSession) -> None:
    async with client.get("/page/lanes/websocket.js") as response:
        assert (response.status, response.content_type) == (200, "text/javascript")


@pytest.mark.parametrize(
    "path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page/lanes", "/page/", "/index"]
)
async def test_nothing_else_is_served(client: ClientSession, path: str) -> None:
    async with client.get(path) as response:
        assert response.status == 404
