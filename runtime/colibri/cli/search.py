"""`colibri search`."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colibri.cli.fields import said_of, unknown_fields
from colibri.cli.fitting import Least, fit_options, kept, left_out, shown
from colibri.cli.grouped import MODEL
from colibri.cli.index_place import IndexOptions, index_options, loader
from colibri.cli.minus import WithQuery
from colibri.cli.options import ModelOptions, model_options
from colibri.cli.search_filters import FilterOptions, filter_options, parsed, said_of_folders, unknown_folders
from colibri.cli.terminal import echo, echo_json, visible
from colibri.errors import InputError, StoreError
from colibri.machine import counted, find

if TYPE_CHECKING:
    from colibri.cli.listing import Marks
    from colibri.cli.window import Spans
    from colibri.index import Hit, Index, Mode, PassageHit
    from colibri.model import Colibri

log = logging.getLogger(__name__)

_PASSAGES = 2  # the best one may be words about the document, of which its text shows nothing


_GROUPS = {"Which documents": ("--in", "--kind", "--since", "--until", "--where"), **MODEL}


@click.command(cls=WithQuery, groups=_GROUPS, short_help="Search an index.")
@click.argument("words", nargs=-1, required=True, metavar="QUERY...")
@index_options("--index")
@click.option("-k", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many documents.")
@filter_options
@click.option(
    "--mode",
    type=click.Choice(["both", "meaning", "words"]),
    default="both",
    show_default=True,
    help="Find by meaning, by exact words, or by both; --mode words needs no model.",
)
@click.option("--exact", is_flag=True, help="Score every passage of a large index, with no first look at sign bits.")
@click.option("--open", "opened", type=click.IntRange(min=1), metavar="N", help="Open the file of hit N as well.")
@fit_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; without --min it has every result.")
@model_options
def search(
    words: tuple[str, ...],
    count: int,
    mode: str,
    exact: bool,
    opened: int | None,
    least: Least | None,
    everything: bool,
    as_json: bool,
    asked: ModelOptions,
    about: FilterOptions,
    named: IndexOptions,
) -> None:
    """Search an index that `colibri index` made; the words that matter most to a score are bold.

    Several words are one query. The first number is the score divided by the number of the query's tokens: a mean of
    cosines, at most 1. The word behind it says whether a hit fits at all, where the model's cutoffs are known (`colibri
    info`). A hit whose file is not there any more says so ("file is gone"; with --json in "gone"): see `colibri index
    --prune`. Where a `colibri ui` or `colibri serve` of yours serves the index, that one is asked.

    By words, documents must have what stands in quotation marks, and not what a minus stands before: quote such a query
    for the shell, or put it behind -- where it begins with a minus. An index without words is searched by meaning
    alone, which is said.

    \b
      colibri search how do I export a model
      colibri search refund -k 3 --in notes --kind pdf --since 2025-01
      colibri search '"exact phrase" refund -draft' --open 1
      colibri search refund --where '{"year": {"$gte": 2024}}' --json
    """
    query, where = " ".join(words), about.where()
    place = named.existing(quiet=as_json)
    hits, marks, mode = _found(place, _Question(query, max(count, opened or 0), where, mode, exact), asked)
    from colibri.cli.listing import entry, listing

    if any(hit.screened for hit in hits):
        log.info("sign bits chose which passages were scored; --exact scores all of them")
    hits = hits[:count] if opened is None or opened <= count else hits
    said = parsed(about.filters)
    unknown = unknown_fields(place, said, found=bool(hits)) if said else {}
    outside = [] if hits else unknown_folders(place, about.inside)
    if as_json:
        fitting = kept(hits, least)
        found: dict[str, Any] = {
            "query": query,
            "index": str(place),
            "mode": mode,
            "results": [entry(hit) for hit in fitting],
        }
        found |= {"unknown_fields": unknown} if unknown else {}
        echo_json(found | ({"unknown_folders": outside} if outside else {}))
    else:
        hints = said_of_folders(outside) + said_of(unknown)
        nothing = [] if hits else [_nothing(place, query, mode, narrowed=where is not None, hinted=bool(hints))]
        for line in nothing + hints:
            echo(line, err=True)
        fitting = shown(hits, least, query=query, everything=everything)
        for line in listing(fitting, marks=marks):
            echo(line, styled=True)
        if (left := left_out(len(fitting), hits, least)) is not None:
            # A word that the model never saw may stand in a single document, too far from the best for its fifth.
            by_words = "" if fitting or mode != "both" else "; --mode words looks for the words alone"
            echo(f"{left}{by_words}", err=True)
    if opened is not None:
        _open(fitting, opened)  # by the numbers that are shown


@dataclass(frozen=True)
class _Question:
    query: str
    count: int
    where: Mapping[str, Any] | None
    mode: str
    exact: bool


def _nothing(place: Path, query: str, mode: str, *, narrowed: bool, hinted: bool) -> str:
    """That nothing was found, and why. narrowed: by a filter. hinted: what is wrong with that is said after it."""
    from colibri.index import Index, asked

    said = asked(query)
    if said.is_nothing and said.excluded:
        return "nothing found: the query says only what must not be there; add a word to look for"
    if said.is_nothing:
        return "nothing found: the query holds no word to look for"
    with Index.open(place, create=False) as index:
        if not len(index):
            return "nothing found: the index holds no documents yet"
    if hinted:
        return "nothing found"
    obeyed = mode != "meaning"  # which ranks whatever is quoted or has a minus
    lacking = "all that stands in quotation marks" if obeyed and said.required else ""
    lacking = lacking or ("a word of the query" if mode == "words" else "")
    if lacking:
        left = "that the filters leave " if narrowed else ""
        without = " without what a minus excludes" if said.excluded else ""
        return f"nothing found: no document {left}has {lacking}{without}"
    # By meaning every document is ranked that may be.
    if narrowed:
        return "nothing found: the filters leave no document"
    return "nothing found: what a minus excludes stands in every document" if said.excluded else "nothing found"


def _say_alone(why: str, query: str) -> None:
    from colibri.index import asked

    lost = "; quotation marks and minus are not obeyed" if asked(query).narrows else ""
    echo(visible(f"searched by meaning alone: {why}{lost}"), err=True)


def _found(place: Path, asks: _Question, options: ModelOptions) -> "tuple[Sequence[Hit], Marks, str]":
    """The hits, what to show in bold of them, and the mode they were found by: by a process that serves the index,
    where that can be asked."""
    served = find(place) if options == _AS_MADE and asks.count <= _MOST_ASKED else None
    if served is not None:
        from colibri.cli import asking  # sockets and addresses, which a search of one's own does without

        try:
            answer = asking.asked(
                served, asks.query, asks.count, asks.where, _PASSAGES, asks.mode, exact=asks.exact, meanwhile=_prepare
            )
        except asking.Gone:
            log.info("%s: process %d does not answer any more", served.url, served.pid)
        except StoreError as error:
            echo(visible(f"{error}; searched without it"), err=True)
        else:
            log.info("%s: asked process %d", served.url, served.pid)
            if answer.mode != asks.mode:
                _say_alone("the index has no words, see `colibri index --convert`", asks.query)
            return answer.hits, lambda hit, passage: answer.marked.get(hit.id, ()), answer.mode
    return _own(place, asks, options)


def _prepare() -> None:
    """Load what shows an answer."""
    from colibri.cli import answered, listing  # noqa: F401
    from colibri.files import place  # noqa: F401


_MOST_ASKED = 100
"""Documents of an answer that comes with spans."""
_AS_MADE = ModelOptions(
    model=None, dim=None, variant=None, provider="auto", batch_tokens=None, threads=None, workers=None
)
"""A search with options of its own is not what a serving process would do."""


def _own(place: Path, asks: _Question, options: ModelOptions) -> "tuple[Sequence[Hit], Marks, str]":
    from colibri.explain import highlights
    from colibri.index import Index

    loaded: list[Colibri] = []

    def load(source: str | os.PathLike[str] | None) -> "Colibri":
        loaded.append(loader(options.for_little())(source))
        return loaded[-1]

    with Index.open(place, options.model, options.dim, create=False, load=load) as index:
        mode = _possible(index, asks)
        hits = index.search(
            asks.query, asks.count, asks.where, explain=True, passages=_PASSAGES, mode=mode, exact=asks.exact
        )

    def marks(hit: "Hit", passage: "PassageHit") -> "Spans":
        return highlights(passage.matches, hit.text or "", meaning=loaded[-1].word_weight if loaded else None)

    return hits, marks, mode


def _possible(opened: "Index", asks: _Question) -> "Mode":
    """Meaning alone where both was wanted and there are no words, which is said."""
    from colibri.index import checked_mode

    mode = checked_mode(asks.mode)
    if mode != "both" or (why := opened.why_no_words()) is None:
        return mode
    _say_alone(why, asks.query)
    return "meaning"


def _open(hits: "Sequence[Hit]", number: int) -> None:
    """Raises InputError for a hit that there is none of, or that is of no file; says why it cannot be opened."""
    if number > len(hits):
        raise InputError(f"--open {number}: there {'is' if len(hits) == 1 else 'are'} {counted(len(hits), 'hit')}")
    from colibri.cli.listing import path_of

    path = path_of(hits[number - 1])
    if path is None:
        raise InputError(f"--open {number}: {hits[number - 1].id} is of no file")
    from colibri.files import real
    from colibri.machine import open_file

    why = open_file(Path(real(path)))
    if why is not None:
        raise click.ClickException(visible(f"--open {number}: {why}"))
    echo(f"opened {visible(path)}", err=True)
