"""`colibri rerank` and `colibri encode`."""

import json
from pathlib import Path

import click

from colibri.cli.options import load_model, model_options, read_texts
from colibri.errors import InputError

_PROGRESS_FROM = 32  # texts; fewer are done before a bar could be read


@click.command(short_help="Rank documents for a query.")
@click.argument("query")
@click.argument("documents", nargs=-1, metavar="[DOCUMENT]...")
@click.option("--file", metavar="FILE", help="Read documents from FILE, one a line; - is stdin.")
@click.option("--top-n", type=click.IntRange(min=1), help="Show only the best N.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@model_options
def rerank(
    query: str,
    documents: tuple[str, ...],
    file: str | None,
    top_n: int | None,
    as_json: bool,
    model: str | None,
    dim: int | None,
    variant: str | None,
    threads: int | None,
) -> None:
    """Rank documents by how well they answer QUERY.

    The score is MaxSim: for each query token its best cosine among the document's tokens, summed.

    \b
      colibri rerank "capital of France" "Paris is the capital." "Lyon is a city."
      colibri rerank "why is the sky red" --file passages.txt --top-n 5
      grep -h . notes/*.txt | colibri rerank "tax return" - --json
    """
    texts = read_texts(documents, file)
    loaded = load_model(model, dim, variant, threads)
    vectors = loaded.encode_documents(texts, progress=len(texts) >= _PROGRESS_FROM)
    scores = loaded.score(query, vectors)
    order = (-scores).argsort(kind="stable")[:top_n]
    if as_json:
        results = [{"index": int(i), "score": float(scores[i]), "document": texts[i]} for i in order]
        head = {"model": loaded.name, "variant": loaded.variant, "dim": loaded.dim, "query": query}
        click.echo(json.dumps({**head, "results": results}, ensure_ascii=False))
        return
    for i in order:
        click.echo(f"{scores[i]:7.3f}  {texts[i]}")


@click.command(short_help="Turn texts into token vectors.")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--file", metavar="FILE", help="Read texts from FILE, one a line; - is stdin.")
@click.option(
    "--as",
    "role",
    type=click.Choice(["document", "query"]),
    default="document",
    show_default=True,
    help="Role of the texts.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write a safetensors file instead of JSON.")
@model_options
def encode(
    texts: tuple[str, ...],
    file: str | None,
    role: str,
    out: Path | None,
    model: str | None,
    dim: int | None,
    variant: str | None,
    threads: int | None,
) -> None:
    """Turn texts into token vectors.

    Without --out: one JSON object a text on stdout, with its vectors and the character span behind each.
    With --out FILE: `rows`, `starts` and `spans` in one safetensors file (colibri.TokenVectors.load reads it).

    \b
      colibri encode "Paris is the capital." --dim 64
      colibri encode --file passages.txt --out passages.safetensors
    """
    listed = read_texts(texts, file)
    if out is not None and not out.resolve().parent.is_dir():
        raise InputError(f"{out}: its folder does not exist")
    loaded = load_model(model, dim, variant, threads)
    make = loaded.encode_queries if role == "query" else loaded.encode_documents
    vectors = make(listed, progress=len(listed) >= _PROGRESS_FROM)
    if out is not None:
        try:
            vectors.save(out)
        except OSError as error:
            raise InputError(f"{out}: cannot be written ({error.strerror})") from error
        click.echo(f"{out}: {len(vectors)} texts, {len(vectors.rows)} tokens, dim {vectors.dim}", err=True)
        return
    assert vectors.spans is not None
    for i, (text, rows) in enumerate(zip(listed, vectors, strict=True)):
        spans = vectors.spans[vectors.starts[i] : vectors.starts[i + 1]]
        entry = {"text": text, "spans": spans.tolist(), "vectors": rows.tolist()}
        click.echo(json.dumps(entry, ensure_ascii=False))
