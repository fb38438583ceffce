"""The feed's log in a file, by SQLite: one writer, and what is committed is on disk. No loop here.

All of it blocks, so it belongs in a thread, and always in the same one. The file is locked while it
is open: two servers with one file would give the same ids to different messages.
"""

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from demo.feed import Away
from demo.message import Message

APPLICATION = 0x70767773  # in the file's head, so that no other program's file is taken for ours
VERSION = 1

SCHEMA = (
    "CREATE TABLE feed (epoch TEXT NOT NULL)",
    """CREATE TABLE messages (id INTEGER PRIMARY KEY, sender TEXT NOT NULL, text TEXT NOT NULL,
        sent_ns INTEGER NOT NULL, published_ns INTEGER NOT NULL, key TEXT)""",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)
HISTORY = (
    "SELECT id, sender, text, sent_ns, published_ns, key FROM messages"
    " WHERE id > (SELECT max(id) FROM messages) - ? ORDER BY id"
)

REASONS: dict[int, str] = {
    sqlite3.SQLITE_BUSY: "another server has it open: stop that one, or name another file",
    sqlite3.SQLITE_NOTADB: "it is no file of SQLite: name another",
    sqlite3.SQLITE_CORRUPT: "it is damaged: move it away, or name another file",
}

Row = tuple[Message, str | None]  # a message and the key that its publisher gave it


class Disk:
    """A feed's file; every call raises Away, with the reason, when it cannot be done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writes = path  # beside it, what SQLite has yet to write into it
        self._lie: dict[Path, os.stat_result] = {}
        self._db: sqlite3.Connection | None = None

    def open(self, history: int) -> tuple[str, list[Row]]:
        """Open the file, made anew if there is none; return the epoch and the last messages."""
        with self._told(f"cannot keep the feed in {self.path}"):
            try:
                return self._open(history)
            except BaseException:
                self.close()
                raise

    def append(self, rows: Sequence[Row], oldest: int) -> None:
        """Write messages, and delete those before `oldest`: on disk when this returns, or none."""
        with self._told("the message could not be written"):
            self._check_place()
            with self._transaction() as db:
                db.executemany(
                    "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)",
                    [(*msgspec.structs.astuple(message), key) for message, key in rows],
                )
                db.execute("DELETE FROM messages WHERE id < ?", (oldest,))

    def restart(self, epoch: str) -> None:
        """Delete all messages, and begin another epoch."""
        with self._told("the feed could not begin anew"):
            self._check_place()
            with self._transaction() as db:
                db.execute("DELETE FROM messages")
                db.execute("UPDATE feed SET epoch = ?", (epoch,))

    def close(self) -> None:
        """Close the file, so that another server may have it."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _open(self, history: int) -> tuple[str, list[Row]]:
        real = Path(os.path.realpath(self.path))  # beside which lies the log of writes
        for place in (real.parent, real):
            if place.exists() and not os.access(place, os.W_OK):
                raise PermissionError(0, f"{place} may not be written to")
        self._db = db = sqlite3.connect(self.path, timeout=0, isolation_level=None)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")  # kept from the first read on
        is_new = self._is_new(db)
        # With a rollback journal each commit would sync three times.
        if db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
            raise Away(f"cannot keep the feed in {self.path}: SQLite has no write-ahead log there")
        db.execute("PRAGMA synchronous = FULL")  # each commit, not only each checkpoint
        db.execute("PRAGMA fullfsync = ON")  # on macOS fsync alone ends in the drive's cache
        if is_new:
            self._make()
        elif db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise _damaged(self.path)
        _, _, file = db.execute("PRAGMA database_list").fetchone()
        self._writes = Path(f"{file}-wal")
        self._lie = {place: place.stat() for place in (self.path, self._writes)}
        return self._read(db, history)

    def _is_new(self, db: sqlite3.Connection) -> bool:
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not (application or version or tables):
            return True
        if application != APPLICATION:
            raise Away(f"{self.path} is another program's file: name another with --feed")
        if version != VERSION:
            line = f"{self.path} was made by another version of this program ({version})"
            raise Away(f"{line}: name another with --feed")
        return False

    def _make(self) -> None:
        with self._transaction() as db:
            for statement in SCHEMA:
                db.execute(statement)
            db.execute("INSERT INTO feed VALUES (?)", (secrets.token_hex(4),))

    def _read(self, db: sqlite3.Connection, history: int) -> tuple[str, list[Row]]:
        names = Message.__struct_fields__
        try:
            ((epoch,),) = db.execute("SELECT epoch FROM feed").fetchall()
            rows: list[Row] = [
                (msgspec.convert(dict(zip(names, fields, strict=True)), Message), key)
                for *fields, key in db.execute(HISTORY, (history,))
            ]
        except ValueError:  # no epoch, or a column that holds something else
            raise _damaged(self.path) from None
        if any(row[0].id != rows[0][0].id + place for place, row in enumerate(rows)):
            raise _damaged(self.path)
        return epoch, rows

    def _check_place(self) -> None:
        # SQLite would go on in a file that nobody can find any more.
        if not os.path.samestat(self.path.stat(), self._lie[self.path]):
            raise FileNotFoundError(0, "another file lies there now: put the feed's file back")
        writes = self._writes
        if not writes.exists() or not os.path.samestat(writes.stat(), self._lie[writes]):
            line = f"{writes.name} has gone: stop the server, which still has what was in it"
            raise FileNotFoundError(0, line)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        assert self._db is not None
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk has already ended it
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            reason = REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error))
            raise Away(f"{what} ({reason})") from None
        except OSError as error:
            raise Away(f"{what} ({error.strerror or error})") from None


def _damaged(path: Path) -> Away:
    return Away(f"cannot keep the feed in {path} ({REASONS[sqlite3.SQLITE_CORRUPT]})")
