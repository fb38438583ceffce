"""A class of sixty phones and a `python -m demo` in a process of its own."""

import asyncio
from typing import Any

from aiohttp import ClientSession

from tests.conftest import StartDemo
from tests.phones import MODES, phones

PHONES = 60  # 300 are for `python -m tests.bench.classroom`
TEACHER = {"Authorization": "Bearer known"}


async def test_phones_do_not_trouble_the_server(start_demo: StartDemo) -> None:
    demo = start_demo("--token", "known")
    async with ClientSession(demo.url) as teacher:
        async with phones(demo.url, PHONES) as crowd:
            await asyncio.gather(*(phone.reported.wait() for phone in crowd))
            asked = {"seconds": 5, "chatter": "lively"}
            async with teacher.post("/class/run", json=asked, headers=TEACHER) as response:
                assert response.status == 200
            shown = await until_measured(teacher)
            head = (await figures(teacher, "/stats"))["head"]
            await asyncio.gather(*(phone.has_seen(head) for phone in crowd))
        assert [shown["modes"][mode]["readers"] for mode in MODES] == [PHONES // 3] * 3
        assert shown["run"]["faults"] == []
    assert sum(phone.refused for phone in crowd) == 0
    for phone in crowd:
        assert phone.seen[: head - phone.seen[0] + 1] == list(range(phone.seen[0], head + 1))


async def until_measured(client: ClientSession) -> Any:
    while True:
        shown = await figures(client, "/class")
        if shown["run"]["result"] is not None:
            return shown
        await asyncio.sleep(0.2)


async def figures(client: ClientSession, path: str) -> Any:
    async with client.get(path) as response:
        return await response.json()
