"""Watch the projector's page under a storm: how long its frames take, and what it keeps in memory.

`python -m tests.bench.page [--minutes 5] [--rate 50] [--trace]`: the chatter's storm and this
program together publish `--rate` messages a second. Frames are those of a headless Chromium that
draws without a graphics card, in a window of 1280 x 720. What else the machine does is in the
figures; `--trace` adds the one that it is not in, the page's longest task by its own CPU time.
"""

import argparse
import asyncio
import collections
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
from aiohttp import ClientSession
from playwright.async_api import Browser, CDPSession, Page, async_playwright

from tests.conftest import CHROMIUM_ARGUMENTS

TOKEN = "bench"
STORM_PER_S = 20.0  # what the chatter publishes by itself
LONG_MS = 50
HEAD = (
    "minute  messages  frames  p50 ms  p99 ms  max ms  over 50 ms  tasks over 50"
    "  drawing p99 ms  main thread CPU  heap MB  nodes  machine busy"
)
DRAWS = "FireAnimationFrame"  # only the page's own thread does
TASKS = ["devtools.timeline", "disabled-by-default-devtools.timeline"]

WATCH = """() => {
  const seen = window.seen = { frames_ms: [], work_ms: [], tasks_ms: [] };
  seen.last_ms = performance.now();
  const request = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => request((at_ms) => {
    const began_ms = performance.now();
    draw(at_ms);
    seen.work_ms.push(performance.now() - began_ms);
  });
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.tasks_ms.push(duration);
  }).observe({ entryTypes: ["longtask"] });
  const tick = () => {
    request(tick);
    seen.frames_ms.push(performance.now() - seen.last_ms);
    seen.last_ms = performance.now();
  };
  request(tick);
}"""
# To collect garbage by force, as is done for the heap's size, stops the page: it is not counted.
# What is told of late, as long tasks are, has been told by then.
ANEW = """async () => {
  await new Promise((done) => { setTimeout(done, 200); });
  Object.assign(seen, { frames_ms: [], work_ms: [], tasks_ms: [], last_ms: performance.now() });
}"""


async def main() -> int:
    """Run, and print a line a minute."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.page")
    parser.add_argument("--minutes", type=int, default=5)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args()
    print(HEAD, *["longest task, CPU ms"] * options.trace, sep="  ")
    async with served() as url, opened(f"{url}/?chatter=storm#token={TOKEN}") as (page, devtools):
        publisher = asyncio.create_task(publish(url, options.rate - STORM_PER_S))
        for minute in range(1, options.minutes + 1):
            psutil.cpu_percent()
            longest = await (longest_task(page) if options.trace else asyncio.sleep(60, ""))
            print(await line(page, devtools, minute), longest, flush=True)
        publisher.cancel()
    return 0


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """Run the demo on a free port."""
    command = [sys.executable, "-m", "demo", "--port", "0", "--token", TOKEN]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        said = b""
        while not said.startswith(b"Listening on "):
            said = await process.stdout.readline()
        yield said.decode().split()[2].replace("127.0.0.1", "localhost")
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Page, CDPSession]]:
    """Open the page in a browser of its own."""
    async with async_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        page = await browser.new_page(viewport={"width": 1280, "height": 720})
        await page.add_init_script(f"({WATCH})()")
        await page.goto(url)
        await page.locator(".lane[data-mode=ws] .doing", has_text="socket open").wait_for()
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Performance.enable")
        yield page, devtools
        await browser.close()


async def publish(url: str, rate_per_s: float) -> None:
    """Publish on a schedule, without waiting for an answer's message to be read."""
    async with ClientSession(url) as client:
        due_s = time.monotonic()
        for number in range(sys.maxsize):
            due_s += 1 / rate_per_s
            await asyncio.sleep(max(0, due_s - time.monotonic()))
            message = {"sender": "bench", "text": f"message {number} of the storm"}
            async with client.post("/messages", json=message):
                pass


async def longest_task(page: Page) -> str:
    """Let a minute pass; return how long the page's thread was at work without a pause."""
    browser = page.context.browser
    assert isinstance(browser, Browser)
    await browser.start_tracing(page=page, categories=TASKS)
    await asyncio.sleep(60)
    events = json.loads(await browser.stop_tracing())["traceEvents"]
    threads = [(event["pid"], event["tid"]) for event in events if event["name"] == DRAWS]
    ((thread, _),) = collections.Counter(threads).most_common(1)
    tasks = (each for each in events if each["name"] == "RunTask" and "tdur" in each)
    cpu_us = max(task["tdur"] for task in tasks if (task["pid"], task["tid"]) == thread)
    return f"{cpu_us / 1000:21.1f}"


async def line(page: Page, devtools: CDPSession, minute: int) -> str:
    """Sum up the minute that has passed, and begin another when this program's own work is done."""
    busy = psutil.cpu_percent()
    seen = await page.evaluate("({ ...seen })")
    await devtools.send("HeapProfiler.collectGarbage")
    metrics = (await devtools.send("Performance.getMetrics"))["metrics"]
    cpu_s = next(each["value"] for each in metrics if each["name"] == "ThreadTime")
    heap = (await devtools.send("Runtime.getHeapUsage"))["usedSize"]
    nodes = (await devtools.send("Memory.getDOMCounters"))["nodes"]
    messages = await page.locator(".lane[data-mode=ws] .counters dd").nth(2).inner_text()
    await page.evaluate(ANEW)
    frames, work = sorted(seen["frames_ms"]), sorted(seen["work_ms"])
    long_frames = sum(frame > LONG_MS for frame in frames)
    return (
        f"{minute:6}  {messages:>8}  {len(frames):6}"
        f"  {part(frames, 0.5):6.1f}  {part(frames, 0.99):6.1f}  {frames[-1]:6.1f}"
        f"  {long_frames:10}  {len(seen['tasks_ms']):13}  {part(work, 0.99):14.1f}"
        f"  {cpu_s / 60 / minute:15.0%}"
        f"  {heap / 1e6:7.1f}  {nodes:5}  {busy:10.0f} %"
    )


def part(values: list[float], share: float) -> float:
    """Return the value that `share` of the sorted values do not exceed."""
    return values[min(len(values) - 1, int(share * len(values)))]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
