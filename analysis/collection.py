"""Read a folder that holds several experiments, as `all` leaves it. Nothing is written or drawn."""

from pathlib import Path

import msgspec

from analysis.chapters import CHAPTERS, LEAP, place
from analysis.leap import Leap, read_leap
from analysis.runs import with_void
from clients.log import EXPERIMENT, HEADER_ROWS, Log, LogError, read


class Member(msgspec.Struct, frozen=True):
    """An experiment of the collection; name: of its folder in it."""

    name: str
    log: Log


class Collection(msgspec.Struct, frozen=True):
    """What a folder holds, in the order of the chapters.

    leap: the article's table and the name of its folder, where it was repeated
    broken: folders that cannot be read, with the reason; missing: scenarios that are not there
    """

    members: tuple[Member, ...]
    leap: tuple[str, Leap] | None
    broken: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


def is_collection(folder: Path) -> bool:
    """Tell whether a folder holds experiments and is not one itself."""
    return not (folder / EXPERIMENT).exists() and bool(_members(folder) or _leaps(folder))


def read_collection(folder: Path) -> Collection:
    """Read every experiment in the folder; one that cannot be read is named as broken."""
    members: list[Member] = []
    leaps: list[tuple[str, Leap]] = []
    broken: list[tuple[str, str]] = []
    for each in (*_members(folder), *_leaps(folder)):
        try:
            if (each / EXPERIMENT).exists():
                members.append(Member(each.name, read(each)))
            else:
                leaps.append((each.name, read_leap(each)))
        except LogError as error:
            broken.append((each.name, str(error)))
    members.sort(key=lambda member: place(member.log.experiment.scenario))
    known = {member.log.experiment.scenario for member in members} | {name for name, _ in broken}
    missing = [name for name in CHAPTERS if name not in known]
    missing += [LEAP] if not leaps and LEAP not in known else []
    return Collection(tuple(members), next(iter(leaps), None), tuple(broken), tuple(missing))


def whole(collection: Collection) -> bool:
    """Tell whether each experiment that is there was read as a whole and has a good run."""
    good = all(
        not each.log.faults and not with_void(each.log.runs)["void"].all()
        for each in collection.members
    )
    return good and not collection.broken and not (collection.leap and collection.leap[1].void)


def _members(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/{EXPERIMENT}"))


def _leaps(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/{HEADER_ROWS}"))
