"""Readers of each mode that ask another server every time, and publishers that do so too."""

import asyncio
import contextlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import aiohttp
from aiohttp import WSMsgType

from demo.listener import GAP_CODE
from tests.conftest import until

MODES = ("short", "long", "ws")
INTERVAL_S = 0.005  # from an answer without news to the next short poll
ELSEWHERE_S = 0.01  # before a server that could not be reached is not asked again


@dataclass
class Hopper:
    """A reader that keeps its cursor and nothing else from one server to the next."""

    mode: str
    urls: list[str]
    session: aiohttp.ClientSession
    chance: random.Random
    epoch: str = ""
    cursor: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        return [message["id"] for message in self.messages]

    async def read_to(self, head: int) -> None:
        """Read until the cursor is there."""
        read = self._listen if self.mode == "ws" else self._poll
        while self.cursor < head:
            try:
                await read(self.chance.choice(self.urls), head)
            except aiohttp.ClientError:
                await asyncio.sleep(ELSEWHERE_S)

    async def read_to_gap(self) -> None:
        """Read until the first gap, and go on from where it says."""
        read = self._listen if self.mode == "ws" else self._poll
        while not self.gaps:
            await read(self.chance.choice(self.urls), 1 << 53)

    @property
    def _place(self) -> dict[str, str]:
        return {"after": str(self.cursor)} | ({"epoch": self.epoch} if self.epoch else {})

    async def _poll(self, url: str, head: int) -> None:
        path = "/short-poll" if self.mode == "short" else "/long-poll"
        query = self._place | ({"hold_s": "1"} if self.mode == "long" else {})
        async with self.session.get(url + path, params=query) as response:
            if response.status == 503:
                assert response.headers["Retry-After"] == "1"
                await asyncio.sleep(ELSEWHERE_S)
            elif response.status == 410:
                self._miss(await response.json())
            elif response.status == 200:
                news = await response.json()
                self.messages += news["messages"]
                self.epoch, self.cursor = news["epoch"], news["cursor"]
            else:
                assert response.status == 204
                if self.mode == "short":
                    await asyncio.sleep(INTERVAL_S)

    async def _listen(self, url: str, head: int) -> None:
        async with self.session.ws_connect(url + "/ws", params=self._place) as ws:
            hello = await ws.receive()
            if hello.type is not WSMsgType.TEXT:
                return
            notice = hello.json()
            if "error" in notice:
                self._miss(notice)
                return
            self.epoch = notice["epoch"]
            for _ in range(self.chance.randint(1, 20)):
                if self.cursor >= head:
                    break
                frame = await ws.receive()
                if frame.type is not WSMsgType.TEXT:  # that server has ended
                    break
                message = frame.json()
                if "error" in message:
                    assert (await ws.receive()).data == GAP_CODE
                    self._miss(message)
                    break
                self.messages.append(message)
                self.cursor = message["id"]

    def _miss(self, notice: dict[str, Any]) -> None:
        self.gaps.append(notice)
        self.epoch, self.cursor = notice["epoch"], notice["oldest"] - 1


@dataclass
class Publisher:
    """Publish texts, each at another server, and keep what was acknowledged."""

    urls: list[str]
    session: aiohttp.ClientSession
    chance: random.Random
    taken: dict[int, str] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)  # perhaps taken, perhaps not

    async def publish(self, texts: Iterable[str]) -> None:
        """Publish all, each until one is acknowledged under a text of its own."""
        for text in texts:
            attempt = 0
            while not await self._publish(f"{text}/{attempt}"):
                attempt += 1
                await asyncio.sleep(ELSEWHERE_S)

    async def _publish(self, text: str) -> bool:
        url = self.chance.choice(self.urls) + "/messages"
        with contextlib.suppress(aiohttp.ClientError):
            async with self.session.post(url, json={"sender": "ada", "text": text}) as response:
                answer = await response.json()
                if response.status == 201:
                    self.taken[answer["id"]] = text
                    return True
                assert response.status == 503
        self.doubtful.add(text)
        return False


def check(readers: list[Hopper], publishers: list[Publisher]) -> None:
    """Every reader has every id once and in order, and all that was acknowledged, as it was."""
    first, *others = [{m["id"]: m["text"] for m in reader.messages} for reader in readers]
    for reader in readers:
        assert reader.gaps == []
        assert reader.ids == list(range(1, len(reader.ids) + 1))
    for other in others:
        assert other == first
    taken = [item for publisher in publishers for item in publisher.taken.items()]
    assert set(taken) <= set(first.items())
    texts = sorted(first.values())
    assert [text for text, after in pairwise(texts) if text == after] == []
    doubtful = {text for publisher in publishers for text in publisher.doubtful}
    assert set(texts) - {text for _, text in taken} <= doubtful


async def catch_up(
    readers: Sequence[Hopper], reading: Iterable[asyncio.Task[None]], head: int
) -> int:
    """Let all readers come to `head`, and then to where the furthest of them is; return that."""
    await until(lambda: all(reader.cursor >= head for reader in readers))
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    last: int = max(reader.cursor for reader in readers)
    await asyncio.gather(*(reader.read_to(last) for reader in readers))
    return last
