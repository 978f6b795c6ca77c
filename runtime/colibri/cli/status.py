"""`colibri status`: the user's own indexes and the one that is meant here; what they hold, and who uses them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from colibri.cli.index_place import IndexOptions, index_options, is_index
from colibri.cli.terminal import echo, echo_json, visible
from colibri.cli.when import local
from colibri.errors import ColibriError, StoreError
from colibri.machine import counted
from colibri.own import DEFAULT, Which, configuration_file, configured_names, named_indexes, own_index, settings_of

_MB, _GB = 1_000_000, 1_000_000_000


@dataclass(frozen=True)
class _Listed:
    """name: which of the user's own it is. why: it is the one that is meant where none is named; "" it is not."""

    path: Path
    name: str | None
    why: str = ""


@click.command(short_help="Say which indexes there are, and what they hold.")
@index_options("--index")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def status(as_json: bool, named: IndexOptions) -> None:
    """Say which indexes of your own there are, which one is meant here, and why; of each its folders, documents,
    passages, bytes and model, what was passed over, and who serves or follows it. No model is loaded.

    With --index or --name: of that one alone.

    \b
      colibri status
      colibri status --name work --json
    """
    asked = named.folder is not None or named.name is not None
    if asked:
        named.existing(quiet=True)
    meant, problems = _meant(named)
    file = configuration_file()
    found = [_facts(one) for one in _listed(meant, asked)]
    if as_json:
        told = None if meant is None else {"path": str(meant.path.absolute()), "why": meant.why, "name": meant.name}
        has_file = file is not None and file.is_file()
        configuration = str(file) if has_file else None
        echo_json({"meant": told, "problems": problems, "configuration": configuration, "indexes": found})
    else:
        _show(found, problems, file)
    if asked and found[0]["problem"]:
        raise StoreError(found[0]["problem"])


def _meant(named: IndexOptions) -> tuple[Which | None, list[str]]:
    """And what is wrong: another user's was found, there is no home folder, the configuration cannot be read."""
    problems: list[str] = []
    meant = None
    try:
        meant = named.which
    except ColibriError as error:
        problems.append(str(error))
    try:
        configured_names()
    except ColibriError as error:
        problems += [str(error)] if str(error) not in problems else []
    return meant, problems


def _listed(meant: Which | None, alone: bool) -> list[_Listed]:
    """The one that is meant first, unless it is one of the user's own."""
    if alone:
        assert meant is not None
        return [_Listed(meant.path, meant.name, meant.why)]
    own = dict(named_indexes())
    with suppress(ColibriError):  # which `_meant` told
        own |= {name: own_index(name) for name in configured_names() if name not in own and settings_of(name).roots}
    why = "" if meant is None else meant.why
    here = []
    if meant is not None and meant.name not in own and (meant.name != DEFAULT or is_index(meant.path)):
        here = [_Listed(meant.path, meant.name, why)]  # your own that nobody made yet is none
    return here + [_Listed(path, name, why if meant and name == meant.name else "") for name, path in own.items()]


def _facts(one: _Listed) -> dict[str, Any]:
    from colibri.files import is_followed, shown, what_is_held
    from colibri.index import Index

    found: dict[str, Any] = {"name": one.name, "path": str(one.path.absolute()), "meant": one.why or None}
    configured: list[str] = []
    with suppress(ColibriError):  # which `_meant` told
        configured = [] if one.name is None else [str(root) for root in settings_of(one.name).roots]
    try:
        if not is_index(one.path):
            return found | {
                "there": False,
                "configured": configured,
                "problem": None if configured else "no index there",
            }
        with Index.open(one.path, create=False) as index:
            stats, held = asdict(index.stats()), what_is_held(index)
    except ColibriError as error:
        return found | {"there": True, "problem": str(error)}
    roots = [_root(root) for root in held.roots]
    known = {root["path"] for root in roots}
    return {
        **found,
        "there": True,
        "problem": None,
        **{
            name: stats[name]
            for name in ("documents", "passages", "tokens", "disk_bytes", "model", "dim", "rows", "pool")
        },
        "files": held.files,
        "roots": roots,
        "configured": [root for root in configured if shown(Path(root).resolve()) not in known],
        "passed_over": sum(root["skipped"] for root in roots),
        "followed": is_followed(one.path),
        "served": _served(one.path),
    }


def _root(root: Mapping[str, Any]) -> dict[str, Any]:
    """skipped: a number; `colibri index --stats` names them."""
    kept = {name: root[name] for name in ("path", "gone", "files", "documents", "not_read", "left_out")}
    return {**kept, "when": root["when"] or None, "skipped": len(root["skipped"]) + root["more"]}


def _show(found: list[dict[str, Any]], problems: list[str], file: Path | None) -> None:
    for problem in problems:
        echo(visible(f"problem: {problem}"))
    for number, one in enumerate(found):
        if number or problems:
            echo("")
        for line in _lines(one):
            echo(visible(line))
    if not found and not problems:
        echo(visible(f"no index yet: `colibri index PATH` makes your own, {own_index()}"))
    if file is not None and file.is_file():
        echo(visible(f"\nconfigured by {file}", "\n"))


def _lines(one: Mapping[str, Any]) -> list[str]:
    here = f"  <- meant here ({one['meant']})" if one["meant"] else ""
    lines = [f"{one['name'] or 'index'}: {one['path']}{here}"]
    if one["problem"]:
        return [*lines, f"  problem: {one['problem']}"]
    if not one["there"]:
        return [
            *lines,
            f"  not there yet; `colibri index --name {one['name']}` makes it of {', '.join(one['configured'])}",
        ]
    pooled = f", tokens pooled by {one['pool']}" if one["pool"] > 1 else ""
    lines.append(
        f"  {counted(one['documents'], 'document')} of {counted(one['files'], 'file')}, "
        f"{counted(one['passages'], 'passage')}, {_size(one['disk_bytes'])}; "
        f"{one['model'] or 'vectors of another encoder'}, {one['dim']} dims, {one['rows']} rows{pooled}"
    )
    for root in one["roots"]:
        lines += _root_lines(root)
    lines += [f"  {root}  not indexed yet (config.toml)" for root in one["configured"]]
    if one["served"]:
        page = ", with a page" if one["served"]["page"] else ""
        lines.append(f"  served at {one['served']['url']} by process {one['served']['pid']}{page}")
    if one["followed"]:
        lines.append("  followed: what changes is indexed as it changes")
    return lines


def _root_lines(root: Mapping[str, Any]) -> list[str]:
    looked = f"last looked at {local(root['when'])}" if root["when"] else "not looked at to its end yet"
    state = root["gone"] or looked
    lines = [f"  {root['path']}  {counted(root['files'], 'file')}, {counted(root['documents'], 'document')}; {state}"]
    passed = [f"{root['skipped']:,} skipped"] if root["skipped"] else []
    if count := sum(root["not_read"].values()):
        passed.append(f"{count:,} of kinds that nothing reads")
    if count := sum(root["left_out"].values()):
        passed.append(f"{count:,} left out")
    if passed:
        lines.append(f"    passed over: {', '.join(passed)} (`colibri index --stats` says why)")
    return lines


def _size(count: int) -> str:
    return f"{count / _GB:,.1f} GB" if count >= _GB else f"{count / _MB:,.1f} MB"


def _served(place: Path) -> dict[str, Any] | None:
    """Without the token: whoever reads this is not to be let in by it."""
    from colibri.machine import find

    found = find(place)
    return None if found is None else {"url": found.url, "pid": found.pid, "page": found.page}
