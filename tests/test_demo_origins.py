from socket import gethostname

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from demo.app import Settings
from demo.assembly import _settings
from demo.message import Draft
from demo.names import is_loopback, names_of
from demo.options import parse
from demo.origins import MAX_TOLD, Origins
from demo.stats import STATS
from tests.conftest import Server, Session, StartServer

HOST = "192.168.1.7:3001"
MESSAGE = {"sender": "ada", "text": "hi"}
FOREIGN = [
    "https://example.org",
    "http://localhost.example.org",
    "http://localhost@example.org",
    "http://127.0.0.1.example.org:3001",
    "http://192.168.1.8",
    "http://[",
    "http://[::1",
    "file://",
    "",
    "localhost",
    "http://localhost:3001/",
    "http://localhost/\udcff",
    "http://localhost\x9b",
    "HTTP://LOCALHOST ",
]


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3001",
        "http://localhost",
        "https://localhost:8443",
        "http://app.localhost:5173",
        "http://127.0.0.1:1",
        "http://127.1.2.3",
        "http://[::1]:3001",
        "null",
    ],
)
def test_on_loopback_every_page_of_this_machine_is_let_in(origin: str) -> None:
    assert Origins(loopback=True).admit(origin, "localhost:3001")


@pytest.mark.parametrize("origin", FOREIGN)
def test_on_loopback_a_foreign_page_is_not(origin: str) -> None:
    assert not Origins(loopback=True).admit(origin, "localhost:3001")


@pytest.mark.parametrize("host", ["chat.example.org", "192.168.1.7:8080", "demo", ""])
@pytest.mark.parametrize("origin", ["null", "http://localhost:3001", "http://127.0.0.1"])
def test_behind_a_proxy_a_page_of_anybodys_machine_is_not_let_in(origin: str, host: str) -> None:
    allowed = frozenset({"https://chat.example.org"})
    assert not Origins(loopback=True, allowed=allowed).admit(origin, host)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:3001", "[::1]:3001", "App.Localhost."])
def test_a_file_from_disk_is_let_in_by_each_of_loopbacks_names(host: str) -> None:
    assert Origins(loopback=True).admit("null", host)


@pytest.mark.parametrize("host", [HOST, "demo:3001"])
@pytest.mark.parametrize("loopback", [True, False])
def test_the_servers_own_page_is_let_in(loopback: bool, host: str) -> None:
    assert Origins(loopback).admit(f"http://{host}", host)


@pytest.mark.parametrize("origin", [*FOREIGN, "null", "http://localhost:3001", "http://127.0.0.1"])
def test_beyond_loopback_no_other_page_is(origin: str) -> None:
    assert not Origins(loopback=False).admit(origin, HOST)


@pytest.mark.parametrize("loopback", [True, False])
def test_an_allowed_origin_is_let_in_and_its_neighbours_are_not(loopback: bool) -> None:
    origins = Origins(loopback, frozenset({"https://example.org"}))
    assert origins.admit("https://example.org", HOST)
    assert not origins.admit("http://example.org", HOST)
    assert not origins.admit("https://example.org:8443", HOST)


def test_a_frame_that_passes_for_a_file_can_be_shut_out() -> None:
    origins = Origins(loopback=True, null=False)
    assert not origins.admit("null", "localhost:3001")
    assert origins.admit("http://localhost:3001", "localhost:3001")
    assert parse(["--no-null-origin"]).null_origin is False
    assert parse([]).null_origin is True


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("https://Example.ORG/", "https://example.org"),
        ("https://example.org:443", "https://example.org"),
        ("http://example.org:80/", "http://example.org"),
        ("http://example.org:443", "http://example.org:443"),
        ("http://[fe80::1]:8080", "http://[fe80::1]:8080"),
        ("null", "null"),
    ],
)
def test_an_allowed_origin_is_taken_as_browsers_say_it(given: str, said: str) -> None:
    assert parse(["--allow-origin", given]).allow_origin == [said]


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_hosts_are_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", [None, "", "0.0.0.0", "::", "10.0.0.1", "notlocalhost", "mylocal"])
def test_other_hosts_are_not_loopback(host: str | None) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost:3001",
        "LOCALHOST",
        "localhost.",
        "app.localhost:5173",
        "127.0.0.1:3001",
        "[::1]:3001",
        "192.168.1.7:3001",  # an address leads nowhere else
        "demo",
        "chat.example.org",
        "chat.example.org:8443",
        "",
        "[::",
    ],
)
def test_on_loopback_names_are_served_that_no_foreign_page_can_have(host: str) -> None:
    assert Origins(loopback=True, allowed=frozenset({"https://chat.example.org"})).serves(host)


@pytest.mark.parametrize(
    "host", ["example.org", "evil.example.org:3001", "127.0.0.1.example.org", "localhost.evil.org."]
)
@pytest.mark.parametrize("loopback", [True, False])
def test_a_name_that_may_be_a_foreign_pages_is_not_served(loopback: bool, host: str) -> None:
    allowed, names = frozenset({"https://example.com"}), names_of("0.0.0.0", "pc.lan")
    assert not Origins(loopback, allowed, names=names).serves(host)


@pytest.mark.parametrize(
    "host",
    [HOST, "[fe80::1]:3001", "localhost:3001", "pc", "PC.lan:3001", "pc.local", "chat.example.org"],
)
def test_beyond_loopback_a_server_answers_to_addresses_and_to_its_machines_names(host: str) -> None:
    allowed = frozenset({"https://chat.example.org"})
    assert Origins(False, allowed, names=names_of("0.0.0.0", "PC.lan")).serves(host)


def test_a_server_answers_to_the_name_of_its_host_option() -> None:
    settings = _settings(parse(["--host", "Chat.example.net"]), "token", 1)
    assert "chat.example.net" in settings.names
    assert gethostname().partition(".")[0].lower() in settings.names
    assert _settings(parse([]), "token", 1).names == frozenset()


async def test_of_a_page_with_a_very_long_name_a_part_is_told(
    client: ClientSession, server: Server
) -> None:
    origin = "https://" + "x" * 8000
    async with client.post("/messages", json={}, headers={"Origin": origin}) as response:
        assert response.status == 403
        assert len(await response.read()) < 1000
    (line,) = server.said
    assert len(line) < 1000


async def test_beyond_loopback_a_page_whose_name_was_made_to_lead_here_publishes_nothing(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(loopback=False))
    headers = {"Host": "evil.example.org:3001", "Origin": "http://evil.example.org:3001"}
    async with session(server).post("/messages", json=MESSAGE, headers=headers) as response:
        assert response.status == 403
        assert "--allow-origin http://evil.example.org:3001" in (await response.json())["error"]
    assert (server.feed.head, server.app[STATS].refusals.host) == (0, 1)


@pytest.mark.parametrize("path", ["/", "/short-poll?after=0", "/class", "/nowhere"])
async def test_a_name_that_was_made_to_lead_here_reads_nothing_and_a_line_says_so_once(
    client: ClientSession, server: Server, path: str
) -> None:
    server.publish("secret")
    for _ in range(2):
        async with client.get(path, headers={"Host": "evil.example.org:3001"}) as response:
            assert response.status == 403
            assert "--allow-origin http://evil.example.org:3001" in (await response.json())["error"]
    assert server.app[STATS].refusals.host == 2
    (line,) = server.said
    assert line == (
        "refused a request for 'evil.example.org:3001': "
        "--allow-origin http://evil.example.org:3001 would answer it"
    )
    async with client.get(path) as response:
        assert response.status != 403


@pytest.mark.parametrize("path", ["/ws", "/", "/echo"])
async def test_a_foreign_page_opens_no_socket_and_a_line_says_what_would_let_it(
    client: ClientSession, server: Server, path: str
) -> None:
    with pytest.raises(WSServerHandshakeError) as refusal:
        await client.ws_connect(path, origin="https://example.org")
    assert refusal.value.status == 403
    assert refusal.value.headers is not None
    assert refusal.value.headers["Cache-Control"] == "no-store"
    (line,) = server.said
    assert line == (
        "refused a page of 'https://example.org': "
        "--allow-origin https://example.org would let it in"
    )


@pytest.mark.parametrize("origin", ["https://example.org", "http://["])
async def test_a_foreign_page_publishes_nothing(
    client: ClientSession, server: Server, origin: str
) -> None:
    async with client.post("/messages", json=MESSAGE, headers={"Origin": origin}) as response:
        assert response.status == 403
        assert response.headers["Cache-Control"] == "no-store"
        assert "--allow-origin" in (await response.json())["error"]
        assert "Access-Control-Allow-Origin" not in response.headers
    assert server.feed.head == 0
    assert len(server.said) == 1
    assert server.app[STATS].refusals.origin == 1


async def test_a_foreign_page_cannot_read_what_it_polls(client: ClientSession) -> None:
    origin = {"Origin": "https://example.org"}
    for path in ("/short-poll", "/short-poll?reader=r", "/long-poll?reader=r&hold_s=0"):
        async with client.get(path, headers=origin) as response:
            assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("origin", ["null", "http://127.0.0.1:5500"])
@pytest.mark.parametrize("reader", ["", "reader=r&"])
@pytest.mark.parametrize("path", ["/short-poll", "/long-poll"])
@pytest.mark.parametrize(
    ("query", "status"),
    [("hold_s=0", 204), ("after=0", 200), ("after=x", 400), ("after=9", 410)],
)
async def test_an_admitted_page_can_read_every_answer(
    client: ClientSession,
    server: Server,
    origin: str,
    reader: str,
    path: str,
    query: str,
    status: int,
) -> None:
    server.feed.publish(Draft("ada", "hi"))
    async with client.get(f"{path}?{reader}{query}", headers={"Origin": origin}) as response:
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ["/nowhere", "/short-poll?reader=not/a/name"])
async def test_an_admitted_page_can_read_what_was_wrong(client: ClientSession, path: str) -> None:
    async with client.get(path, headers={"Origin": "null"}) as response:
        assert 400 <= response.status < 500
        assert response.headers["Access-Control-Allow-Origin"] == "null"


@pytest.mark.parametrize("path", ["/short-poll", "/short-poll?reader=r"])
async def test_who_says_no_origin_is_answered_without_a_word_of_it(
    client: ClientSession, path: str
) -> None:
    async with client.get(path) as response:
        assert not {"Access-Control-Allow-Origin", "Vary"} & set(response.headers)


async def test_an_admitted_page_may_post_json(client: ClientSession, server: Server) -> None:
    headers = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    async with client.options("/messages", headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
        assert response.headers["Access-Control-Allow-Headers"] == "Content-Type"
        assert response.headers["Access-Control-Allow-Methods"] == "POST"
    headers = {"Origin": "http://localhost:5173"}
    async with client.post("/messages", json=MESSAGE, headers=headers) as response:
        assert response.status == 201


async def test_a_client_that_is_no_browser_sends_no_origin_and_is_let_in(
    client: ClientSession, server: Server
) -> None:
    async with client.ws_connect("/ws") as ws:
        assert "epoch" in await ws.receive_json()
    assert server.said == []


async def test_an_allowed_origin_joins(start_server: StartServer, session: Session) -> None:
    server = await start_server(Settings(allowed_origins=frozenset({"https://example.org"})))
    client = session(server)
    async with client.ws_connect("/ws", origin="https://example.org") as ws:
        assert "epoch" in await ws.receive_json()


async def test_beyond_loopback_only_its_own_pages_join(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(loopback=False))
    client = session(server)
    async with client.ws_connect("/ws", origin=server.url) as ws:
        assert "epoch" in await ws.receive_json()
    for origin in ("null", "http://localhost:1", "http://127.0.0.1:1"):
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect("/ws", origin=origin)


async def test_a_page_that_asks_again_and_again_is_one_line(
    client: ClientSession, server: Server
) -> None:
    for number in (1, 1, *range(2, 2 * MAX_TOLD)):
        headers = {"Origin": f"https://{number}.example.org"}
        async with client.post("/messages", json=MESSAGE, headers=headers) as response:
            assert response.status == 403
    assert len(server.said) == len(set(server.said)) == MAX_TOLD


async def test_who_invents_names_of_this_machine_fills_no_memory_and_is_answered(
    client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: set[str] = set()
    serves = Origins.serves

    def serve(origins: Origins, host: str) -> bool:
        learnt.add(host)  # each time that it is not among those which are known
        return serves(origins, host)

    monkeypatch.setattr("demo.origins.MAX_TOLD", 2)
    monkeypatch.setattr(Origins, "serves", serve)
    for _ in range(2):
        learnt.clear()
        for host in ("a", "b", "c", "d"):
            async with client.get("/stats", headers={"Host": host}) as response:
                assert response.status == 200
    assert learnt == {"c", "d"}
