"""The contenders: msgcode, SQLite, and the bare system calls, behind the same few operations."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import Protocol
from uuid import uuid4

from msgcode import Store
from msgcode.events import (
    AgentRegistered,
    Event,
    Fact,
    MessageAcknowledged,
    MessageDelivered,
    MessageSent,
)
from msgcode.journal.file import SEGMENT_BYTES
from msgcode.journal.reader import segment_path
from msgcode.model import now
from msgcode.verbs import new_message_id
from tests.written import written

BODY = "The build is green again; please look at the second commit, which changes the lock. " * 2
"""With its envelope about 300 bytes."""

SENDER, READER, IDLER = "sender", "reader", "idler"
"""The agents of every benchmark: `reader` reads what it is sent at once, nothing ever waits for `idler`."""

DURABILITY = {True: "synced", False: "not synced"}
"""What is said of an append: whether it is on the disk before it is done."""

CROWD = [f"crowd-{number}" for number in range(100)]
"""The agents whose waiting messages make a store big."""


class Room(Protocol):
    """One contender's store, opened."""

    def send(self, sender: str, to: str) -> str:
        """Send a message; returns its id."""

    def check(self, agent: str) -> int:
        """Read what waits for the agent, marking it delivered; returns how many messages."""

    def acknowledge(self, agent: str, id: str) -> None:
        """The agent is done with the message."""

    def sent(self, after: int) -> list[str]:
        """The ids of all messages in the store but the first `after`."""

    def close(self) -> None:
        """Let go of the files."""


class MsgcodeRoom:
    """The store under test."""

    def __init__(self, folder: str, *, sync: bool) -> None:
        self._store = Store.open(folder, sync=sync)
        for agent in (SENDER, READER, IDLER):
            self._store.register(agent)

    def send(self, sender: str, to: str) -> str:
        return self._store.send(sender, to, BODY).id

    def check(self, agent: str) -> int:
        return len(self._store.check(agent))

    def acknowledge(self, agent: str, id: str) -> None:
        self._store.acknowledge(agent, id)

    def sent(self, after: int) -> list[str]:
        facts = (event.fact for event in self._store.history())
        return [fact.id for fact in facts if isinstance(fact, MessageSent)][after:]

    def close(self) -> None:
        self._store.close()


class SqliteRoom:
    """A plain good SQLite store of messages: WAL, one transaction an operation, an index for the inbox."""

    _SCHEMA = """
        CREATE TABLE IF NOT EXISTS messages (
            seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sender TEXT NOT NULL, recipient TEXT NOT NULL,
            body TEXT NOT NULL, priority INTEGER NOT NULL, status INTEGER NOT NULL, sent_at REAL NOT NULL
        );
        CREATE INDEX IF NOT EXISTS inbox ON messages (recipient, priority, seq) WHERE status < 2;
    """
    _INSERT = (
        "INSERT INTO messages (id, sender, recipient, body, priority, status, sent_at) "
        "VALUES (?, ?, ?, ?, 2, 0, ?)"
    )

    def __init__(self, folder: str, *, sync: bool) -> None:
        os.makedirs(folder, exist_ok=True)
        self._db = sqlite3.connect(os.path.join(folder, "room.db"), timeout=30, isolation_level=None)
        self._in_wal()
        self._db.execute(f"PRAGMA synchronous={'FULL' if sync else 'NORMAL'}")
        self._db.executescript(self._SCHEMA)

    def _in_wal(self) -> None:
        """Have it kept in WAL mode, for which SQLite does not wait while another process does the same."""
        while True:
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                time.sleep(0.01)

    def send(self, sender: str, to: str) -> str:
        id = str(uuid4())
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(self._INSERT, (id, sender, to, BODY, time.time()))
        self._db.execute("COMMIT")
        return id

    def check(self, agent: str) -> int:
        waiting = "FROM messages WHERE recipient = ? AND status < 2 ORDER BY priority, seq LIMIT 50"
        if not self._db.execute(f"SELECT 1 {waiting}", (agent,)).fetchone():
            return 0
        self._db.execute("BEGIN IMMEDIATE")
        rows = self._db.execute(f"SELECT seq, id, sender, body {waiting}", (agent,)).fetchall()
        self._db.executemany("UPDATE messages SET status = 1 WHERE seq = ?", [row[:1] for row in rows])
        self._db.execute("COMMIT")
        return len(rows)

    def acknowledge(self, agent: str, id: str) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("UPDATE messages SET status = 2 WHERE id = ? AND recipient = ?", (id, agent))
        self._db.execute("COMMIT")

    def sent(self, after: int) -> list[str]:
        rows = self._db.execute("SELECT id FROM messages ORDER BY seq LIMIT -1 OFFSET ?", (after,))
        return [id for (id,) in rows]

    def fill(self, live: int) -> None:
        """Put so many waiting messages in, in one transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        rows = ((str(uuid4()), SENDER, CROWD[n % len(CROWD)], BODY, time.time()) for n in range(live))
        self._db.executemany(self._INSERT, rows)
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


class FloorRoom:
    """What no store in a file can beat: one write of the same bytes, and its write-through."""

    def __init__(self, folder: str, *, sync: bool) -> None:
        os.makedirs(folder, exist_ok=True)
        self._path = os.path.join(folder, "floor.jsonl")
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._sync = getattr(os, "fdatasync", os.fsync) if sync else None

    def send(self, sender: str, to: str) -> str:
        id = new_message_id()
        os.write(self._file, f"{id}{BODY:<260}\n".encode())
        if self._sync:
            self._sync(self._file)
        return id

    def check(self, agent: str) -> int:
        raise NotImplementedError

    def acknowledge(self, agent: str, id: str) -> None:
        raise NotImplementedError

    def sent(self, after: int) -> list[str]:
        with open(self._path) as file:
            return [line[:36] for line in file][after:]

    def close(self) -> None:
        os.close(self._file)


def write_journal(folder: str, *, events: int, live: int) -> None:
    """Lay down a journal of about `events` events in which `live` messages wait, `events` at least `live`.

    The lines and the segments are those that a Store writes, only faster: all that does not wait was
    sent, delivered and acknowledged. The first message begins "Number 1.", and so on. The newest segment
    is full, so the next change begins another.
    """
    journal = os.path.join(folder, "journal")
    os.makedirs(journal, 0o700)
    agents: list[Fact] = [AgentRegistered(agent, agent) for agent in (SENDER, READER, IDLER, *CROWD)]
    moment = now()
    seq = number = size = 0
    segment = None

    def append(facts: list[Fact]) -> None:
        nonlocal seq, number, size, segment
        lines = []
        for fact in facts:
            seq += 1
            lines += written([Event(seq, moment, fact)])
        if segment is None or size >= SEGMENT_BYTES:
            if segment is not None:
                segment.close()
            number += 1
            size = 0
            segment = open(segment_path(journal, number), "wb")  # noqa: SIM115
        size += segment.write(b"".join(lines))

    append(agents)
    count = waiting = 0
    while seq < events or waiting < live or size < SEGMENT_BYTES:
        to = CROWD[waiting % len(CROWD)]
        id = new_message_id()
        count += 1
        sent = MessageSent(id, SENDER, (to,), f"Number {count}. {BODY}", thread=id)
        if waiting < live:
            waiting += 1
            append([sent])
        else:
            append([sent, MessageDelivered(id, to, to), MessageAcknowledged(id, to)])
    if segment is not None:
        segment.close()
