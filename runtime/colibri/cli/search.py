"""`colibri search`."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colibri.cli.fields import Where, said_of, unknown_fields
from colibri.cli.fitting import Least, kept, least_of, left_out, shown
from colibri.cli.grouped import MODEL, Grouped
from colibri.cli.index_place import IndexOptions, index_options, open_index
from colibri.cli.options import ModelOptions, model_options
from colibri.cli.terminal import TEXT, echo, echo_json, visible
from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.index import Hit, Index, Mode, PassageHit
    from colibri.vectors import Span

GONE = "file is gone"
_SNIPPET = 320  # characters
_ENDS = {0x0B: " ", 0x0C: " ", 0x0D: "\n", 0x85: "\n"}
_PASSAGES = 2  # the best one may be words about the document, of which its text shows nothing
_BEFORE = 40  # of them before what is marked
_LINE = re.compile(r"\n[ \t]*(?=[^ \t\n])")
_WORD = re.compile(r"\s+(?=\S)")


@click.command(cls=Grouped, groups=MODEL, short_help="Search an index.")
@click.argument("query")
@index_options("--index")
@click.option("-k", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many documents.")
@click.option(
    "--where",
    "filters",
    type=Where(),
    multiple=True,
    help="Keep documents by payload: file.suffix=md, or JSON. All must hold.",
)
@click.option(
    "--mode",
    type=click.Choice(["both", "meaning", "words"]),
    default="both",
    show_default=True,
    help="Find by meaning, by exact words, or by both; --mode words needs no model.",
)
@click.option(
    "--min",
    "least",
    metavar="likely|maybe|NUMBER",
    callback=least_of,
    help="Show what fits so well; a number is the score that is shown. Default: maybe.",
)
@click.option("--all", "everything", is_flag=True, help="Show also what hardly fits.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; without --min it has every result.")
@model_options
def search(
    query: str,
    count: int,
    filters: tuple[str, ...],
    mode: str,
    least: Least | None,
    everything: bool,
    as_json: bool,
    asked: ModelOptions,
    named: IndexOptions,
) -> None:
    """Search an index that `colibri index` made; the words that matter most to a score are bold.

    The first number is the score divided by the number of the query's tokens: a mean of cosines, at most 1. The word
    behind it says whether a hit fits at all, where the model's cutoffs are known (`colibri info`). A hit whose
    file is not there any more says so ("file is gone"; with --json in "gone"): see `colibri index --prune`.

    By words, documents must have what stands in quotation marks, and not what a minus stands before. An index without
    words is searched by meaning alone, which is said.

    \b
      colibri search "how do I export a model?"
      colibri search '"exact phrase" refund -draft'
      colibri search "refund" -k 3 --where file.suffix=md
      colibri search "refund" --where '{"year": {"$gte": 2024}}' --json
    """
    where = parsed(filters)
    place = named.existing(quiet=as_json)
    with open_index(place, asked, create=False) as opened:
        mode = _possible(opened, mode)
        hits = opened.search(query, count, where, explain=True, passages=_PASSAGES, mode=mode)
    unknown = unknown_fields(place, where, found=bool(hits))
    if as_json:
        listed = [_entry(hit) for hit in kept(hits, None if everything else least)]
        found = {"query": query, "index": str(place), "mode": mode, "results": listed}
        echo_json(found | ({"unknown_fields": unknown} if unknown else {}))
        return
    if not hits:
        echo("nothing found", err=True)
    for line in said_of(unknown):
        echo(line, err=True)
    fitting = shown(hits, least, query=query, everything=everything)
    for line in listing(fitting):
        echo(line, styled=True)
    if (said := left_out(len(fitting), hits, least)) is not None:
        echo(said, err=True)


def _possible(opened: "Index", wanted: str) -> "Mode":
    """Meaning alone where both was wanted and there are no words, which is said."""
    from colibri.index import checked_mode

    mode = checked_mode(wanted)
    if mode != "both" or (why := opened.why_no_words()) is None:
        return mode
    echo(visible(f"searched by meaning alone: {why}"), err=True)
    return "meaning"


def _entry(hit: "Hit") -> dict[str, Any]:
    from colibri.files import place

    found = place(hit)
    entry = {**hit.as_dict(), "place": str(found), "line": found.line, "label": found.label or None}
    return {**entry, "gone": GONE} if gone(hit) else entry


def gone(hit: "Hit") -> bool:
    """Whether a hit is of a file that is not there any more; one that cannot be looked at may be."""
    from colibri.files import is_gone

    file = (hit.payload or {}).get("file")
    path = file.get("path") if isinstance(file, dict) else None
    return isinstance(path, str) and is_gone(path)


def parsed(filters: Sequence[str]) -> dict[str, Any] | None:
    """Filters of the command line as one. Raises InputError."""
    conditions: list[Any] = []
    for text in filters:
        if text.lstrip().startswith("{"):
            try:
                conditions.append(json.loads(text))
            except (ValueError, RecursionError) as error:
                raise InputError(f"--where {text}: not JSON ({error})") from error
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--where {text}: wanted FIELD=VALUE or JSON")
        conditions.append({name: _value(value)})
    return {"$and": conditions} if conditions else None


def _value(text: str) -> Any:
    """A JSON scalar, or else the text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return text if isinstance(found, dict | list) else found


def listing(hits: Sequence["Hit"], base: Path | None = None) -> list[str]:
    """Results for a terminal; files below `base` are named from there."""
    from colibri.files import place, shown_passage

    lines = []
    for number, hit in enumerate(hits, 1):
        where = visible(str(place(hit)).removeprefix(f"{base}/"))
        mark = f"  ({GONE})" if gone(hit) else ""
        fit = "" if hit.fit is None else f" {hit.fit}"
        lines.append(f"{number}. {hit.normalised:.3f}{fit}  {click.style(where, fg='cyan')}{mark}")
        passage = shown_passage(hit)
        if hit.text is not None and passage is not None:
            lines += [f"   {line}" for line in snippet(hit.text, passage)]
    return lines


def snippet(text: str, passage: "PassageHit") -> list[str]:
    """Lines of the passage around what matters most, with that in bold, indented among themselves as they are."""
    from colibri.explain import highlights

    marked = highlights(passage.matches, text)
    start, end = _window(text, passage.start, passage.end or len(text), marked)
    lead = text[text.rfind("\n", 0, start) + 1 : start]  # a passage begins with its first word, not with its line
    parts, at = ["" if lead.strip() else _shown(lead), "…" if start > passage.start else ""], start
    for span in marked:
        if span.start >= at and span.end <= end:
            parts += [_shown(text[at : span.start]), click.style(_shown(text[span.start : span.end]), bold=True)]
            at = span.end
    parts += [_shown(text[at:end]), "…" if end < passage.end else ""]
    return _dedented("".join(parts).split("\n"))


def _shown(text: str) -> str:
    """A piece of a text: its lines may end in any way, and nothing else in it steers a terminal."""
    return visible(text.replace("\r\n", "\n").translate(_ENDS), TEXT)


def _dedented(lines: Sequence[str]) -> list[str]:
    """Lines that hold something, without the indentation that all of them share."""
    shown = [(len(line) - len(line.lstrip()), line.rstrip()) for line in lines if line.strip()]
    leads = [line[:width].expandtabs(4) for width, line in shown]
    shared = min(map(len, leads), default=0)
    return [lead[shared:] + line[width:] for lead, (width, line) in zip(leads, shown, strict=True)]


def _window(text: str, start: int, end: int, marked: Sequence["Span"]) -> tuple[int, int]:
    """Of so many characters, the ones that show most of what is marked, from the beginning of a line or a word on."""
    if end - start <= _SNIPPET:
        return start, end
    begins = [min(max(span.start - _BEFORE, start), end - _SNIPPET) for span in marked] or [start]
    best = max(begins, key=lambda b: (sum(b <= span.start and span.end <= b + _SNIPPET for span in marked), -b))
    if best > start:
        best = _word_or_line(text, start, best)
    return best, min(best + _SNIPPET, end)


def _word_or_line(text: str, start: int, best: int) -> int:
    """The first word of a line that begins near `best`, before what is marked; else the next word; else there."""
    for gap in (_LINE, _WORD):
        found = gap.search(text, max(start, best - _BEFORE) if gap is _LINE else best - 1, best + _BEFORE)
        if found:
            return found.end()
    return best
