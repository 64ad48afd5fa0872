"""The tables of the SQLite store, their version, and how an older file becomes a newer one."""

from pathlib import Path

import apsw

from session.errors import StoreUnusable
from session.store.sqlite.rows import rows

MIGRATIONS = (
    """
    CREATE TABLE sessions (
        session_id TEXT PRIMARY KEY,
        room       TEXT NOT NULL,
        user       TEXT NOT NULL,
        is_open    INTEGER NOT NULL,
        created_at REAL NOT NULL,
        record     TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX sessions_by_room ON sessions (room, user);
    CREATE INDEX sessions_by_user ON sessions (user, created_at);
    CREATE TABLE messages (
        seq        INTEGER PRIMARY KEY AUTOINCREMENT,
        session_id TEXT NOT NULL,
        id         TEXT NOT NULL,
        user       TEXT NOT NULL,
        record     TEXT NOT NULL,
        UNIQUE (session_id, id)
    );
    CREATE INDEX messages_by_user ON messages (user, seq);
    CREATE TABLE turns (
        session_id   TEXT NOT NULL,
        turn         INTEGER NOT NULL,
        reserved_at  REAL,
        committed_at REAL,
        PRIMARY KEY (session_id, turn)
    ) WITHOUT ROWID;
    CREATE TABLE leases (
        room       TEXT PRIMARY KEY,
        owner      TEXT NOT NULL,
        fence      INTEGER NOT NULL,
        expires_at REAL NOT NULL,
        asked_to_leave INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO counters VALUES ('sessions_created', 0), ('fence', 0);
    """,
    """
    ALTER TABLE sessions ADD COLUMN seen_at REAL NOT NULL DEFAULT 0;
    UPDATE sessions SET seen_at = record ->> '$.seen_at';
    CREATE INDEX sessions_by_life ON sessions (seen_at);
    DELETE FROM turns WHERE committed_at IS NULL;
    ALTER TABLE turns DROP COLUMN reserved_at;
    ALTER TABLE turns DROP COLUMN committed_at;
    ALTER TABLE leases ADD COLUMN ttl_seconds REAL NOT NULL DEFAULT 3; -- as all had until then
    CREATE TABLE measured (
        session_id    TEXT NOT NULL,
        turn          INTEGER NOT NULL,
        at            REAL NOT NULL,
        reply_seconds REAL,
        record        TEXT NOT NULL,
        PRIMARY KEY (session_id, turn)
    ) WITHOUT ROWID;
    CREATE INDEX measured_by_time ON measured (at) WHERE reply_seconds IS NOT NULL;
    CREATE TABLE hits (
        key TEXT NOT NULL,
        tag TEXT NOT NULL,
        at  REAL NOT NULL,
        PRIMARY KEY (key, tag)
    ) WITHOUT ROWID;
    CREATE INDEX hits_by_time ON hits (at);
    CREATE TABLE blocks (
        key     TEXT PRIMARY KEY,
        until   REAL NOT NULL,
        strikes INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE accounts (
        key               TEXT PRIMARY KEY,
        spent_micros      INTEGER NOT NULL DEFAULT 0,
        reserved_micros   INTEGER NOT NULL DEFAULT 0,
        spent_tokens      INTEGER NOT NULL DEFAULT 0,
        reserved_tokens   INTEGER NOT NULL DEFAULT 0,
        requests          INTEGER NOT NULL DEFAULT 0,
        estimated_micros  INTEGER NOT NULL DEFAULT 0,
        unpriced_requests INTEGER NOT NULL DEFAULT 0,
        used_at           REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE reservations (
        id          TEXT PRIMARY KEY,
        accounts    TEXT NOT NULL,
        micros      INTEGER NOT NULL,
        tokens      INTEGER NOT NULL,
        expires_at  REAL NOT NULL,
        has_run_out INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE INDEX reservations_by_end ON reservations (has_run_out, expires_at);
    CREATE TABLE breaker (
        only   INTEGER PRIMARY KEY CHECK (only = 1),
        until  REAL NOT NULL,
        reason TEXT NOT NULL
    );
    CREATE TABLE claims (
        key        TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        expires_at REAL NOT NULL,
        result     TEXT
    ) WITHOUT ROWID;
    CREATE INDEX claims_by_session ON claims (session_id) WHERE session_id != '';
    CREATE INDEX claims_by_end ON claims (expires_at);
    """,
    """
    CREATE TABLE memories (
        user       TEXT NOT NULL,
        skill      TEXT NOT NULL,
        key        TEXT NOT NULL,
        text       TEXT NOT NULL,
        written_at REAL NOT NULL,
        PRIMARY KEY (user, skill, key)
    );
    CREATE INDEX memories_by_time ON memories (written_at);
    """,
    """
    CREATE TABLE circuits (
        name    TEXT PRIMARY KEY,
        record  TEXT NOT NULL,
        over_at REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE notes (
        room  TEXT PRIMARY KEY,
        fence INTEGER NOT NULL,
        note  TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX measured_lately ON measured (at);
    """,
)
"""One script a version; never change one that was released, add another."""


def migrate(db: apsw.Connection) -> None:
    """Bring the file to this version in one transaction, whichever process comes first."""
    if _version(db) == len(MIGRATIONS):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        for script in MIGRATIONS[_version(db) :]:
            db.execute(script)
        db.pragma("user_version", len(MIGRATIONS))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite itself rolls back when the disk is full
            db.execute("ROLLBACK")
        raise


def refuse_foreign(db: apsw.Connection, path: Path) -> None:
    """Let be what another program wrote, or a newer June.

    Raises:
        StoreUnusable: for either.
    """
    # One statement, so that the answer is of one moment: another process may be migrating.
    ((version, tables, own),) = rows(
        db,
        "SELECT user_version, (SELECT count(*) FROM sqlite_schema), "
        "(SELECT count(*) FROM sqlite_schema WHERE name = 'counters') FROM pragma_user_version",
    )
    if tables and not (own and version):
        raise StoreUnusable(
            f"the store `{path}` is a SQLite database, but not June's\n"
            "hint: name another file in `[store] url`"
        )
    if version > len(MIGRATIONS):
        raise StoreUnusable(
            f"the store `{path}` was written by a newer June (its version is {version}, this one "
            f"knows {len(MIGRATIONS)})\n"
            "hint: update June, or name another file in `[store] url`"
        )


def _version(db: apsw.Connection) -> int:
    return int(db.pragma("user_version"))
