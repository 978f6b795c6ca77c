"""Keys: a file of their hashes, read again when it changes.

A key is 256 random bits, so one SHA-256 of it is as good as a slow hash: nobody tries so many. The file says nothing
that lets anyone in, but belongs to its owner alone all the same.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, get_args

from colibri.artefact import parse_typed
from colibri.errors import ArtefactError, InputError

log = logging.getLogger(__name__)

KeyScope = Literal["rank", "search", "write"]
"""rank: vectors and ranking. search: looking into the index. write: changing it."""
SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)

_PREFIX = "colibri_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Key:
    """What is kept of a key."""

    name: str
    sha256: str
    """Of the key's UTF-8, hexadecimal, in lower case."""
    requests_per_minute: int | None
    tokens_per_minute: int | None
    created: str
    scopes: tuple[KeyScope, ...] = SCOPES
    ends: str | None = None
    """An ISO 8601 time with its zone, from which on nobody is let in."""

    @property
    def ended(self) -> bool:
        """Whether it is that late."""
        return self.ends is not None and _time(self.ends) <= datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class _File:
    keys: tuple[Key, ...]


def add_key(
    path: Path,
    name: str,
    *,
    requests_per_minute: int | None = None,
    tokens_per_minute: int | None = None,
    scopes: Sequence[KeyScope] = SCOPES,
    last_day: date | None = None,
) -> str:
    """Make a key, keep its hash in the file (made when it is not there), and return it: it cannot be had again.

    last_day: in UTC, the last on which it lets anybody in; None: there is none

    Raises InputError for a name that is taken or not of letters, digits, dots, dashes, no scope, or a day that is past;
    ArtefactError for a file that is not one of keys.
    """
    if not scopes:
        raise InputError(f"no scope, wanted some of {', '.join(SCOPES)}")
    if last_day is not None and last_day < datetime.now(UTC).date():
        raise InputError(f"last day {last_day}: is past, so that key would let nobody in")
    if not _NAME.fullmatch(name):
        raise InputError(f"name {name!r}: wanted 1 to 64 letters, digits, dots, dashes or underscores")
    keys = read_keys(path) if path.exists() else ()
    if any(key.name == name for key in keys):
        raise InputError(f"{path}: has a key of the name {name}; remove it first, or take another name")
    secret = _PREFIX + secrets.token_urlsafe(32)
    made = Key(
        name=name,
        sha256=hashlib.sha256(secret.encode()).hexdigest(),
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        scopes=tuple(scope for scope in SCOPES if scope in scopes),
        ends=None if last_day is None else f"{last_day}T23:59:59+00:00",
    )
    _write(path, (*keys, made))
    return secret


def remove_key(path: Path, name: str) -> None:
    """Take a key out of the file. Raises InputError where there is none of that name."""
    keys = read_keys(path)
    if all(key.name != name for key in keys):
        raise InputError(f"{path}: no key {name!r}; there is {', '.join(key.name for key in keys) or 'none'}")
    _write(path, tuple(key for key in keys if key.name != name))


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys of a file. Raises ArtefactError when it cannot be read as one; no value of the file is in its message,
    since somebody may have written a key there instead of its hash."""
    try:
        found: _File = parse_typed(_File, json.loads(path.read_text(encoding="utf-8")), "")
    except FileNotFoundError as error:
        raise ArtefactError(f"{path}: there is no such file; `colibri keys add NAME` makes it") from error
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # ArtefactError of `parse` among them
        place, quoted, _ = str(error).partition(": found ")
        said = f"{place}: not what it should be" if quoted else place
        raise ArtefactError(f"{path}: is no file of keys ({said}); `colibri keys add NAME` makes them") from None
    for i, key in enumerate(found.keys):
        wrong = [
            *(["name: wanted letters, digits, dots, dashes or underscores"] if not _NAME.fullmatch(key.name) else []),
            *(["name: is there twice"] if any(key.name == other.name for other in found.keys[:i]) else []),
            *(["sha256: wanted 64 hexadecimal digits, in lower case"] if not _HASH.fullmatch(key.sha256) else []),
            *(["requests_per_minute: wanted null or at least 1"] if _below_1(key.requests_per_minute) else []),
            *(["tokens_per_minute: wanted null or at least 1"] if _below_1(key.tokens_per_minute) else []),
            *(["scopes: wanted at least one"] if not key.scopes else []),
            *(["ends: wanted null or a time with its zone"] if key.ends is not None and not _is_time(key.ends) else []),
        ]
        if wrong:
            raise ArtefactError(f"{path}: keys[{i}].{wrong[0]}; `colibri keys add NAME` makes them")
    return found.keys


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_time(text: str) -> bool:
    try:
        return _time(text).tzinfo is not None
    except ValueError:
        return False


def _below_1(limit: int | None) -> bool:
    return limit is not None and limit < 1


def _write(path: Path, keys: tuple[Key, ...]) -> None:
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    text = json.dumps({"keys": [asdict(key) for key in keys]}, indent=2) + "\n"
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)


class KeyRing:
    """The keys of a file as they are now."""

    def __init__(self, path: Path) -> None:
        """Raises ArtefactError when the file cannot be read."""
        self._path = path
        self._state = _state(path)
        self._keys = read_keys(path)
        self._own: tuple[Key, ...] = ()

    def own_key(self) -> str:
        """Make a key to search with that is in no file, and ends with this process: for commands of its own user."""
        secret = _PREFIX + secrets.token_urlsafe(32)
        made = Key(
            name="own",
            sha256=hashlib.sha256(secret.encode()).hexdigest(),
            requests_per_minute=None,
            tokens_per_minute=None,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            scopes=("search",),
        )
        self._own = (*self._own, made)
        return secret

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, secret: str) -> Key | None:
        """The key, or None. Every hash is compared to its end, so that time tells nothing of them."""
        self._reload()
        digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
        found = None
        for key in (*self._keys, *self._own):
            if hmac.compare_digest(digest, key.sha256):
                found = key
        return found

    def _reload(self) -> None:
        """Read the file when it is another than before; while it cannot be read, the keys stay what they were."""
        state = _state(self._path)
        if state == self._state:
            return
        self._state = state
        try:
            self._keys = read_keys(self._path)
            log.info("keys were read again: %d", len(self._keys))
        except ArtefactError as error:
            log.error("the keys stay what they were: %s", error)


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
