"""`colibri rerank`."""

import click

from colibri.artefact import bounds, fit_of
from colibri.cli.grouped import MODEL, Grouped
from colibri.cli.options import PROGRESS_FROM, ModelOptions, model_options, read_texts
from colibri.cli.terminal import echo, echo_json


@click.command(cls=Grouped, groups=MODEL, short_help="Rank documents for a query.")
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
    asked: ModelOptions,
) -> None:
    """Rank documents by how well they answer QUERY.

    The score is MaxSim: for each query token its best cosine among the document's tokens, summed. Where even
    the best fits hardly, by the model's cutoffs (`colibri info`), stderr says so; --json says it of each.

    \b
      colibri rerank "capital of France" "Paris is the capital." "Lyon is a city."
      colibri rerank "why is the sky red" --file passages.txt --top-n 5
      grep -h . notes/*.txt | colibri rerank "tax return" - --json
    """
    texts = read_texts(documents, file)
    loaded = asked.load()
    vectors = loaded.encode_documents(texts, progress=len(texts) >= PROGRESS_FROM)
    queries = loaded.encode_queries([query])
    scores = loaded.score(queries, vectors)
    order = (-scores).argsort(kind="stable")[:top_n]
    within = bounds(loaded.manifest, queries.dim, queries.weight)
    fits = [fit_of(within, float(score)) for score in scores]
    if as_json:
        known = within is not None
        results = [
            {"index": int(i), "score": float(scores[i]), "document": texts[i]} | ({"fit": fits[i]} if known else {})
            for i in order
        ]
        used = {"model": loaded.name, "variant": loaded.variant, "provider": loaded.provider.name, "dim": loaded.dim}
        echo_json({**used, "query": query, "results": results})
        return
    for i in order:
        echo(f"{scores[i]:7.3f}  {texts[i]}")
    if fits[order[0]] == "unlikely":
        echo("nothing fits well", err=True)
