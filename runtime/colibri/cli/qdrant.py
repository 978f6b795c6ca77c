"""`colibri qdrant`: a collection of a Qdrant server in place of a local index."""

import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from colibri.cli.fitting import Least, fit_options, kept, left_out, shown
from colibri.cli.grouped import MODEL, Suggesting
from colibri.cli.index_place import IndexOptions, NamedPath
from colibri.cli.listing import listing
from colibri.cli.minus import WithQuery
from colibri.cli.options import ModelOptions, model_options
from colibri.cli.search_filters import parsed
from colibri.cli.terminal import LINES, echo, echo_json, visible
from colibri.errors import InputError, StoreUnfinished
from colibri.machine import counted

if TYPE_CHECKING:
    from colibri.stores import QdrantStore

F = TypeVar("F", bound=Callable[..., Any])


def server_options(command: F) -> F:
    """--url, --collection, --grpc, --timeout."""
    for option in reversed(
        [
            click.option(
                "--url",
                envvar="QDRANT_URL",
                required=True,
                help="Of the server, http://HOST:6333 or https://HOST; or QDRANT_URL. Its key: QDRANT_API_KEY.",
            ),
            click.option("--collection", required=True, metavar="NAME", help="Name of the collection."),
            click.option("--grpc", is_flag=True, help="Speak gRPC (port 6334) where that is faster."),
            click.option(
                "--timeout", type=click.IntRange(min=1), default=60, show_default=True, help="Seconds a call may take."
            ),
        ]
    ):
        command = option(command)
    return command


@click.group(cls=Suggesting, short_help="Put an index into a Qdrant collection, and search there.")
def qdrant() -> None:
    """Qdrant: where Colibri goes when one machine is not enough.

    A collection is used as it is, or made with DOT, MAX_SIM and no graph. Your own client goes on beside: your fields
    stay at top level, all of ours is under _colibri. The key is read from QDRANT_API_KEY and shown nowhere.

    \b
      colibri qdrant put notes.index --url http://localhost:6333 --collection notes
      colibri qdrant search "refund" --url http://localhost:6333 --collection notes
      colibri qdrant show --url http://localhost:6333 --collection notes
    """


@qdrant.command(short_help="Send a local index to a collection.")
@click.argument("place", type=NamedPath(), required=False, metavar="[INDEX]")
@server_options
@click.option("--shards", type=click.IntRange(min=1), help="Shards of a new collection; default: the server's.")
@click.option("--replicas", type=click.IntRange(min=1), help="Copies of each shard of a new collection; default: 1.")
@click.option(
    "--write-consistency", type=click.IntRange(min=1), help="Copies that must have a write before it counts, if new."
)
@click.option("--on-disk", is_flag=True, help="A new collection reads rows from the disk as they are needed.")
@click.option("--float16", is_flag=True, help="A new collection keeps rows in half the bytes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def put(
    place: Path | None,
    url: str,
    collection: str,
    grpc: bool,
    timeout: int,
    shards: int | None,
    replicas: int | None,
    write_consistency: int | None,
    on_disk: bool,
    float16: bool,
    as_json: bool,
) -> None:
    """Send every document of a local index to a collection: rows as they are, nothing is encoded again.

    Run it again at any time: what is there already and the same is left, what is new or changed is sent, and an
    interruption is gone on from. Documents that the index has no more stay in the collection. Without INDEX it is the
    one that `colibri search` would ask.
    """
    from colibri.index import Index
    from colibri.stores import connected

    with Index.open(IndexOptions(place).existing(quiet=as_json), create=False) as index:
        whose: dict[str, Any] = {"model": index.model_name} if index.model_name else {"space_id": index.space_id}
        store = connected(
            url,
            collection,
            grpc=grpc,
            seconds=timeout,
            dims=index.dim,
            shards=shards,
            replicas=replicas,
            write_consistency=write_consistency,
            on_disk=on_disk,
            datatype="float16" if float16 else "float32",
            **whose,
        )
        with store:
            try:
                moved = store.move(index, progress=not as_json and len(index) > 0)
            except StoreUnfinished as error:
                raise StoreUnfinished(f"{error}: run it again", error.done, error.unsure, error.left) from error
            total = store.count()
    if as_json:
        echo_json({**asdict(moved), "documents": total, "collection": collection})
        return
    echo(
        visible(
            f"{counted(moved.put, 'document')} sent, {moved.same:,} unchanged; "
            f"{collection} holds {counted(total, 'document')}"
        )
    )


@qdrant.command(cls=WithQuery, groups=MODEL, short_help="Search a collection.")
@click.argument("words", nargs=-1, required=True, metavar="QUERY...")
@server_options
@click.option("--using", metavar="NAME", help="Name of the vector, where the collection has several.")
@click.option("-k", "count", type=click.IntRange(min=1), default=5, show_default=True, help="How many documents.")
@click.option("--where", "filters", multiple=True, help="Keep documents by payload: lang=en, or JSON. All must hold.")
@click.option("--screen", help="Choose candidates first: a narrower width that the collection keeps, or 'centroids'.")
@fit_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout; without --min it has every result.")
@model_options
def search(
    words: tuple[str, ...],
    url: str,
    collection: str,
    grpc: bool,
    timeout: int,
    using: str | None,
    count: int,
    filters: tuple[str, ...],
    screen: str | None,
    least: Least | None,
    everything: bool,
    as_json: bool,
    asked: ModelOptions,
) -> None:
    """Search a collection; the words that matter most to a score are bold.

    Several words are one query. The model is the one that the collection names, unless --model names another; a
    collection that another client made wants it named. The first number is the score divided by the number of the
    query's tokens; the word behind it says whether a hit fits at all, where the model's cutoffs are known (`colibri
    info`).
    """
    query, where = " ".join(words), parsed(filters)
    first = int(screen) if screen is not None and screen.isdigit() else screen
    with _opened(url, collection, grpc, timeout, asked, using) as store:
        hits = store.search(query, count, where, explain=True, passages=2, screen=first)
    if as_json:
        fitting = kept(hits, least)
        echo_json({"query": query, "collection": collection, "results": [asdict(hit) for hit in fitting]})
        return
    if not hits:
        echo("nothing found", err=True)
    fitting = shown(hits, least, query=query, everything=everything)
    for line in listing(fitting):
        echo(line, styled=True)
    if (left := left_out(len(fitting), hits, least)) is not None:
        echo(left, err=True)


@qdrant.command(short_help="Show the client calls that do the same.")
@server_options
@click.option("--using", metavar="NAME", help="Name of the vector, where the collection has several.")
@click.option("--json", "as_json", is_flag=True, help="What the collection is, as one JSON object on stdout.")
@model_options
def show(
    url: str,
    collection: str,
    grpc: bool,
    timeout: int,
    using: str | None,
    as_json: bool,
    asked: ModelOptions,
) -> None:
    """Print, as a Python program, the calls of qdrant-client that make such a collection, fill it and search it.

    On stderr it says what the collection is and holds.
    """
    from colibri.stores import as_calls

    with _opened(url, collection, grpc, timeout, asked, using) as store:
        facts = {
            "collection": collection,
            "documents": store.count(),
            "vectors": {name: dim for dim, name in store.layout.names.items()},
            "distance": "Cosine" if store.layout.cosine else "Dot",
            "model": store.model_name,
            "space_id": store.space_id,
        }
        name = asked.model or store.model_name
        program = as_calls(collection, store.layout, client=f"url={url!r}", model=name)
    if as_json:
        echo_json(facts)
        return
    for key, value in facts.items():
        echo(visible(f"{key:<12} {value}"), err=True)
    echo(visible(program.rstrip("\n"), LINES))


def _opened(
    url: str, collection: str, grpc: bool, timeout: int, asked: ModelOptions, using: str | None
) -> "QdrantStore":
    """An existing collection, with the model that it or the command line names, loaded as the options say."""
    from colibri.stores import connected

    loaded = None
    if asked.model is not None:
        loaded = replace(asked, model=os.fspath(asked.model), dim=None).load()
    if using is not None and asked.dim is not None:
        raise InputError("either --using or --dim")
    return connected(
        url, collection, grpc=grpc, seconds=timeout, create=False, model=loaded, using=using, dims=asked.dim
    )
