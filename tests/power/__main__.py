"""Let the power fail under a feed in a file, thousands of times, and look for what was promised.

    python -m tests.power --failures 2000 --seed 1

A server is watched by strace while it publishes; its calls are done again to a disk of our own,
whose power fails after any of them. What is left is opened as a server would, and must have every
message that had been acknowledged, in its epoch, and none twice. With --lying-disk the disk has
synced nothing of what it says: that must be noticed. It ends with 1 when a promise was broken.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from shutil import which
from tempfile import TemporaryDirectory

from rich.progress import track

from tests.power.calls import Event, Said, events
from tests.power.platter import Platter
from tests.power.promises import Promises, Text
from tests.power.story import PUBLISHERS, first_life, second_life

MOST_SHOWN = 10


def main() -> int:
    """Tell the story, let the power fail in it, print what came of it; return the exit code."""
    options = parse(sys.argv[1:])
    if which("strace") is None:
        sys.exit("strace is needed: install it first")
    with TemporaryDirectory(prefix="power-") as folder:
        place = Path(folder).resolve()
        (place / "lived").mkdir()
        feed = place / "lived" / "feed.db"
        happened, sent = record(feed, place, options.messages, options.history)
        failed = fail(happened, sent, feed, place, options)
    return 1 if failed else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.power",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--failures", type=int, default=2000)
    parser.add_argument("--messages", type=int, default=3000, help="in each of three parts")
    parser.add_argument("--history", type=int, default=1000)
    parser.add_argument("--lying-disk", action="store_true")
    return parser.parse_args(arguments)


def record(feed: Path, place: Path, messages: int, history: int) -> tuple[list[Event], set[Text]]:
    """Let a server live twice; return what it did to its files and said, and what it was sent."""
    each, happened, sent, seen = messages // PUBLISHERS, list[Event](), set[Text](), Platter()
    for number, life in enumerate((first_life, second_life), 1):
        report = place / f"life-{number}"
        sent |= asyncio.run(life(feed, report, each, history))
        with report.open() as lines:
            happened += list(events(lines))
        report.unlink()
        seen = Platter()
        for event in happened:
            seen.take(event)
        files = {str(path): path.read_bytes() for path in feed.parent.iterdir()}
        ours = {path: data for path, data in seen.files().items() if path.startswith(str(feed))}
        if ours != files:
            sys.exit("strace has not seen all that was written")
    return happened, sent


def fail(
    happened: list[Event],
    sent: set[Text],
    feed: Path,
    place: Path,
    options: argparse.Namespace,
) -> list[str]:
    """Let the power fail, as often after each kind of change; return and print what was broken."""
    random, kinds = Random(options.seed), by_kind(happened)
    many = list(kinds.values())
    moments = sorted(random.choice(many[turn % len(many)]) for turn in range(options.failures))
    later, broken, asked = epochs(happened), list[str](), 0
    for at, promises, left in failures(happened, moments, Platter(lies=options.lying_disk), random):
        asked += min(len(promises.messages), options.history)
        path = lay(left, feed, place / "left")
        for line in promises.broken(path, options.history, later, sent)[:1]:
            broken.append(f"after {at}: {line}")
    for line in broken[:MOST_SHOWN]:
        print("BROKEN", line)
    among = ", ".join(f"{len(each):,} {kind}" for kind, each in kinds.items())
    print(f"{len(moments):,} power failures, as many after each of these: {among}")
    print(f"{asked:,} acknowledged messages looked for; broken in {len(broken):,} failures")
    return broken


def by_kind(happened: list[Event]) -> dict[str, list[int]]:
    """Return where each kind of change is, by what it did to which file."""
    kinds: dict[str, list[int]] = {}
    for at, event in enumerate(happened):
        if not isinstance(event, Said):
            file = Path(event.path).suffix or "folder"
            kinds.setdefault(f"{type(event).__name__.lower()} {file}", []).append(at)
    return kinds


def failures(
    happened: list[Event], moments: list[int], platter: Platter, random: Random
) -> Iterator[tuple[int, Promises, dict[str, bytes]]]:
    """Yield for each moment what had been promised by then, and what is left on the disk."""
    promises, done = Promises(), 0
    for at in track(moments, "power failures", disable=not sys.stdout.isatty()):
        for event in happened[done : at + 1]:
            if isinstance(event, Said):
                promises.take(event)
            else:
                platter.take(event)
        done = at + 1
        yield at, promises, platter.after_failure(random)


def epochs(happened: list[Event]) -> list[str]:
    """Return all epochs that anybody was told of."""
    promises = Promises()
    for event in happened:
        if isinstance(event, Said):
            promises.take(event)
    return promises.epochs


def lay(left: dict[str, bytes], feed: Path, where: Path) -> Path:
    """Write the feed's files as they were left; return the feed's."""
    where.mkdir(exist_ok=True)
    for old in where.iterdir():
        old.unlink()
    for path, data in left.items():
        if path.startswith(str(feed)):
            (where / Path(path).name).write_bytes(data)
    return where / feed.name


if __name__ == "__main__":
    sys.exit(main())
