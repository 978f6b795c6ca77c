"""What `colibri index` does beside indexing: show, verify, mend, compact, export, import, take out."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from colibri.cli.index_place import open_index
from colibri.cli.index_run import left_out, not_read
from colibri.cli.options import ModelOptions
from colibri.cli.terminal import echo, echo_json, visible
from colibri.cli.when import local
from colibri.errors import InputError
from colibri.files import Wanted, coming_back, remove, shown_options, what_is_held
from colibri.index import Index, RowKind
from colibri.machine import counted

_SHOWN = 20  # skipped files of a root


def look_after(
    place: Path,
    asked: ModelOptions,
    removed: Sequence[Path],
    task: str | None,
    export_to: Path | None,
    import_from: Path | None,
    *,
    rows: RowKind | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """One of these. quiet: what was only done is not said; what was asked for, as by --stats, is."""
    if export_to is not None:
        with open_index(place, asked, create=False) as opened:
            written = opened.export(export_to)
        facts = {"exported": written, "folder": str(export_to), "index": str(place)}
        _done(f"{export_to}: {counted(written, 'document')}", facts, as_json, quiet)
    elif import_from is not None:
        with open_index(place, asked, create=True, rows=rows) as opened:
            added = opened.import_(import_from)
            facts = {"imported": added, "folder": str(import_from), "index": str(place), "documents": opened.count()}
        _done(f"{place}: {counted(added, 'document')} added", facts, as_json, quiet)
    else:
        with open_index(place, asked, create=False) as opened:
            if removed:
                _remove(opened, removed, as_json, quiet)
            elif task == "stats":
                _stats(opened, as_json)
            else:
                _upkeep(opened, str(task), rows, as_json, quiet)


def show_kinds(as_json: bool) -> None:
    """`--kinds`, which is of no index."""
    from colibri.cli.kinds import show

    show(as_json)


def _done(line: str, facts: dict[str, Any], as_json: bool, quiet: bool) -> None:
    if as_json:
        echo_json(facts)
    elif not quiet:
        echo(visible(line))


def _remove(opened: Index, paths: Sequence[Path], as_json: bool, quiet: bool) -> None:
    done = remove(opened, paths)
    if as_json:
        echo_json({**asdict(done), "left": opened.count(), "index": str(opened.path)})
        return
    if quiet:
        return
    for path in done.kept_out:
        echo(visible(f"{path} is still there; it stays out of the index until `colibri index {path}`"), err=True)
    for path in done.roots:
        echo(visible(f"{path} is no folder of this index any more"), err=True)
    for line in coming_back(opened.path, done.roots):
        echo(visible(line), err=True)
    echo(
        f"{counted(done.files, 'file')}, {counted(done.documents, 'document')} taken out; "
        f"{visible(str(opened.path))} holds {counted(opened.count(), 'document')}"
    )


def _stats(opened: Index, as_json: bool) -> None:
    found, held = asdict(opened.stats()), what_is_held(opened)
    if as_json:
        echo_json({**found, **asdict(held)})
        return
    for why in ("no_words", "no_screen"):
        if found[why] is None:
            del found[why]
    _show({**found, "files": held.files})
    if held.kinds:
        echo("\npassages by kind:")
    for kind, counts in held.kinds.items():
        told = [counted(counts["passages"], "passage"), counted(counts["documents"], "document")]
        told[1:1] = [counted(counts["files"], "file")] if counts["files"] else []
        echo(visible(f"  {kind:<20} {', '.join(told)}"))
    for root in held.roots:
        echo("")
        echo(visible(f"{root['path']}  {root['gone']}" if root["gone"] else root["path"]))
        when = f"last looked at {local(root['when'])}" if root["when"] else "not looked at to its end yet"
        echo(f"  {counted(root['files'], 'file')}, {counted(root['documents'], 'document')}; {when}")
        if options := shown_options(Wanted.of(root["options"])):
            echo(visible(f"  {options}"))
        for path, why in list(root["skipped"].items())[:_SHOWN]:
            echo(visible(f"  skipped {path}: {why}"))
        if more := root["more"] + max(len(root["skipped"]) - _SHOWN, 0):
            echo(f"  and {more:,} more (--json names up to 1,000)")
        if root["not_read"]:
            echo(visible(f"  {not_read(root['not_read'])}"))
        if root["left_out"]:
            echo(f"  {left_out(root['left_out'])}")
        for path in root["without"]:
            echo(visible(f"  taken out by hand: {path}"))


def _upkeep(opened: Index, task: str, rows: RowKind | None, as_json: bool, quiet: bool) -> None:
    before = opened.rows
    tasks: dict[str, Callable[[], Any]] = {
        "verify": lambda: asdict(opened.verify(progress=not (as_json or quiet))),
        "repair": lambda: asdict(opened.repair()),
        "compact": lambda: {"freed_bytes": opened.compact()},
        "convert": lambda: {
            "converted": opened.convert(rows=rows, progress=not (as_json or quiet)),
            "rows": opened.rows,
            "no_words": opened.why_no_words(),
        },
    }
    found = tasks[task]()
    if as_json:
        echo_json(found)
    elif task == "convert" and not quiet:
        _converted(opened, found, before)
    elif not quiet or found.get("problems") or found.get("damaged") or found.get("dropped") or found.get("lost"):
        _show(found)
    if found.get("rebuilt"):  # what was on a page that is gone has left no id to name
        left = f"{counted(opened.count(), 'document')}; what its broken pages held beside them is gone without a name"
        echo(visible(f"{opened.path}: index.sqlite was written anew with what could be read, {left}"), err=True)
    if task == "verify":
        if found["problems"] or found["damaged"]:
            raise InputError(
                f"{opened.path}: {counted(len(found['damaged']), 'document')} damaged, "
                f"{counted(len(found['problems']), 'other problem')}; "
                f"`colibri index --repair --into {opened.path}` mends it"
            )
        if not (as_json or quiet):
            echo("all as it was written")


_LOST = {
    "int4": "what four bits do not hold is gone (--rebuild --rows int8 encodes texts again); older programs refuse it",
    "int8": "scores are as they were; --rebuild encodes texts again, with all that int8 keeps",
}


def _converted(opened: Index, found: dict[str, Any], before: RowKind) -> None:
    if opened.rows != before:
        echo(visible(f"{opened.path}: rows are {opened.rows} now, and were {before}; {_LOST[opened.rows]}"))
    if found["no_words"] is not None:
        echo(visible(f"{opened.path} has no words: {found['no_words']}"))
    elif found["converted"]:
        echo(visible(f"{opened.path}: words and sign bits made of {counted(found['converted'], 'document')}"))
    else:
        echo(visible(f"{opened.path} has words and sign bits already"))


def _show(found: dict[str, Any]) -> None:
    for name, value in found.items():
        for one in value if isinstance(value, tuple) else (value,):
            echo(visible(f"{name:<12} {one:,}" if type(one) is int else f"{name:<12} {one}"))
