"""What the user configured of their own indexes: `config.toml` of their configuration folder, or COLIBRI_CONFIG.

    roots = ["~/Documents", "~/notes"]   # of the index without a name: `colibri index` looks at them, too
    ignore = ["*.log", "drafts/"]        # left out, as .gitignore would
    kinds = ["pdf", "source code"]       # only these are read: kinds, or endings of them (`colibri index --kinds`)
    trusted = ["/srv/team"]              # folders whose .colibri-index is used, whoever owns it

    [index.work]                         # --name work: what it does not say is as above, but roots
    roots = ["~/work"]

Whatever is not understood is refused, so that nothing is indexed that somebody meant to leave out. What patterns and
kinds mean is said by who reads files.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from colibri.errors import InputError
from colibri.machine import home, user_config, why_no_home
from colibri.own.alike import nearest
from colibri.own.keeping import DEFAULT, checked_name

VARIABLE = "COLIBRI_CONFIG"
_FILE = "config.toml"
_OF_AN_INDEX = ("roots", "ignore", "kinds")
_TRUSTED, _INDEX = "trusted", "index"
_EXAMPLES = {
    "roots": '["~/Documents"]', "ignore": '["*.log", "drafts/"]', "kinds": '["pdf", "source code"]',
    _TRUSTED: '["/srv/team"]',
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Of one of the user's own indexes. ignore, kinds: as they were written.

    file  where they stand; None: nothing is configured
    """

    file: Path | None = None
    roots: tuple[Path, ...] = ()
    ignore: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Configured:
    file: Path | None = None
    indexes: Mapping[str, Settings] = field(default_factory=dict)
    others: Settings = field(default_factory=Settings)
    trusted: tuple[Path, ...] = ()


def settings_of(name: str) -> Settings:
    """Of an index by its name. Raises InputError for a file that cannot be read or understood."""
    found = _configured()
    return found.indexes.get(name, found.others)


def configured_names() -> tuple[str, ...]:
    """Indexes with settings of their own. Raises as `settings_of`."""
    return tuple(_configured().indexes)


def trusted() -> tuple[Path, ...]:
    """Folders in which an index may be another user's. Raises as `settings_of`."""
    return _configured().trusted


def configuration_file() -> Path | None:
    """Where it is, or would be; None where no home folder is known."""
    if said := os.environ.get(VARIABLE):
        user = home()
        path = Path(said)
        return user.joinpath(*path.parts[1:]) if user and path.parts[:1] == ("~",) else path
    folder = user_config()
    return folder and folder / _FILE


def _configured() -> _Configured:
    file = configuration_file()
    if file is None:
        return _Configured()
    try:
        text = file.read_bytes().decode("utf-8-sig")  # editors of Windows put a mark at its beginning
    except (FileNotFoundError, NotADirectoryError) as error:
        if os.environ.get(VARIABLE):
            raise InputError(f"{file}: no such file, and {VARIABLE} names it") from error
        return _Configured()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 at byte {error.start}") from error
    import tomllib  # most have no such file

    try:
        return _understood(tomllib.loads(text), file)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{file}: is no TOML: {error}") from error


def _understood(document: Mapping[str, Any], file: Path) -> _Configured:
    _refuse_unknown(document, (*_OF_AN_INDEX, _TRUSTED, _INDEX), file, "")
    own = _settings(document, file, "")
    others = Settings(file=file, ignore=own.ignore, kinds=own.kinds)
    indexes = {DEFAULT: own} if any(key in document for key in _OF_AN_INDEX) else {}
    tables = document.get(_INDEX, {})
    if not isinstance(tables, Mapping):
        raise InputError(f"{file}: {_INDEX}: found {_shown(tables)}, wanted a table such as [index.work]")
    for name, table in tables.items():
        where = f"[{_INDEX}.{name}] "
        try:
            plain = checked_name(name)
        except InputError as error:
            raise InputError(f"{file}: {where}{error}") from error
        if not isinstance(table, Mapping):
            raise InputError(f"{file}: {where}found {_shown(table)}, wanted a table with {', '.join(_OF_AN_INDEX)}")
        _refuse_unknown(table, _OF_AN_INDEX, file, where)
        indexes[plain] = _settings(table, file, where, own if plain == DEFAULT else others)
    return _Configured(file=file, indexes=indexes, others=others, trusted=_paths(document, _TRUSTED, file, ""))


def _refuse_unknown(table: Mapping[str, Any], known: Sequence[str], file: Path, where: str) -> None:
    for key in table:
        if key not in known:
            close = nearest(key, known)
            hint = f"the nearest is {close!r}" if close else f"there is {', '.join(known)}"
            raise InputError(f"{file}: {where}unknown key {key!r}; {hint}")


def _settings(table: Mapping[str, Any], file: Path, where: str, default: Settings | None = None) -> Settings:
    """default: what holds for the keys that a table has not."""
    default = default or Settings()
    return Settings(
        file=file,
        roots=_paths(table, "roots", file, where) if "roots" in table else default.roots,
        ignore=_texts(table, "ignore", file, where) if "ignore" in table else default.ignore,
        kinds=_texts(table, "kinds", file, where) if "kinds" in table else default.kinds,
    )


def _texts(table: Mapping[str, Any], key: str, file: Path, where: str) -> tuple[str, ...]:
    found = table.get(key, [])
    if not isinstance(found, list):
        raise InputError(f"{file}: {where}{key}: found {_shown(found)}, wanted a list such as {_EXAMPLES[key]}")
    for one in found:
        if not isinstance(one, str) or not one.strip() or "\0" in one:
            raise InputError(f"{file}: {where}{key}: found {_shown(one)} in it, wanted texts as in {_EXAMPLES[key]}")
    return tuple(found)


def _paths(table: Mapping[str, Any], key: str, file: Path, where: str) -> tuple[Path, ...]:
    found = []
    for text in _texts(table, key, file, where):
        path = Path(text)
        if path.parts[:1] == ("~",):
            user = home()
            if user is None:
                raise InputError(f"{file}: {where}{key}: {text!r}: {why_no_home()}")
            path = user.joinpath(*path.parts[1:])
        if not path.is_absolute():  # relative to what? the file, or wherever a command runs
            raise InputError(f"{file}: {where}{key}: found {text!r}, wanted an absolute path, or one from '~/' on")
        found.append(path)
    return tuple(found)


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
