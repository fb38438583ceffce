"""The trial by power failure sees what a disk keeps, what it may lose, and what was promised."""

from pathlib import Path
from random import Random

import pytest

from demo.disk import Disk
from demo.message import Message
from tests.power.calls import Cut, Event, Make, Said, Sync, Truncate, Unlink, Write, events
from tests.power.platter import SECTOR, Platter
from tests.power.promises import Promises

SEEDS = range(200)
NEW = b"n" * 2 * SECTOR
OLD = b"o" * 2 * SECTOR
MADE: tuple[Event, ...] = (Make("/f/a"), Sync("/f"))


def hexadecimal(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def left(*happened: Event, lies: bool = False) -> set[bytes | None]:
    """Return all that may be found as /f/a after these events."""
    platter = Platter(lies=lies)
    for event in happened:
        platter.take(event)
    return {platter.after_failure(Random(seed)).get("/f/a") for seed in SEEDS}


def test_calls_are_read_from_a_report() -> None:
    file, folder, socket = (hexadecimal(text) for text in ("/f/a", "/f", "socket:[7]"))
    lines = [
        f'9 openat(AT_FDCWD<{folder}>, "{file}", O_RDWR|O_CREAT, 0644) = 3<{file}>',
        f'9 openat(AT_FDCWD<{folder}>, "{file}", O_RDONLY|O_CREAT, 0644) = -1 EACCES (no)',
        f'9 openat(AT_FDCWD<{folder}>, "{folder}", O_RDONLY) = 4<{folder}>',
        f'9 pwrite64(3<{file}>, "\\x68\\x69", 2, 4096) = 2',
        f"9 ftruncate(3<{file}>, 12) = 0",
        f"9 fdatasync(4<{folder}>) = 0",
        f'9 write(1<{file}>, "\\x68", 1) = 1',
        f'9 writev(5<{socket}>, [{{iov_base="\\x68", iov_len=1}}, {{iov_base="\\x69"}}], 2) = 2',
        f'9 unlink("{file}") = 0',
        "9 +++ killed by SIGKILL +++",
    ]
    assert list(events(lines)) == [
        Make("/f/a"),
        Write("/f/a", 4096, b"hi"),
        Truncate("/f/a", 12),
        Sync("/f"),
        Said("socket:[7]", b"hi"),
        Unlink("/f/a"),
    ]


def test_a_sync_counts_from_its_end_on_and_an_answer_from_its_start() -> None:
    file, socket = hexadecimal("/f/a"), hexadecimal("socket:[7]")
    lines = [
        f"8 fdatasync(3<{file}> <unfinished ...>",
        f'9 write(5<{socket}>, "\\x68", 1 <unfinished ...>',
        "8 <... fdatasync resumed>) = 0",
        "9 <... write resumed>) = 1",
    ]
    assert list(events(lines)) == [Said("socket:[7]", b"h"), Sync("/f/a")]


def test_a_report_with_strings_cut_short_is_refused() -> None:
    with pytest.raises(Cut):
        list(events([f'9 pwrite64(3<{hexadecimal("/f/a")}>, "\\x68"..., 4096, 0) = 4096']))


def test_what_was_synced_is_found() -> None:
    assert left(*MADE, Write("/f/a", 0, NEW), Sync("/f/a")) == {NEW}


def test_what_was_not_synced_may_be_found_in_any_part() -> None:
    half = SECTOR * b"n"
    found = left(*MADE, Write("/f/a", 0, OLD), Sync("/f/a"), Write("/f/a", 0, NEW))
    assert found == {OLD, NEW, half + OLD[SECTOR:], OLD[SECTOR:] + half}


def test_of_two_writes_the_later_may_be_found_and_the_earlier_not() -> None:
    begun = (*MADE, Write("/f/a", 0, OLD), Sync("/f/a"))
    found = left(*begun, Write("/f/a", 0, b"1" * SECTOR), Write("/f/a", SECTOR, b"2" * SECTOR))
    assert OLD[SECTOR:] + b"2" * SECTOR in found


def test_a_sector_is_as_it_was_at_one_moment() -> None:
    writes = [Write("/f/a", 0, b"11"), Write("/f/a", 2, b"22")]
    found = left(*MADE, Write("/f/a", 0, b"oooo"), Sync("/f/a"), *writes)
    assert found == {b"oooo", b"11oo", b"1122"}


def test_a_file_that_grows_may_have_its_size_before_its_bytes() -> None:
    assert bytes(len(NEW)) in left(*MADE, Write("/f/a", 0, NEW))


@pytest.mark.parametrize(("size", "after"), [(SECTOR, b"o" * SECTOR), (0, b"")])
def test_a_file_that_is_cut_has_either_size(size: int, after: bytes) -> None:
    begun = (*MADE, Write("/f/a", 0, OLD), Sync("/f/a"), Truncate("/f/a", size))
    assert {OLD, after} <= left(*begun)
    assert left(*begun, Sync("/f/a")) == {after}


def test_a_name_may_be_lost_until_its_folder_is_synced() -> None:
    begun = (Make("/f/a"), Write("/f/a", 0, NEW), Sync("/f/a"))
    assert left(*begun) == {None, NEW}
    assert left(*begun, Sync("/f")) == {NEW}


def test_a_file_that_was_deleted_may_be_found_until_its_folder_is_synced() -> None:
    begun = (*MADE, Write("/f/a", 0, OLD), Sync("/f/a"), Unlink("/f/a"))
    assert left(*begun) == {None, OLD}
    assert left(*begun, Make("/f/a"), Write("/f/a", 0, NEW), Sync("/f/a")) == {None, OLD, NEW}
    assert left(*begun, Sync("/f")) == {None}


def test_a_lying_disk_may_have_nothing() -> None:
    found = left(*MADE, Write("/f/a", 0, NEW), Sync("/f/a"), Sync("/f"), lies=True)
    assert {None, b"", NEW} <= found


def test_programs_see_what_they_have_done() -> None:
    platter = Platter()
    for event in (*MADE, Write("/f/a", 0, OLD), Sync("/f/a"), Write("/f/a", 1, b"n")):
        platter.take(event)
    assert platter.files() == {"/f/a": b"on" + OLD[2:]}


@pytest.fixture
def kept(tmp_path: Path) -> tuple[Path, str]:
    """A feed's file with two messages, and its epoch."""
    path = tmp_path / "feed.db"
    disk = Disk(path)
    epoch, _ = disk.open(10)
    disk.append([(Message(n, "ada", f"text {n}", 0, 0), None) for n in (1, 2)], oldest=1)
    disk.close()
    return path, epoch


SENT = {("ada", "text 1"), ("ada", "text 2"), ("ada", "text 3")}


def promised(epoch: str, *numbers: int) -> Promises:
    promises = Promises()
    promises.take(Said("socket:[1]", b'\x81\x20{"epoch":"%s","cursor":0}' % epoch.encode()))
    for number in numbers:
        text = b'{"id":%d,"sender":"ada","text":"text %d","sent_ns":1,"published_ns":2}'
        answer = b"HTTP/1.1 201 Created\r\n\r\n" + text % (number, number)
        promises.take(Said("socket:[2]", answer[:40]))
        promises.take(Said("socket:[2]", answer[40:]))
    return promises


def test_promises_that_were_kept(kept: tuple[Path, str]) -> None:
    path, epoch = kept
    assert promised(epoch, 1, 2).broken(path, 10, [], SENT) == []


def test_more_than_was_promised_may_be_found(kept: tuple[Path, str]) -> None:
    path, epoch = kept
    assert promised(epoch, 1).broken(path, 10, [], SENT) == []


def test_a_message_that_was_acknowledged_and_is_missing_is_seen(kept: tuple[Path, str]) -> None:
    path, epoch = kept
    (line,) = promised(epoch, 1, 2, 3).broken(path, 10, [], SENT)
    assert line == "message 3 is None, and ('ada', 'text 3') was acknowledged"


def test_a_message_that_nobody_sent_is_seen(kept: tuple[Path, str]) -> None:
    path, epoch = kept
    (line,) = promised(epoch).broken(path, 10, [], {("ada", "text 1")})
    assert line == "('ada', 'text 2') is there 1 times, and was never sent"


def test_an_epoch_that_nobody_was_told_is_seen(kept: tuple[Path, str]) -> None:
    path, epoch = kept
    (line,) = promised("another").broken(path, 10, [], SENT)
    assert line == f"the epoch is {epoch}, and another was promised"


def test_an_epoch_may_have_begun_before_the_teacher_was_told(kept: tuple[Path, str]) -> None:
    path, epoch = kept
    assert promised("another", 1, 2, 3).broken(path, 10, ["another", epoch], SENT) == []


def test_a_file_that_cannot_be_opened_is_a_broken_promise(kept: tuple[Path, str]) -> None:
    path, epoch = kept
    path.write_bytes(b"no database" * 100)
    (line,) = promised(epoch).broken(path, 10, [], SENT)
    assert line.startswith("refused: ")
