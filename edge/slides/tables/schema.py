"""The tables of the slide store, version by version, and how an older file becomes a newer one.

A migration is never edited once released: a change of the tables is a new entry at the end.
"""

import sqlite3

from edge.camera.address import without_secrets
from edge.errors import StoreVersionError
from edge.messages.codes import Code

APPLICATION_ID = 0x504C534D
"""``PLSM``, in SQLite's header field for the program a file belongs to (https://sqlite.org/fileformat.html)."""

_VERSION_1 = """
CREATE TABLE slides (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    slide_id TEXT NOT NULL UNIQUE CHECK (length(slide_id) BETWEEN 1 AND 120),
    notes TEXT NOT NULL,
    operator TEXT NOT NULL,
    device TEXT NOT NULL,
    model_name TEXT NOT NULL,
    model_sha256 TEXT NOT NULL CHECK (length(model_sha256) = 64),
    settings TEXT NOT NULL CHECK (json_valid(settings)),
    created_at TEXT NOT NULL
);
CREATE TABLE fields (
    field_id INTEGER PRIMARY KEY,
    slide INTEGER NOT NULL REFERENCES slides ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number >= 1),
    island INTEGER NOT NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    width INTEGER NOT NULL CHECK (width > 0),
    height INTEGER NOT NULL CHECK (height > 0),
    cell_width REAL NOT NULL CHECK (cell_width > 0),
    taken_at TEXT NOT NULL,
    source TEXT NOT NULL,
    checks TEXT NOT NULL CHECK (json_valid(checks)),
    uncovered TEXT NOT NULL CHECK (json_valid(uncovered)),
    UNIQUE (slide, number)
);
CREATE TABLE cells (
    cell_id INTEGER PRIMARY KEY,
    field_id INTEGER NOT NULL REFERENCES fields ON DELETE CASCADE,
    box_x INTEGER NOT NULL,
    box_y INTEGER NOT NULL,
    box_width INTEGER NOT NULL CHECK (box_width > 0),
    box_height INTEGER NOT NULL CHECK (box_height > 0),
    x REAL NOT NULL,
    y REAL NOT NULL,
    probability REAL NOT NULL CHECK (probability BETWEEN 0 AND 1),
    label TEXT NOT NULL CHECK (label IN ('Parasitized', 'Uninfected')),
    doubtful INTEGER NOT NULL CHECK (doubtful IN (0, 1)),
    crop BLOB NOT NULL
);
CREATE INDEX cells_of_field ON cells (field_id);
"""

# A person's calls, the trail of every change, files that were already counted, and cells that turned out,
# when two regions of the slide were joined, to have been counted twice.
_VERSION_2 = """
ALTER TABLE cells ADD COLUMN duplicate_of INTEGER REFERENCES cells ON DELETE SET NULL;
CREATE TABLE reviews (
    review_id INTEGER PRIMARY KEY AUTOINCREMENT,
    cell_id INTEGER NOT NULL REFERENCES cells ON DELETE CASCADE,
    call TEXT CHECK (call IN ('Parasitized', 'Uninfected')),
    reviewer TEXT NOT NULL CHECK (length(reviewer) >= 1),
    at TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX reviews_of_cell ON reviews (cell_id, review_id);
CREATE TRIGGER reviews_are_added_never_changed BEFORE UPDATE ON reviews
BEGIN SELECT RAISE(ABORT, 'a review is never changed: add a later one'); END;
CREATE TRIGGER verdicts_are_never_changed BEFORE UPDATE OF label, probability ON cells
BEGIN SELECT RAISE(ABORT, 'a verdict of the machine is never changed: add a review'); END;
CREATE TABLE audit (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    slide INTEGER NOT NULL,
    detail TEXT NOT NULL CHECK (json_valid(detail))
);
CREATE INDEX audit_of_slide ON audit (slide, entry_id);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TABLE files_taken (
    slide INTEGER NOT NULL REFERENCES slides ON DELETE CASCADE,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    outcome TEXT NOT NULL,
    taken_at TEXT NOT NULL,
    PRIMARY KEY (slide, sha256)
) WITHOUT ROWID;
INSERT INTO audit (at, who, action, slide, detail)
    SELECT created_at, operator, 'slide created', number, '{}' FROM slides;
"""

# Until then the address of a network camera was stored as it was typed, with its password.
_VERSION_3 = """
UPDATE slides SET device = without_secrets(device) WHERE device LIKE '%://%';
UPDATE fields SET source = without_secrets(source) WHERE source LIKE '%://%';
"""

# What was overwritten is still in parts of pages that SQLite moved rows out of: the file is written anew.
_VERSION_4 = "VACUUM;"

# What of its box is the cell, so that it can be cut out of its small picture as it was cut when it was judged.
_VERSION_5 = """
CREATE TABLE outlines (
    cell_id INTEGER PRIMARY KEY REFERENCES cells ON DELETE CASCADE,
    mask BLOB NOT NULL
);
"""

# Which of two readings, or the decision between them, a call belongs to; and what a reader noted of the parasite.
_VERSION_6 = """
ALTER TABLE reviews ADD COLUMN reading INTEGER NOT NULL DEFAULT 1 CHECK (reading BETWEEN 1 AND 3);
ALTER TABLE reviews ADD COLUMN species TEXT NOT NULL DEFAULT '';
ALTER TABLE reviews ADD COLUMN stage TEXT NOT NULL DEFAULT '';
"""

# A cell is judged again where a better view of it comes. What an earlier view said is kept; how good each view was,
# 0 perfect and up to 1 to be judged by, stands with its verdict. What was counted before was judged.
_VERSION_7 = """
ALTER TABLE cells ADD COLUMN strain REAL NOT NULL DEFAULT 0 CHECK (strain >= 0);
ALTER TABLE fields ADD COLUMN turn REAL NOT NULL DEFAULT 0;
ALTER TABLE fields ADD COLUMN glimpse BLOB;
CREATE TABLE views (
    view_id INTEGER PRIMARY KEY AUTOINCREMENT,
    cell_id INTEGER NOT NULL REFERENCES cells ON DELETE CASCADE,
    field_id INTEGER NOT NULL REFERENCES fields ON DELETE CASCADE,
    box_x INTEGER NOT NULL,
    box_y INTEGER NOT NULL,
    box_width INTEGER NOT NULL,
    box_height INTEGER NOT NULL,
    probability REAL NOT NULL,
    label TEXT NOT NULL,
    doubtful INTEGER NOT NULL,
    strain REAL NOT NULL,
    replaced_at TEXT NOT NULL
);
CREATE INDEX views_of_cell ON views (cell_id, view_id);
CREATE TRIGGER views_are_never_changed BEFORE UPDATE ON views
BEGIN SELECT RAISE(ABORT, 'an earlier view is never changed'); END;
DROP TRIGGER verdicts_are_never_changed;
CREATE TRIGGER verdicts_are_never_lost BEFORE UPDATE OF label, probability ON cells
WHEN NOT EXISTS (
    SELECT 1 FROM views WHERE views.cell_id = OLD.cell_id AND views.field_id = OLD.field_id
    AND views.label = OLD.label AND views.probability = OLD.probability
)
BEGIN SELECT RAISE(ABORT, 'a verdict of the machine is never lost: keep it as an earlier view first'); END;
"""

# The outbox: a slide's revision grows in the very transaction that changes it, and is sent while it is above the one
# that the server has (`edge.sending.outbox`).
_VERSION_8 = """
CREATE TABLE outbox (
    slide INTEGER PRIMARY KEY REFERENCES slides ON DELETE CASCADE,
    revision INTEGER NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    sent_at TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    next_try TEXT,
    refusal TEXT NOT NULL DEFAULT ''
);
INSERT INTO outbox (slide, revision)
    SELECT number, EXISTS (SELECT 1 FROM fields WHERE fields.slide = slides.number) FROM slides;
CREATE TRIGGER outbox_takes_a_slide AFTER INSERT ON slides
BEGIN INSERT INTO outbox (slide, revision) VALUES (new.number, 0); END;
CREATE TRIGGER outbox_sees_a_field AFTER INSERT ON fields
BEGIN
    UPDATE outbox SET revision = revision + 1, tries = 0, next_try = NULL, refusal = '' WHERE slide = new.slide;
END;
CREATE TRIGGER outbox_sees_a_review AFTER INSERT ON reviews
BEGIN
    UPDATE outbox SET revision = revision + 1, tries = 0, next_try = NULL, refusal = ''
    WHERE slide = (SELECT fields.slide FROM cells JOIN fields USING (field_id) WHERE cell_id = new.cell_id);
END;
CREATE TRIGGER outbox_sees_another_verdict AFTER UPDATE OF duplicate_of, label, probability ON cells
BEGIN
    UPDATE outbox SET revision = revision + 1, tries = 0, next_try = NULL, refusal = ''
    WHERE slide = (SELECT fields.slide FROM fields WHERE field_id = new.field_id);
END;
"""

# A field as a small picture, for what is around a cell (`edge.slides.surroundings`); apart, so that lists of fields
# are read without it.
_VERSION_9 = """
CREATE TABLE pictures (
    field_id INTEGER PRIMARY KEY REFERENCES fields ON DELETE CASCADE,
    jpeg BLOB NOT NULL
);
"""

MIGRATIONS: tuple[str, ...] = (
    _VERSION_1,
    _VERSION_2,
    _VERSION_3,
    _VERSION_4,
    _VERSION_5,
    _VERSION_6,
    _VERSION_7,
    _VERSION_8,
    _VERSION_9,
)
"""Entry n turns a file of version n into one of version n + 1."""

CURRENT_VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, *, path: str, up_to: int = CURRENT_VERSION) -> None:
    """Bring a slide store to a version of its tables, each step whole or not at all.

    Args:
        connection: an open connection in autocommit mode.
        path: the file, for messages.
        up_to: the version to stop at; anything but the current one is for tests.

    Raises:
        StoreVersionError: the file belongs to another program or to a newer Plasmolite.
        sqlite3.Error: the file is damaged, locked, or its disk is full.
    """
    first = _version(connection, path)
    connection.create_function("without_secrets", 1, without_secrets, deterministic=True)
    # A new file is made in one step, since each waits for the disk twice; it holds no former rows to clean.
    steps = [range(up_to)] if first == 0 else [range(version, version + 1) for version in range(first, up_to)]
    for step in steps:
        if first and MIGRATIONS[step.start] == _VERSION_4:
            # Whole or not at all by itself, and refused within a transaction.
            connection.execute(_VERSION_4)
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have migrated while this one waited for the lock.
            if _version(connection, path) == step.start:
                for script in MIGRATIONS[step.start : step.stop]:
                    for statement in () if script == _VERSION_4 else _statements(script):
                        connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {step.stop}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    if first < up_to:
        # The log holds the rows as they were.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _version(connection: sqlite3.Connection, path: str) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and (owner or version or tables):
        raise StoreVersionError(Code.STORE_OF_ANOTHER_PROGRAM, path=path)
    if version > CURRENT_VERSION:
        raise StoreVersionError(Code.STORE_NEWER, path=path, found=version, read=CURRENT_VERSION)
    return version


def _statements(script: str) -> list[str]:
    """Split a script where SQLite itself says that a statement is complete: triggers hold semicolons."""
    statements: list[str] = []
    pending = ""
    for line in script.splitlines():
        pending += line + "\n"
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
