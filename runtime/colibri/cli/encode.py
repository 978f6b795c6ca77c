"""`colibri encode`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from colibri.cli.grouped import MODEL, Grouped
from colibri.cli.options import PROGRESS_FROM, ModelOptions, model_options, read_texts
from colibri.cli.terminal import echo, echo_json, visible
from colibri.errors import InputError
from colibri.machine import counted

if TYPE_CHECKING:
    from colibri.encoding import Report
    from colibri.vectors import TokenVectors

_AT_ONCE = 4096  # rows between two lots of lines on stdout


@click.command(cls=Grouped, groups=MODEL, short_help="Turn texts into token vectors.")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--file", type=click.Path(), metavar="FILE", help="Read texts from FILE, one a line; - is stdin.")
@click.option(
    "--as",
    "role",
    type=click.Choice(["document", "query"]),
    default="document",
    show_default=True,
    help="Role of the texts.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write a safetensors file instead of JSON."
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16", "int8"]),
    default="float32",
    show_default=True,
    help="What rows are stored as; int8 has a scale a token beside.",
)
@click.option(
    "--long-documents",
    type=click.Choice(["truncate", "error", "windows"]),
    default="truncate",
    show_default=True,
    help="Cut documents that do not fit, refuse them, or make windows that overlap out of each.",
)
@click.option("--skip-errors", is_flag=True, help="Leave texts out that fail, and say which.")
@model_options
def encode(
    texts: tuple[str, ...],
    file: str | None,
    role: str,
    out: Path | None,
    dtype: Literal["float32", "float16", "int8"],
    long_documents: Literal["truncate", "error", "windows"],
    skip_errors: bool,
    asked: ModelOptions,
) -> None:
    """Turn texts into token vectors.

    Without --out: one JSON object a text on stdout, with its vectors and the character span behind each.
    With --out FILE: `rows`, `starts` and `spans` (and `scales` of int8 rows) in one safetensors file, which
    colibri.TokenVectors.load reads. Vectors are written as they are made: memory does not grow with their number.

    \b
      colibri encode "Paris is the capital." --dim 64
      colibri encode --file passages.txt --out passages.safetensors --dtype int8
    """
    listed = read_texts(texts, file)
    if out is not None and not out.resolve().parent.is_dir():
        raise InputError(f"{out}: its folder does not exist")
    loaded = asked.load()
    from colibri.encoding import Report

    report = Report()
    on_error: Literal["raise", "skip"] = "skip" if skip_errors else "raise"
    show = len(listed) >= PROGRESS_FROM
    chunks: Iterator[TokenVectors]
    if role == "query":
        if long_documents != "truncate":
            raise InputError(f"--long-documents {long_documents}: is for documents; queries are cut")
        vectors = loaded.encode_queries(listed, dtype=dtype, on_error=on_error, report=report, progress=show)
        chunks = iter([vectors])
    else:
        chunks = loaded.stream_documents(
            listed,
            chunk_tokens=_AT_ONCE,
            dtype=dtype,
            on_error=on_error,
            report=report,
            progress=show,
            long_documents=long_documents,
        )
    if out is None:
        _print(chunks, listed)
        entries = ""
    else:
        entries = f"{out}: {_save(chunks, out)}"
    notes = "; ".join(note for note in (entries, _notes(report)) if note)
    if notes:
        echo(visible(notes), err=True)


def _print(chunks: "Iterator[TokenVectors]", texts: list[str]) -> None:
    for vectors in chunks:
        assert vectors.spans is not None
        for i, rows in enumerate(vectors):
            text = texts[i if vectors.sources is None else vectors.sources[i]]
            spans = vectors.spans[vectors.starts[i] : vectors.starts[i + 1]]
            entry = {"text": text, "spans": spans.tolist(), "vectors": rows.tolist()}
            if vectors.scales is not None:
                entry["scales"] = vectors.scales[vectors.starts[i] : vectors.starts[i + 1]].tolist()
            echo_json(entry)


def _save(chunks: "Iterator[TokenVectors]", out: Path) -> str:
    from colibri.encoding import save_stream

    try:
        saved = save_stream(chunks, out)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror})") from error
    return f"{counted(len(saved), 'text')}, {counted(len(saved.rows), 'token')}, dim {saved.dim}"


def _notes(report: "Report") -> str:
    notes = []
    if report.truncated:
        notes.append(f"{report.truncated:,} of {report.texts:,} cut (--long-documents windows keeps all of them)")
    if report.split:
        notes.append(f"{report.split:,} of {report.texts:,} became several windows (`sources` tells whose)")
    if report.failed:
        notes.append(f"{len(report.failed):,} of {report.texts:,} failed and left out")
    return "; ".join(notes)
