"""`colibri index`."""

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colibri.cli.options import PROGRESS_FROM, ModelOptions, model_options
from colibri.cli.terminal import echo, echo_json, visible
from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.files import Summary
    from colibri.index import Index
    from colibri.model import Colibri

DEFAULT = ".colibri-index"
_SHOWN = 20  # skipped files and remarks, one a line
_ONE = {"links": "link", "pipes or devices": "pipe or device", "Colibri indexes": "Colibri index"}
_KINDS_SHOWN = 8  # endings that are counted apart


@click.command(short_help="Index files for search.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option(
    "--into",
    "--index",
    "place",
    type=click.Path(path_type=Path),
    default=DEFAULT,
    show_default=True,
    help="Folder of the index.",
)
@click.option("--glob", "globs", multiple=True, help="Only files that match, as in .gitignore: '*.md', 'docs/**'.")
@click.option("--hidden", is_flag=True, help="Also files and folders whose name begins with a dot.")
@click.option("--no-ignore", is_flag=True, help="Also what .gitignore leaves out.")
@click.option("--max-mb", type=click.IntRange(min=1), default=64, show_default=True, help="Skip larger files.")
@click.option(
    "--max-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Stop reading a file after so long, and go on with the next.",
)
@click.option(
    "--max-memory-mb",
    type=click.IntRange(min=64),
    default=2048,
    show_default=True,
    help="Stop reading a file that needs more.",
)
@click.option("--text-field", help="Field of .jsonl and .csv rows to index; default: 'text', or all of them.")
@click.option("--id-field", help="Field of .jsonl and .csv rows that names them; default: their line.")
@click.option("--no-split", is_flag=True, help="Each text is one passage, cut at the model's limit: for short ones.")
@click.option(
    "--passage-tokens",
    type=click.IntRange(min=8),
    default=180,
    show_default=True,
    help="Length of long texts' passages at most.",
)
@click.option("--kinds", "task", flag_value="kinds", help="Show which kinds of file are read, and what each needs.")
@click.option("--stats", "task", flag_value="stats", help="Show what the index holds.")
@click.option("--verify", "task", flag_value="verify", help="Compare everything with its checksum; 1 when it differs.")
@click.option("--repair", "task", flag_value="repair", help="Drop what is broken, or encode it again from its text.")
@click.option("--compact", "task", flag_value="compact", help="Free what deleted documents take.")
@click.option("--export", "export_to", type=click.Path(path_type=Path), help="Write all of it to a new folder.")
@click.option("--import", "import_from", type=click.Path(path_type=Path), help="Add what --export wrote.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@model_options
def index(
    paths: tuple[Path, ...],
    place: Path,
    globs: tuple[str, ...],
    hidden: bool,
    no_ignore: bool,
    max_mb: int,
    max_seconds: float,
    max_memory_mb: int,
    text_field: str | None,
    id_field: str | None,
    no_split: bool,
    passage_tokens: int,
    task: str | None,
    export_to: Path | None,
    import_from: Path | None,
    as_json: bool,
    asked: ModelOptions,
) -> None:
    """Index files and folders, or look after an index.

    --kinds shows what is read; what a file is, its content says first and its name second. Rows of .jsonl and .csv are
    a document each. Run it again at any time: what is new or changed is read, what is gone goes. .gitignore holds;
    links inside folders are not followed. An interruption keeps what was indexed so far. A file that cannot be read, or
    not in time, is named and costs only itself. A new index has rows of the model's smallest width, unless --dim names
    another of its heads.

    \b
      colibri index notes/ papers/ --glob '*.md' --glob '*.pdf'
      colibri index faq.jsonl --text-field answer --id-field key --into faq.index
      colibri index --stats
    """
    if sum(map(bool, (paths, task, export_to, import_from))) != 1:
        raise click.UsageError(
            "give files or folders to index, or one of --kinds, --stats, --verify, --repair, --compact, --export, "
            "--import"
        )
    if task == "kinds":
        from colibri.cli.kinds import show

        show(as_json)
        return
    from colibri.index import Index

    if export_to is not None:
        with Index.open(place, create=False) as opened:
            echo(visible(f"{export_to}: {opened.export(export_to):,} documents"))
        return
    if import_from is not None:
        with open_index(place, asked, create=True) as opened:
            echo(visible(f"{place}: {opened.import_(import_from):,} documents added"))
        return
    if task is not None:
        with Index.open(place, create=False) as opened:
            _look_after(opened, task, as_json)
        return
    from colibri.files import Sync, Wanted
    from colibri.machine import progress_bar

    wanted = Wanted(
        globs=globs,
        hidden=hidden,
        ignore=not no_ignore,
        max_bytes=max_mb << 20,
        max_seconds=max_seconds,
        max_memory_bytes=max_memory_mb << 20,
        text_field=text_field,
        id_field=id_field,
        split=not no_split,
        passage_tokens=passage_tokens,
    )
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
    with open_index(place, asked, create=True) as opened:
        sync = Sync(opened, wanted)
        due = sync.plan(paths)
        with progress_bar(len(due), "indexing", len(due) >= PROGRESS_FROM) as done:
            summary = sync.run(due, done)
        total = opened.count()
    _report(summary, total, place, as_json)


def open_index(place: Path, asked: ModelOptions, *, create: bool) -> "Index":
    """Open it with the model it was made with, unless another is named; loaded when needed, as the options say."""
    from colibri.index import Index

    def load(source: str | os.PathLike[str] | None) -> "Colibri":
        # The index says which model and which of its widths.
        return replace(asked, model=None if source is None else os.fspath(source), dim=None).load()

    return Index.open(place, asked.model, asked.dim, create, load=load)


def _report(summary: "Summary", total: int, place: Path, as_json: bool) -> None:
    if as_json:
        echo_json({**asdict(summary), "documents": total, "index": str(place)})
        return
    skipped = [f"skipped {path}: {why}" for path, why in summary.skipped.items()]
    remarks = [f"{path}: {one}" for path, said in summary.remarks.items() for one in said]
    for lines in (skipped, remarks):
        for line in lines[:_SHOWN]:
            echo(visible(line), err=True)
        if len(lines) > _SHOWN:
            echo(f"and {len(lines) - _SHOWN:,} more (--json names all)", err=True)
    if summary.not_read:
        echo(visible(_not_read(summary.not_read)), err=True)
    if summary.left_out:
        echo(_left_out(summary.left_out), err=True)
    echo(
        f"{summary.indexed} files indexed, {summary.unchanged} unchanged, {summary.removed} removed, "
        f"{len(summary.skipped)} skipped; {visible(str(place))} holds {total:,} documents"
    )


def _not_read(counts: dict[str, int]) -> str:
    """As in "11 files of 2 kinds not read: 8 .jpg, 3 .rtf; see --kinds"."""
    total, kinds = sum(counts.values()), sorted(counts, key=lambda name: (-counts[name], name))
    shown = [f"{counts[name]} {name}" for name in kinds[:_KINDS_SHOWN]]
    if len(kinds) > _KINDS_SHOWN:
        shown.append("…")
    files = "1 file" if total == 1 else f"{total:,} files"
    of_kinds = "1 kind" if len(kinds) == 1 else f"{len(kinds)} kinds"
    return f"{files} of {of_kinds} not read: {', '.join(shown)}; see --kinds"


def _left_out(counts: dict[str, int]) -> str:
    """As in "left out, a folder counting as one: 12 by .gitignore, 1 link"."""
    found = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = [f"{count:,} {_ONE.get(why, why) if count == 1 else why}" for why, count in found]
    return f"left out, a folder counting as one: {', '.join(shown)}"


def _look_after(opened: "Index", task: str, as_json: bool) -> None:
    tasks: dict[str, Callable[[], Any]] = {
        "stats": lambda: asdict(opened.stats()),
        "verify": lambda: asdict(opened.verify(progress=not as_json)),
        "repair": lambda: asdict(opened.repair()),
        "compact": lambda: {"freed_bytes": opened.compact()},
    }
    found = tasks[task]()
    if as_json:
        echo_json(found)
    else:
        for name, value in found.items():
            for one in value if isinstance(value, tuple) else (value,):
                echo(visible(f"{name:<12} {one:,}" if type(one) is int else f"{name:<12} {one}"))
    if task == "verify":
        if found["problems"] or found["damaged"]:
            raise InputError(
                f"{opened.path}: {len(found['damaged'])} documents damaged, {len(found['problems'])} other problems; "
                f"`colibri index --repair --into {opened.path}` mends it"
            )
        if not as_json:
            echo("all as it was written")
