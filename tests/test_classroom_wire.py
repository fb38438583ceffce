"""What goes over the wire, as the page takes it apart: the real bytes, field by field."""

import base64
import hashlib
import json
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Locator, Page, expect

from tests.classroom_pages import (
    MODES,
    PHONE,
    TOKEN,
    ask_until,
    modules,
    opened,
    shoot,
    show,
    teacher,
)
from tests.conftest import Demo, StartDemo, until_page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PATHS = {"short": "/short-poll", "long": "/long-poll", "ws": "/ws"}
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, demo: Demo) -> AsyncIterator[Page]:
    async with teacher(browser, demo) as page:
        yield page


async def look(page: Page, mode: str, *, news: bool = True) -> Locator:
    """Let the page make an exchange in a mode; return its section."""
    section = page.locator("#wire")
    await section.get_by_role("button", name=MODES[mode], exact=True).click()
    await expect(section.locator(".field").first).to_contain_text(f"GET {PATHS[mode]}?")
    if not news:
        await section.get_by_role("button", name="Nothing new").click()
        await expect(section.locator(".cost")).to_contain_text("nothing")
    return section


async def shown(section: Locator) -> list[bytes]:
    """Return the bytes of each part, as the fields on the page have them."""
    texts: list[str] = await section.locator(".part").evaluate_all(
        """(parts) => parts.map((part) => [...part.querySelectorAll(".field")].map((field) =>
          part.classList.contains("frame")
            ? [...field.querySelectorAll("b")].map((cell) => cell.textContent).join("")
            : field.textContent.replace("\\\\r\\\\n", "\\r\\n")).join(""))"""
    )
    frames = await section.locator(".part").evaluate_all(
        "(parts) => parts.map((part) => part.classList.contains('frame'))"
    )
    return [
        bytes.fromhex(text) if frame else text.encode()
        for text, frame in zip(texts, frames, strict=True)
    ]


async def kept(demo: Demo, reader: str) -> dict[str, bytes]:
    """Return what the server has kept of a reader's last exchange."""
    async with (
        ClientSession(demo.url) as client,
        client.get("/class/wire", params={"reader": reader}) as response,
    ):
        return {
            name: text.encode("latin-1")
            for name, text in (await response.json()).items()
            if text is not None
        }


async def decode(page: Page, module: str, call: str, *arguments: object) -> Any:
    return await page.evaluate(
        f"""async (given) => {{
          const {{ {call} }} = await import("/page/class/decode/{module}.js");
          return given.map((each) => {call}(each));
        }}""",
        list(arguments),
    )


def reader_in(request: bytes) -> str:
    found = re.search(rb"reader=([\w.]+)", request)
    assert found is not None
    return found[1].decode()


@pytest.mark.parametrize("mode", ["short", "long"])
@pytest.mark.parametrize("news", [True, False], ids=["news", "nothing new"])
async def test_a_polls_fields_are_its_real_bytes(
    page: Page, demo: Demo, mode: str, news: bool
) -> None:
    section = await look(page, mode, news=news)
    request, answer = await shown(section)
    wire = await kept(demo, reader_in(request))
    assert (request, answer) == (wire["up"], wire["down"])
    assert answer.startswith(b"HTTP/1.1 200" if news else b"HTTP/1.1 204")
    host = section.get_by_role("button", name=f"Host: localhost:{demo.port}")
    await expect(host).to_have_count(1)
    assert (b'"text":"hello"' in answer) is news


async def test_an_upgrades_and_its_frames_fields_are_their_real_bytes(
    page: Page, demo: Demo
) -> None:
    section = await look(page, "ws")
    upgrade, yes, up, down = await shown(section)
    wire = await kept(demo, reader_in(upgrade))
    assert (upgrade, yes, up, down) == tuple(
        wire[part] for part in ("up", "down", "frame_up", "frame_down")
    )
    key, masked = up[2:6], up[6:]
    said = bytes(byte ^ key[at % 4] for at, byte in enumerate(masked))
    assert json.loads(said) == {"sender": "wire", "text": "hello"}
    assert json.loads(down[2:])["text"] == "hello"


async def test_a_message_that_is_refused_is_no_answer_with_nothing_new(
    browser: Browser,
) -> None:
    async with modules(browser) as page:
        said = await page.evaluate(
            """async () => {
              const { exchange } = await import("/page/class/exchange.js");
              window.fetch = async (url) => (String(url).endsWith("/messages")
                ? Response.json({ error: "too fast" }, { status: 429 })
                : Response.json({ epoch: "e", head: 1 }));
              const asked = exchange({ wire: async () => ({}) }, "short", { news: true });
              return asked.then(() => "it went through", (error) => error.message);
            }"""
        )
    assert said == "too fast"


async def test_a_socket_with_nothing_new_sends_nothing(page: Page) -> None:
    section = await look(page, "ws", news=False)
    await expect(section.locator(".part")).to_have_count(2)
    await expect(section.locator(".cost")).to_contain_text("nothing is sent: 0 bytes")


async def test_a_socket_that_has_been_shown_is_closed(page: Page, demo: Demo) -> None:
    for news in (True, False, True):
        await look(page, "ws", news=news)
    async with ClientSession(demo.url) as client:
        # The lane's own stays.
        await ask_until(client, "/stats", lambda told: told["modes"]["ws"]["connections"] == 1)


async def test_the_accept_header_is_worked_out_from_the_key_that_was_sent(page: Page) -> None:
    section = await look(page, "ws")
    upgrade = (await shown(section))[0].decode()
    (key,) = re.findall(r"Sec-WebSocket-Key: (\S+)", upgrade)
    digest = hashlib.sha1((key + GUID).encode()).digest()
    await section.get_by_role("button", name=re.compile("^Sec-WebSocket-Accept")).click()
    for step in (key, key + GUID, digest.hex(), base64.b64encode(digest).decode()):
        await expect(section.locator(".told")).to_contain_text(step)
    await expect(section.locator(".told")).to_contain_text("It is what the server answered")


async def test_sha_1_agrees_with_pythons_at_every_length(page: Page) -> None:
    texts = ["".join(random.choices("abc/+=é", k=length)) for length in range(140)]
    digests = await decode(page, "accept", "sha1", *texts)
    expected = [hashlib.sha1(text.encode("latin-1")).hexdigest() for text in texts]
    assert [digest.encode("latin-1").hex() for digest in digests] == expected


# RFC 6455, section 5.7, and the two longer forms of a length
FRAMES = {
    "a single-frame unmasked text message": ("810548656c6c6f", [1, 1, 5], "It says: Hello"),
    "a single-frame masked text message": ("818537fa213d7f9f4d5158", [1, 1, 4, 5], "Hello"),
    "a first fragment": ("010348656c", [1, 1, 3], "more frames follow"),
    "a masked pong": ("8a8537fa213d7f9f4d5158", [1, 1, 4, 5], "Opcode 10: pong"),
    "an empty ping": ("8900", [1, 1], "Opcode 9: ping"),
    "256 bytes": ("827e0100" + "00" * 256, [1, 1, 2, 256], "The payload has 256 bytes"),
    "64 KiB": ("827f0000000000010000" + "00" * 65536, [1, 1, 8, 65536], "has 65536 bytes"),
}


@pytest.mark.parametrize("name", FRAMES)
async def test_a_frame_is_taken_apart(page: Page, name: str) -> None:
    data, sizes, says = FRAMES[name]
    (fields,) = await decode(page, "frame", "decodeFrame", bytes.fromhex(data).decode("latin-1"))
    assert [field["end"] - field["start"] for field in fields] == sizes
    assert [field["start"] for field in fields] == [sum(sizes[:at]) for at in range(len(sizes))]
    assert says in " ".join(field["says"] for field in fields)


async def test_each_header_that_chromium_sends_is_explained(page: Page) -> None:
    for mode in MODES:
        section = await look(page, mode)
        for field in await section.locator(".http .field").all():
            await field.click()
            await expect(section.locator(".told")).not_to_contain_text("no words")


async def test_a_cookie_of_another_program_of_this_host_is_hidden_and_that_is_said(
    page: Page, demo: Demo
) -> None:
    url = f"http://localhost:{demo.port}"
    await page.context.add_cookies([{"name": "notebook", "value": "a-login", "url": url}])
    section = await look(page, "short")
    field = section.locator(".field", has_text="Cookie: ****************")
    await field.click()
    await expect(section.locator(".told")).to_contain_text("asterisks")
    await expect(section).not_to_contain_text("a-login")


async def test_the_arrow_keys_step_through_the_fields(page: Page) -> None:
    section = await look(page, "short")
    fields = section.locator(".field")
    await fields.first.focus()
    await page.keyboard.press("ArrowRight")
    await expect(fields.nth(1)).to_have_attribute("aria-current", "step")
    await page.keyboard.press("ArrowLeft")
    await expect(fields.nth(0)).to_have_attribute("aria-current", "step")
    await expect(section.get_by_role("button", name="Back")).to_be_disabled()


async def test_the_last_step_keeps_the_focus_and_with_it_the_keys(page: Page) -> None:
    section = await look(page, "short")
    forward = section.get_by_role("button", name="Next")
    await forward.focus()
    for _ in range(await section.locator(".field").count()):
        await page.keyboard.press("Enter")
    await expect(forward).to_be_disabled()
    await expect(forward).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(section.locator(".field").nth(-2)).to_have_attribute("aria-current", "step")


IN_SIGHT = """height => {
  const top = (name) => document.querySelector(`#wire ${name}`).getBoundingClientRect().top;
  return 0 <= top(".field[aria-current]") && top(".field[aria-current]") < top(".explained")
    && top(".explained") < height;
}"""


async def test_the_explained_field_stays_in_sight_on_a_phone(
    browser: Browser, demo: Demo, tmp_path: Path
) -> None:
    async with opened(browser, PHONE) as page:
        await page.goto(f"http://localhost:{demo.port}/")
        section = await look(page, "ws")
        for _ in range(25):
            await section.get_by_role("button", name="Next").click()
        await until_page(page, IN_SIGHT, PHONE[1])  # scrolling takes a moment
        await shoot(page, "phone-wire", tmp_path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.parametrize("mode", MODES)
async def test_the_wire_on_the_projector(page: Page, mode: str, tmp_path: Path) -> None:
    section = await look(page, mode)
    await section.locator(".payload").last.click()
    await show(page, "#wire")
    await shoot(page, f"projector-wire-{mode}", tmp_path)
    await expect(section.locator(".told")).to_contain_text("hello" if mode == "ws" else "message")
