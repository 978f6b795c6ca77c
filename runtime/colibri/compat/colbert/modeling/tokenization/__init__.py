"""`from colbert.modeling.tokenization import QueryTokenizer, DocTokenizer`: the lengths that a Checkpoint uses."""

from typing import Any

from colibri.compat.not_here import not_here


class QueryTokenizer:
    """`query_maxlen` may be set: the next queries have that length, up to what the graph takes."""

    def __init__(self, query_maxlen: int) -> None:
        self.query_maxlen = query_maxlen

    def __getattr__(self, name: str) -> Any:
        return _absent("QueryTokenizer", name)


class DocTokenizer:
    """`doc_maxlen` may be set: the next documents are cut there, up to what the graph takes."""

    def __init__(self, doc_maxlen: int) -> None:
        self.doc_maxlen = doc_maxlen

    def __getattr__(self, name: str) -> Any:
        return _absent("DocTokenizer", name)


def _absent(kind: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    not_here(f"{kind}.{name}", "texts become ids inside Colibri", "ask colibri.load(...).tokens(texts, role) for them")
