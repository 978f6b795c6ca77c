"""Calls of Stanford's package (colbert-ai 0.2.22): configuration, Checkpoint, scores, Indexer, Searcher, data."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from originals.described import Calls
from originals.texts import DOCUMENTS, QUERIES, passages

Modules = Callable[[str], Any]


def configuration(modules: Modules, checkpoint: Path) -> Calls:
    """ColBERTConfig and RunConfig: defaults, what was given, which of several wins."""
    infra = modules("colbert.infra")
    kind = infra.ColBERTConfig
    shown = (
        "doc_maxlen query_maxlen dim mask_punctuation attend_to_mask_tokens nbits kmeans_niters bsize index_bsize "
        "experiment similarity interaction query_token_id doc_token_id checkpoint collection index_name index_root "
        "overwrite pool_factor ncells ndocs centroid_score_threshold"
    ).split()

    def merged() -> list[Any]:
        both = kind.from_existing(kind(doc_maxlen=100, nbits=2), None, kind(nbits=4))
        return [both.doc_maxlen, both.nbits, both.query_maxlen]

    def configured() -> list[Any]:
        config = kind(nbits=2)
        config.configure(nbits=4, unheard_of=1)
        return [config.nbits, hasattr(config, "unheard_of")]

    def paths() -> list[Any]:
        config = kind(root="/r", experiment="e", index_name="i")
        return [config.index_root_, config.index_path_, kind(root="/r", index_root="/x", index_name="i").index_path_]

    def contexts() -> list[Any]:
        before = infra.Run().config.experiment
        with infra.Run().context(infra.RunConfig(nranks=1, experiment="inner")):
            inner = infra.Run().config.experiment
        return [before, inner, infra.Run().config.experiment, infra.Run() is infra.Run()]

    return {
        "defaults": lambda: {name: getattr(kind(), name) for name in shown},
        "assigned": lambda: kind(nbits=2, root="r").assigned,
        "from_existing": merged,
        "configure": configured,
        "export is a dict": lambda: {name: kind(nbits=2).export()[name] for name in shown},
        "unknown keyword": lambda: kind(unheard_of=1),
        "from a checkpoint": lambda: _some(kind.load_from_checkpoint(str(checkpoint))),
        "from a folder without metadata": lambda: kind.load_from_checkpoint(str(checkpoint.parent)),
        "paths": paths,
        "contexts": contexts,
    }


def _some(config: Any) -> list[Any]:
    return [config.doc_maxlen, config.query_maxlen, config.dim, config.mask_punctuation, config.attend_to_mask_tokens]


def checkpoint(modules: Modules, folder: Path) -> Calls:
    """`queryFromText` and `docFromText` in every form of keep_dims and bsize, and `colbert_score`."""
    infra = modules("colbert.infra")
    made = modules("colbert.modeling.checkpoint").Checkpoint(str(folder), infra.ColBERTConfig(), verbose=0)
    score = modules("colbert.modeling.colbert").colbert_score
    docs = DOCUMENTS[:4]

    def scored(queries: list[str], shape: str) -> Any:
        rows, given = made.queryFromText(queries), made.docFromText(docs)
        mask = ~(given == 0).all(-1)
        return score(rows, given, mask if shape == "2d" else mask[:, :, None], infra.ColBERTConfig())

    def settable(length: int) -> Any:
        before = made.query_tokenizer.query_maxlen
        made.query_tokenizer.query_maxlen = length
        try:
            return [before, made.queryFromText([QUERIES[0]])]
        finally:
            made.query_tokenizer.query_maxlen = before

    calls: dict[str, Callable[[], Any]] = {
        "queries": lambda: made.queryFromText(QUERIES),
        "one query": lambda: made.queryFromText(QUERIES[:1]),
        "queries in a tuple": lambda: made.queryFromText(tuple(QUERIES)),
        "queries, bsize 1": lambda: made.queryFromText(QUERIES, bsize=1),
        "queries, bsize 2, to_cpu": lambda: made.queryFromText(QUERIES, bsize=2, to_cpu=True),
        "a query of one string": lambda: made.queryFromText(QUERIES[0]),
        "no queries": lambda: made.queryFromText([]),
        "a query that is a number": lambda: made.queryFromText([3]),
        "query_maxlen set to 12": lambda: settable(12),
        "doc_maxlen": lambda: made.doc_tokenizer.doc_maxlen,
        "no documents": lambda: made.docFromText([]),
        "keep_dims of another kind": lambda: made.docFromText(docs, keep_dims="list"),
        "unknown keyword": lambda: made.docFromText(docs, unheard_of=1),
        "score of one query": lambda: scored(QUERIES[:1], "2d"),
        "score of one query, mask of three dimensions": lambda: scored(QUERIES[:1], "3d"),
        "score of a query a document": lambda: scored([*QUERIES, QUERIES[0]], "2d"),
        "score of two queries for four documents": lambda: scored(QUERIES[:2], "2d"),
    }
    for keep in (True, False, "flatten"):
        for bsize in (None, 1, 2, 32):
            named = f"documents, keep_dims {keep}, bsize {bsize}"
            calls[named] = partial(made.docFromText, docs, keep_dims=keep, bsize=bsize)
    calls["documents, to_cpu"] = lambda: made.docFromText(docs, bsize=2, to_cpu=True)[0]
    calls["one document"] = lambda: made.docFromText(docs[:1])
    return calls


def index(modules: Modules, folder: Path) -> Calls:
    """Indexer, Searcher, Ranking, in the working directory; a name that is there and what overwrite says of it."""
    colbert, infra, data = modules("colbert"), modules("colbert.infra"), modules("colbert.data")
    collection = passages(120)
    state: dict[str, Any] = {}

    def indexed(overwrite: Any) -> Any:
        with infra.Run().context(infra.RunConfig(nranks=1, experiment="golden")):
            config = infra.ColBERTConfig(nbits=2, root="experiments", avoid_fork_if_possible=True)
            indexer = colbert.Indexer(checkpoint=str(folder), config=config, verbose=0)
            where = indexer.index(name="tiny", collection=collection, overwrite=overwrite)
            return [type(where).__name__, Path(where).name, where == indexer.get_index()]

    def opened() -> Any:
        with infra.Run().context(infra.RunConfig(nranks=1, experiment="golden")):
            state["searcher"] = colbert.Searcher(index="tiny", collection=collection, verbose=0)
        found = state["searcher"]
        return [Path(found.index).name, len(found.collection), found.collection[3], found.config.doc_maxlen]

    def only(pids: Any) -> Any:
        state["filter got"] = [type(pids).__name__, str(pids.dtype), len(pids) <= len(collection)]
        return pids[pids < 4]

    def none(pids: Any) -> Any:
        return pids[pids < 0]

    def kinds(found: Any) -> Any:
        """Types and lengths; which pids there are depends on PLAID's approximation."""
        return [type(found).__name__, [[type(part).__name__, len(part), type(part[0]).__name__] for part in found]]

    def search(**words: Any) -> Any:
        return state["searcher"].search(QUERIES[0], **words)

    def ranking() -> Any:
        found = state["searcher"].search_all({"q1": QUERIES[0], "q2": QUERIES[1]}, k=3)
        state["ranking"] = found
        rows = found.todict()["q1"]
        flat = found.tolist()
        return [type(found).__name__, list(found.todict()), type(rows).__name__, len(rows), _types(rows[0]),
                len(flat), _types(flat[0]), [row[2] for row in flat]]  # fmt: skip

    return {
        "index": lambda: indexed(True),
        "the name is there": lambda: indexed(False),
        "reuse": lambda: indexed("reuse"),
        "another word for overwrite": lambda: indexed("yes"),
        "open": opened,
        "search": lambda: kinds(search(k=5)),
        "ranks": lambda: search(k=5)[1],
        "falling": lambda: sorted(search(k=5)[2], reverse=True) == search(k=5)[2],
        "zip": lambda: [_types(row) for row in zip(*search(k=2), strict=False)],
        "pids": lambda: sorted(search(k=10, pids=[5, 2, 9])[0]),
        "filter": lambda: [set(search(k=3, filter_fn=only)[0]) <= {0, 1, 2, 3}, state["filter got"]],
        "filter that keeps none": lambda: search(k=3, filter_fn=none),
        "search_all": ranking,
        "search_all of a list": lambda: state["searcher"].search_all(QUERIES, k=2),
        "encode": lambda: state["searcher"].encode(QUERIES[0]),
        "encode a list": lambda: state["searcher"].encode(QUERIES),
        "dense_search": lambda: kinds(state["searcher"].dense_search(state["searcher"].encode(QUERIES[0]), k=2)),
        "queries": lambda: _queries(data),
        "collection": lambda: _collection(data, collection),
        "save": lambda: _saved(state["ranking"]),
    }


def _types(row: Any) -> list[str]:
    return [type(entry).__name__ for entry in row]


def _queries(data: Any) -> Any:
    found = data.Queries(data={0: "a", 7: "b"})
    return [list(found.items()), list(found.keys()), list(found.values()), len(found), found[7]]


def _collection(data: Any, texts: list[str]) -> Any:
    found = data.Collection.cast(texts)
    return [type(found).__name__, len(found), found[2], [*found][1], found[1:3]]


def _saved(ranking: Any) -> Any:
    where = Path(ranking.save(str(Path.cwd() / "ranking.tsv")) or "")
    lines = Path("ranking.tsv").read_text(encoding="utf-8").splitlines()
    return [
        where.name,
        len(lines),
        len(lines[0].split("\t")),
        lines[0].split("\t")[2],
        Path("ranking.tsv.meta").exists(),
    ]
