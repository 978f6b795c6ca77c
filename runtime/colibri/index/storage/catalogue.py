"""The SQLite file: documents, passages, and the truth about which bytes of which segment are committed.

    meta       what the index is, a row a fact; `commits` counts transactions, so that readers see when to look again
    segments   for each: how many passages and tokens are committed, and a bit for each passage that is gone
    documents  number, id, payload; its passages are the slots first to first + passages - 1 of a segment
    texts      the texts, apart, so that compacting never moves them
    passages   by slot: which document, which of its characters, each token's characters, CRC-32 of it all

A slot is segment << 24 | place in the segment. Every row carries a CRC-32 of what it says.
"""

import os
import sqlite3
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from colibri.errors import InputError, StoreDamaged, StoreError, StoreLocked
from colibri.index.storage import forking
from colibri.index.storage.sharing import share

FILE_NAME = "index.sqlite"
FORMAT = 2
"""The newest that is read; 1 has no words."""
FACTS = ("format", "scheme", "space_id", "model", "dim", "commits", "next_segment", "next_document")

POOL = "pool"
"""The fact that says how many tokens are a row on average; an index that has none pools none."""

SEGMENT_SHIFT = 24
PAGE_BYTES = 4_096
_OLDEST_SQLITE = (3, 38, 0)  # JSON functions built in
_BUSY_SECONDS = 30  # SQLite's own short locks: a checkpoint, the recovery of a log
_LOG_BYTES = 64 << 20  # the log is cut back to this after a large transaction
_LOG_PAGES = 4_000  # 16 MB: SQLite's 1,000 would bring the log in with every thousand deletes of ids here and there
_MAPPED_BYTES = 0  # SQLite reads by itself: a mapped database that is cut off would end the process

_TOO_MUCH = ("parser stack overflow", "Expression tree is too large", "string or blob too big")

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (number INTEGER PRIMARY KEY, passages INTEGER NOT NULL, tokens INTEGER NOT NULL,
    gone BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE documents (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, first INTEGER NOT NULL,
    passages INTEGER NOT NULL, payload TEXT, text_crc INTEGER, crc INTEGER NOT NULL);
CREATE TABLE texts (number INTEGER PRIMARY KEY, text BLOB NOT NULL);
CREATE TABLE passages (slot INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, spans BLOB, crc INTEGER NOT NULL);
"""


_of_parents: list[sqlite3.Connection] = []


class Catalogue:
    """Connections to the SQLite file of one index; threads may share it.

    A connection is lent to one call at a time, so there are as many as calls that were ever under way at once.
    """

    def __init__(self, folder: Path) -> None:
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            wanted = ".".join(map(str, _OLDEST_SQLITE))
            raise StoreError(f"this Python has SQLite {sqlite3.sqlite_version}; an index needs {wanted} or newer")
        self._folder = folder
        self._path = folder / FILE_NAME
        self._idle: list[sqlite3.Connection] = []
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        self._process = os.getpid()
        self._frozen: tuple[int, ...] | None = None
        self._file: tuple[int, int] | None = None
        self.files = 0
        """Counts files that were met under the name: more than one where another index took the folder's place."""
        forking.tell(self)

    @contextmanager
    def lent(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection without a transaction. SQLite's errors become StoreDamaged, StoreLocked or StoreError."""
        with self._lock:
            if self._closed:
                raise StoreError(f"{self._folder}: this index was closed")
            if self._process != os.getpid():  # a forked child must not even close what its parent has open
                _of_parents.extend(self._all)
                self._idle, self._all, self._process = [], [], os.getpid()
            if self._frozen is not None and self._frozen != self._signature():
                self._drop()  # somebody who may write has written to what was opened as unchanging
            self._notice_another_file()
            connection = self._idle.pop() if self._idle else None
        with self.explained():
            if connection is None:
                connection = self._connect(create)
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.rollback()
                with self._lock:
                    if self._closed or connection not in self._all:
                        connection.close()
                    else:
                        self._idle.append(connection)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one commit until the end."""
        with self.lent() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Errors of SQLite as ours."""
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # a fault of ours
        except sqlite3.Error as error:
            name = str(getattr(error, "sqlite_errorname", ""))
            said = f"{self._path}: {error}"
            if isinstance(error, sqlite3.DataError) or str(error).startswith(_TOO_MUCH):
                raise InputError(f"more than SQLite takes ({error})") from error
            if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise StoreLocked(f"{said}; another program holds the file") from error
            if name.startswith("SQLITE_FULL"):
                raise StoreError(f"{said}: the disk is full; nothing was changed") from error
            if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR")):
                raise StoreError(f"{said} ({name})") from error
            raise StoreDamaged(f"{said}; `colibri index --verify` says what is hit, --repair mends it") from error
        except UnicodeDecodeError as error:
            if not _of_sqlite(error):
                raise
            raise StoreDamaged(
                f"{self._path}: its schema changed on disk; `colibri index --repair` mends it"
            ) from error

    def close(self) -> None:
        """Close every connection. The last one of all processes brings the log into the file and removes it."""
        with self._lock:
            self._closed = True
            self._drop()

    def before_fork(self) -> None:
        """See `forking`. What is under way, in another thread or an open listing, stays open."""
        self._lock.acquire()
        if self._process == os.getpid():
            for connection in self._idle:
                self._all.remove(connection)
                with suppress(sqlite3.Error):
                    connection.close()
            self._idle = []

    def after_fork(self) -> None:
        """See `forking`."""
        self._lock.release()

    def reset(self) -> None:
        """Connect anew from now on."""
        with self._lock:
            self._drop()

    def _notice_another_file(self) -> None:
        """Whoever makes an index anew renames folders, and connections to the old file would be mixed with new ones.
        Of a folder that is gone the old ones are what there is."""
        try:
            found = self._path.stat()
        except OSError:
            return
        file = (found.st_dev, found.st_ino)
        if file != self._file:
            if self._file is not None:
                self._drop()
            self._file = file
            self.files += 1

    def _drop(self) -> None:
        for connection in self._idle:
            with suppress(sqlite3.Error):
                connection.close()
        self._idle, self._all, self._frozen = [], [], None

    def _connect(self, create: bool) -> sqlite3.Connection:
        mode = "rwc" if create else "rw"
        frozen = None
        if not create and not writable(self._folder, self._path):
            mode = "ro"
            frozen = self._read_only_signature()
        new = [path for path in self._files() if mode != "ro" and not path.exists()]
        connection = sqlite3.connect(
            f"{self._path.absolute().as_uri()}?mode={mode}{'&immutable=1' if frozen else ''}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        if create:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # `compact` gives pages back
        connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
        connection.execute("PRAGMA trusted_schema = OFF")
        if mode != "ro":
            if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                raise StoreError(f"{self._path}: the file system cannot share memory, which an index needs")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            if sys.platform == "darwin":
                connection.execute("PRAGMA fullfsync = ON")
        with suppress(sqlite3.Error):  # no FTS5: words are not asked for
            connection.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, words, row)")
        for path in new:
            with suppress(FileNotFoundError):  # SQLite makes its log when it needs it, and removes it at the end
                share(path)
        with self._lock:
            self._all.append(connection)
            if frozen:
                self._frozen = frozen
        return connection

    def _files(self) -> list[Path]:
        return [self._path.with_name(f"{FILE_NAME}{end}") for end in ("", "-wal", "-shm")]

    def _read_only_signature(self) -> tuple[int, ...] | None:
        """What tells whether the file changed, where it may be opened as unchanging; None: its log is shared live."""
        log = self._path.with_name(f"{FILE_NAME}-wal")
        if not log.exists() or log.stat().st_size == 0:
            return self._signature()
        if self._path.with_name(f"{FILE_NAME}-shm").exists():
            return None
        raise StoreError(
            f"{self._folder}: read-only, and its last writer was not closed: the newest changes are still in "
            f"{log.name}. Open it once from an account that may write there"
        )

    def _signature(self) -> tuple[int, ...]:
        found = self._path.stat()
        log = self._path.with_name(f"{FILE_NAME}-wal")
        return (found.st_ino, found.st_size, found.st_mtime_ns, log.stat().st_size if log.exists() else 0)


def keep_of_parent(connection: sqlite3.Connection) -> None:
    """In a forked child: never close what the parent has open."""
    _of_parents.append(connection)


def make_tables(connection: sqlite3.Connection, facts: dict[str, str]) -> None:
    """Within a transaction: everything an empty index has."""
    for statement in _TABLES.split(";")[:-1]:
        connection.execute(statement)
    for name, value in {**facts, "commits": "0", "next_segment": "1", "next_document": "1"}.items():
        write_fact(connection, name, value)


def schema_is_whole(connection: sqlite3.Connection) -> bool:
    """Whether the tables are those that were made, the words' aside (`words.definition`): a bit of their definition can
    flip like any other."""
    listing = (
        "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master WHERE name NOT LIKE 'words%' ORDER BY rowid"
    )
    with closing(_fresh()) as fresh:
        found: bool = connection.execute(listing).fetchall() == fresh.execute(listing).fetchall()
        return found


def expected_first_page() -> bytes:
    """The first page of an empty index. All but its 100 bytes of header is the same in every index: in files that
    vacuum in steps, tables begin on the first pages, and stay there."""
    with closing(_fresh()) as fresh:
        return fresh.serialize()[:PAGE_BYTES]


def _fresh() -> sqlite3.Connection:
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    fresh.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    fresh.execute("PRAGMA auto_vacuum = INCREMENTAL")
    fresh.executescript(_TABLES)
    return fresh


def has_tables(connection: sqlite3.Connection) -> bool:
    """Whether it was ever made; a process that dies while making it leaves none."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is not None


def read_facts(connection: sqlite3.Connection) -> dict[str, str]:
    """All of meta. Raises StoreDamaged for a row that changed on disk."""
    facts = {}
    for name, value, crc in connection.execute("SELECT name, value, crc FROM meta"):
        if crc != fact_crc(name, value):
            raise StoreDamaged(f"the index's own facts changed on disk ({name!r}); `colibri index --repair` mends it")
        facts[name] = value
    return facts


def standing_facts(connection: sqlite3.Connection, schema: str = "") -> dict[str, str]:
    """Those that say what the rows are, as far as they are whole: only a takeover or a conversion changes them.

    schema: "name." of an attached file.
    """
    names = "('dim', 'scheme', 'space_id', 'model', 'pool')"
    rows = connection.execute(f"SELECT name, value, crc FROM {schema}meta WHERE name IN {names}")
    return {name: value for name, value, crc in rows if isinstance(value, str) and crc == fact_crc(name, value)}


def pool_of(facts: Mapping[str, str]) -> int:
    """What POOL says."""
    return int(facts.get(POOL, "1"))


def write_fact(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Set one."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (name, value, fact_crc(name, value)))


def fact_crc(name: str, value: str) -> int:
    """Of a row of meta."""
    return zlib.crc32(f"{name}\0{value}".encode("utf-8", "surrogatepass"))


def _of_sqlite(error: BaseException) -> bool:
    """Whether it comes from SQLite, called here, and not from what the caller gave (a generator that reads files)."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    # By the module's name: in a frozen program, code has no file.
    return last is not None and str(last.tb_frame.f_globals.get("__name__")).startswith("colibri.index.")


def writable(folder: Path, file: Path) -> bool:
    """Whether SQLite may keep its log beside the file."""
    return os.access(folder, os.W_OK | os.X_OK) and (not file.exists() or os.access(file, os.W_OK))
