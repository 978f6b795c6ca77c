"""`colibri rerank`."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from colibri.artefact import bounds, fit_of
from colibri.cli.grouped import MODEL
from colibri.cli.minus import WithQuery
from colibri.cli.options import PROGRESS_FROM, ModelOptions, model_options, read_texts
from colibri.cli.terminal import echo, echo_json
from colibri.errors import InputError

_ROWS = {".jsonl", ".ndjson"}
_FIELDS = ("id", "text", "payload")
_FEW = 2_000
"""Characters of documents that are encoded before a second session is loaded: some 30 lines of 20 tokens."""


@click.command(cls=WithQuery, groups=MODEL, short_help="Rank documents for a query.")
@click.argument("query")
@click.argument("documents", nargs=-1, metavar="[DOCUMENT]...")
@click.option("--file", type=click.Path(), metavar="FILE", help="Read documents from FILE, one a line; - is stdin.")
@click.option("-k", "--top-n", "count", type=click.IntRange(min=1), help="Show only the best N.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@model_options
def rerank(
    query: str,
    documents: tuple[str, ...],
    file: str | None,
    count: int | None,
    as_json: bool,
    asked: ModelOptions,
) -> None:
    """Rank documents by how well they answer QUERY.

    The score is MaxSim: for each query token its best cosine among the document's tokens, summed. Where even the best
    fits hardly, by the model's cutoffs (`colibri info`), stderr says so; --json says it of each. Lines of FILE are
    texts, or, in a file called .jsonl and where the first line is an object with a text, JSON: id, text and payload, of
    which results keep what was given.

    \b
      colibri rerank "capital of France" "Paris is the capital." "Lyon is a city."
      colibri rerank "why is the sky red" --file passages.txt -k 5
      colibri rerank "why is the sky red" --file passages.jsonl --json
      grep -h . notes/*.txt | colibri rerank "tax return" - --json
    """
    given = _documents(documents, file)
    few = sum(len(one["text"]) for one in given) <= _FEW
    loaded = (asked.for_little() if few else asked).load()
    if not query.strip():  # as `colibri search` has it
        given = []
    texts = [one["text"] for one in given]
    queries = loaded.encode_queries([query])
    scores = loaded.score(queries, loaded.encode_documents(texts, progress=len(texts) >= PROGRESS_FROM))
    order = (-scores).argsort(kind="stable")[:count]
    within = bounds(loaded.manifest, queries.dim, queries.weight)
    fits = [fit_of(within, float(score)) for score in scores]
    if as_json:
        results = [{"index": int(i), "score": float(scores[i]), **_entry(given[i], fits[i])} for i in order]
        used = {"model": loaded.name, "variant": loaded.variant, "provider": loaded.provider.name, "dim": loaded.dim}
        echo_json({**used, "query": query, "results": results})
        return
    for i in order:
        echo(f"{scores[i]:7.3f}  {_shown(given[i])}")
    if not given:
        echo("nothing found", err=True)
    elif fits[order[0]] == "unlikely":
        echo("nothing fits well", err=True)


def _shown(document: Mapping[str, Any]) -> str:
    """In one line, which a text of JSON may have several of."""
    text = document["text"] if "id" not in document else " ".join(document["text"].split())
    return f"{document['id']}  {text}" if document.get("id") is not None else text


def _entry(document: Mapping[str, Any], fit: str | None) -> dict[str, Any]:
    own = {name: document[name] for name in ("id", "payload") if document.get(name) is not None}
    return {"document": document["text"], **own} | ({} if fit is None else {"fit": fit})


def _documents(arguments: tuple[str, ...], file: str | None) -> list[dict[str, Any]]:
    """Documents as the library takes them. Raises InputError as `read_texts` does, and for a line that is none."""
    texts = read_texts(arguments, file)
    from_lines = file is not None or arguments == ("-",)
    rows = from_lines and ((file and Path(file).suffix.lower() in _ROWS) or _is_row(texts[0]))
    if not rows:
        return [{"text": text} for text in texts]
    name = "stdin" if file in {None, "-"} else str(file)
    return [_row(line, f"{name}: document {number}") for number, line in enumerate(texts, 1)]


def _is_row(line: str) -> bool:
    """Whether a line is a document as JSON; a text may look like one, but for its text."""
    if not re.match(r"\s*\{", line):
        return False
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("text"), str)


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
        json.dumps(found, allow_nan=False)  # a payload of NaN or 1e999 would make --json none
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error})") from error
    if not isinstance(found, dict):
        raise InputError(f"{where}: found {type(found).__name__}, wanted an object with a text")
    if unknown := [name for name in found if name not in _FIELDS]:
        raise InputError(f"{where}: unknown field {', '.join(unknown)}; there is {', '.join(_FIELDS)}")
    for field, kind, wanted in (("text", str, "a string"), ("id", str, "a string"), ("payload", dict, "an object")):
        value = found.get(field)
        if not isinstance(value, kind) and (value is not None or field == "text"):
            raise InputError(f"{where}: {field} is {json.dumps(value)[:80]}, wanted {wanted}")
    return found
