"""`colibri index`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from colibri.cli.grouped import MODEL, Grouped
from colibri.cli.index_place import IndexOptions, NamedPath, index_options, is_index, open_index
from colibri.cli.options import ModelOptions, model_options
from colibri.cli.terminal import visible
from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.index import RowKind

_USE = (
    "give files or folders to index, or one of --remove, --kinds, --stats, --verify, --repair, --convert, --compact, "
    "--export, --import; without any, all that the index was made of is looked at again"
)

_GROUPS = {
    "Options": ("--into", "--name", "--glob", "--watch", "--remove", "--stats"),
    "Which files": ("--hidden", "--ignore", "--max-mb", "--kinds", "--defaults"),
    "How they are read": (
        "--text-field", "--id-field", "--split", "--passage-tokens", "--pool", "--max-seconds", "--max-memory-mb",
    ),
    "Looking after the index": (
        "--prune", "--yes", "--rebuild", "--rows", "--compact-rows", "--verify", "--repair", "--convert", "--compact",
        "--export", "--import",
    ),
    **MODEL,
}  # fmt: skip
_OF_A_RUN = {"globs", "hidden", "ignore", "max_mb", "max_seconds", "max_memory_mb", "text_field", "id_field"}
_OF_A_RUN |= {"split", "passage_tokens", "pool", "compact_rows", "defaults", "yes"}
_TASKS = f"{__name__}.tasks"


def _noted(context: click.Context, option: click.Parameter, value: bool) -> None:
    """Each of these, since of two only the last would be done, and the other pass in silence."""
    if value:
        context.meta.setdefault(_TASKS, []).append(option.name)


_TASK: dict[str, Any] = {"is_flag": True, "expose_value": False, "callback": _noted}


@click.command(cls=Grouped, groups=_GROUPS, rest="Output and help", short_help="Index files for search.")
@click.argument("paths", nargs=-1, type=NamedPath(), metavar="[PATH]...")
@index_options("--into", "--index")
@click.option(
    "--glob", "globs", multiple=True, help="Only files that match, as in .gitignore: '*.md', 'docs/**'; '' all."
)
@click.option(
    "--hidden/--no-hidden", default=None, help="Also files and folders whose name begins with a dot.  [default: no]"
)
@click.option("--ignore/--no-ignore", default=None, help="Whether .gitignore leaves things out.  [default: yes]")
@click.option("--max-mb", type=click.IntRange(min=1), show_default="64", help="Skip larger files.")
@click.option(
    "--max-seconds",
    type=click.FloatRange(min=0, min_open=True),
    show_default="120",
    help="Stop reading a file after so long, and go on with the next.",
)
@click.option(
    "--max-memory-mb", type=click.IntRange(min=64), show_default="2048", help="Stop reading a file that needs more."
)
@click.option(
    "--text-field", help="Field of .jsonl and .csv rows to index; default ('' again): 'text', or all of them."
)
@click.option("--id-field", help="Field of .jsonl and .csv rows that names them; default ('' again): their line.")
@click.option(
    "--split/--no-split",
    default=None,
    help="Whether long texts become passages, or are each one, cut at the model's limit.  [default: yes]",
)
@click.option(
    "--passage-tokens",
    type=click.IntRange(min=8),
    show_default="180",
    help="Length of long texts' passages at most.",
)
@click.option(
    "--pool",
    type=click.IntRange(min=1),
    help="Of a new index, or with --rebuild: how many tokens become one row on average.  [default: 1, none]",
)
@click.option("--defaults", is_flag=True, help="Options that are not given are at their defaults again.")
@click.option(
    "--rebuild",
    is_flag=True,
    help="Encode all of it again, for another --model, --dim or --pool; the old answers meanwhile.",
)
@click.option(
    "--rows",
    type=click.Choice(["int8", "int4"]),
    help="What rows of a new index are kept as; of one that is there, with --convert or --rebuild.  [default: int8]",
)
@click.option(
    "--compact-rows",
    is_flag=True,
    help="--rows int4 --pool 2: of a new index, or with --rebuild; a third of the bytes.",
)
@click.option("--watch", is_flag=True, help="Go on, and index what changes as it changes, until Ctrl-C.")
@click.option("--prune", is_flag=True, help="Take out the documents of folders and files that are gone for good.")
@click.option("--yes", is_flag=True, help="Do not ask before pruning on a terminal.")
@click.option("--remove", type=NamedPath(), multiple=True, help="Take out a file or folder, there or gone.")
@click.option("--kinds", **_TASK, help="Show which kinds of file are read, and what each needs.")
@click.option("--stats", **_TASK, help="Show what the index holds, and what it is made of.")
@click.option("--verify", **_TASK, help="Compare everything with its checksum; 1 when it differs.")
@click.option("--repair", **_TASK, help="Drop what is broken, or encode it again from its text.")
@click.option(
    "--convert",
    **_TASK,
    help="Give an older index exact words and sign bits, or with --rows other rows; older programs then refuse it.",
)
@click.option("--compact", **_TASK, help="Free what deleted documents take.")
@click.option("--export", "export_to", type=NamedPath(), metavar="FOLDER", help="Write all of it to a new folder.")
@click.option("--import", "import_from", type=NamedPath(), metavar="FOLDER", help="Add what --export wrote.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; --kinds: a list.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but what went wrong.")
@model_options
def index(
    paths: tuple[Path, ...],
    globs: tuple[str, ...],
    hidden: bool | None,
    ignore: bool | None,
    max_mb: int | None,
    max_seconds: float | None,
    max_memory_mb: int | None,
    text_field: str | None,
    id_field: str | None,
    split: bool | None,
    passage_tokens: int | None,
    pool: int | None,
    defaults: bool,
    rebuild: bool,
    rows: "RowKind | None",
    compact_rows: bool,
    watch: bool,
    prune: bool,
    yes: bool,
    remove: tuple[Path, ...],
    export_to: Path | None,
    import_from: Path | None,
    as_json: bool,
    quiet: bool,
    asked: ModelOptions,
    named: IndexOptions,
) -> None:
    """Index files and folders, keep an index fresh, or look after it.

    Run it again at any time: what is new or changed is read, what moved keeps its rows, what is gone goes. Without
    PATH it does so for all that the index was made of. --kinds shows what is read; what a file is, its content says
    first and its name second. Rows of .jsonl and .csv are a document each. .gitignore holds; links inside folders are
    not followed. A file that cannot be read, or not in time, is named and costs only itself. An interruption keeps
    what was indexed so far.

    Each folder keeps the options that it was indexed with: those that are not given are as they were. A change is
    said, and what it touches is read again. A new index has rows of the model's smallest width, unless --dim names
    another of its heads, and a row a token, unless --pool 2 makes one of two that are alike, for half the bytes.

    A folder that is gone, or on a disk that is not mounted, is said at every run, and its documents stay until --prune;
    `colibri search` marks them.

    It goes into the index that --into or --name says, else COLIBRI_INDEX, else .colibri-index of this folder or of one
    above, else your own; which it is, and why, is said.

    \b
      colibri index ~/Documents        # into your own index, which `colibri search` asks from anywhere
      colibri index notes/ papers/ --glob '*.md' --glob '*.pdf'
      colibri index faq.jsonl --text-field answer --id-field key --into faq.index
      colibri index                    # all of it again, with the options it has
      colibri index notes/ --watch     # and from then on what changes
      colibri index --remove papers/   # out of the index
      colibri index --rebuild --dim 96
      colibri index --convert --rows int4   # half the bytes, for a little of the ranking
      colibri index --rebuild --compact-rows  # a third of them, for a little more
      colibri index --stats
    """
    if compact_rows and (rows not in {None, "int4"} or pool not in {None, 2}):
        raise click.UsageError("--compact-rows is --rows int4 --pool 2, and another of them was given")
    tasks = click.get_current_context().meta.get(_TASKS, [])
    care = len(tasks) + sum(map(bool, (remove, export_to, import_from)))
    if care > 1 or (care and (paths or prune or rebuild or watch)):
        raise click.UsageError(_USE)
    if watch and (prune or rebuild):
        raise click.UsageError("--prune and --rebuild are of one run: first that one, then --watch")
    if care:
        _refuse_what_has_no_effect()
        from colibri.cli.index_care import look_after, show_kinds

        task = tasks[0] if tasks else None
        if rows is not None and task != "convert" and import_from is None:
            raise click.UsageError("--rows is of a run over files, --convert or --import")
        if task == "kinds":
            show_kinds(as_json)
            return
        silent = quiet or as_json
        place = named.place(quiet=silent) if import_from is not None else named.existing(quiet=silent)
        look_after(place, asked, remove, task, export_to, import_from, rows=rows, as_json=as_json, quiet=quiet)
        return
    if compact_rows:
        rows, pool = "int4", 2
    place = named.which.path
    if (rebuild or (not paths and not _is_configured(place))) and not is_index(place):
        raise click.UsageError(f"{_USE} (there is no index in {visible(str(place))})")
    _check_paths(paths, place)
    named.place(quiet=quiet or as_json)
    given: dict[str, Any] = {
        "globs": tuple(glob for glob in globs if glob) if globs else None,
        "hidden": hidden,
        "ignore": ignore,
        "max_bytes": None if max_mb is None else max_mb << 20,
        "max_seconds": max_seconds,
        "max_memory_bytes": None if max_memory_mb is None else max_memory_mb << 20,
        "split": split,
        "passage_tokens": passage_tokens,
    }
    fields = {"text_field": text_field, "id_field": id_field}
    changes = {name: value for name, value in given.items() if value is not None}
    changes |= {name: value or None for name, value in fields.items() if value is not None}
    if watch:
        from colibri.cli.index_watch import watch as follow

        follow(place, asked, paths, changes, defaults, rows=rows, pool=pool, as_json=as_json, quiet=quiet)
        return
    from colibri.cli.index_run import Run

    if rebuild:
        from colibri.cli.index_rebuild import rebuild as make_anew

        make_anew(place, asked, paths, changes, defaults, rows=rows, pool=pool, quiet=quiet)
    with open_index(place, asked, create=True, rows=rows, pool=pool) as opened:
        Run(opened, place, named.which.words, as_json=as_json, quiet=quiet).refresh(
            paths, changes, defaults, prune=prune, yes=yes
        )


def _check_paths(paths: tuple[Path, ...], place: Path) -> None:
    """Before an index of nothing is made for them. Raises InputError."""
    from colibri.files import refuse_own_folder

    for path in paths:
        if not path.exists() and not is_index(place):
            raise InputError(f"{path}: no such file or folder")
        refuse_own_folder(path, place)


def _is_configured(place: Path) -> bool:
    """Whether the configuration names files for an index that is not there yet. Raises InputError where none of them
    is there."""
    from colibri.files import configured, first_there

    found = configured(place)
    if found.roots and not first_there(found.roots) and not is_index(place):
        raise InputError(f"{found.file}: none of its roots is there: {', '.join(map(str, found.roots))}")
    return bool(found.roots)


def _refuse_what_has_no_effect() -> None:
    """Beside what only looks after an index, options of how files are read would pass in silence."""
    context = click.get_current_context()
    for one in context.command.params:
        if one.name in _OF_A_RUN and context.get_parameter_source(one.name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{one.opts[0]} is of a run over files; without it, or without the other: {_USE}")
