"""What must be known of a checkpoint's two roles, whoever says it: its own files, or who exports it."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from colibri.errors import ExportError
from colibri_export.recipe import Recipe, RoleRecipe

QueryExpansion = Literal["none", "hidden", "seen"]
SkiplistRule = Literal["none", "stanford", "pylate"]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The rules of both roles; None: not said, which is never the same as none."""

    query_marker: str | None = None
    """The token behind the first one, as the tokenizer spells it; "" says that there is none."""
    document_marker: str | None = None
    """As `query_marker`."""
    query_length: int | None = None
    """Longest query in tokens; 0 says as many as the checkpoint has positions."""
    document_length: int | None = None
    """As `query_length`."""
    query_expansion: QueryExpansion | None = None
    """Masks that fill a query up to `query_length`: none, hidden from its other tokens, or seen by them."""
    skiplist: SkiplistRule | None = None
    """By which rule the rows of punctuation are dropped from documents."""
    skiplist_words: tuple[str, ...] | None = None
    """Whose rows are dropped by that rule; None: string.punctuation."""
    query_skiplist: bool | None = None
    """Whether rows of queries are dropped by it as well. No checkpoint has to say it, nor what follows."""
    query_expand_to: int | None = None
    """How far masks fill a query, where that is not `query_length`."""
    expansion_token: str | None = None
    """What fills a query; None: the tokenizer's mask."""
    lowercase: bool | None = None
    """Whether every text is lower-cased before it is tokenized."""
    query_prefix: str | None = None
    """Text before every query; "" or None: nothing."""
    document_prefix: str | None = None
    """As `query_prefix`."""

    def over(self, other: "Facts") -> "Facts":
        """These, and what only the other says."""
        said = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        kept = {name: value for name, value in said.items() if value is not None}
        if self.skiplist is not None:  # words belong to their rule
            kept["skiplist_words"] = self.skiplist_words
        return dataclasses.replace(other, **kept)

    def against(self, other: "Facts") -> Iterator[tuple[str, object, object]]:
        """Name, ours and theirs of each fact on which both speak and differ."""
        for field in dataclasses.fields(self):
            ours, theirs = getattr(self, field.name), getattr(other, field.name)
            if None not in (ours, theirs) and ours != theirs:
                yield field.name, ours, theirs

    @classmethod
    def of_recipe(cls, recipe: Recipe) -> "Facts":
        """What a recipe says of its roles."""
        query, document = recipe.query, recipe.document
        seen: QueryExpansion = "seen" if query.attend_to_expansion else "hidden"
        other = query.expand_to_tokens if query.expand_to_tokens != query.max_tokens else None
        return cls(
            query_marker=query.marker or "",
            document_marker=document.marker or "",
            query_length=query.max_tokens,
            document_length=document.max_tokens,
            query_expansion="none" if query.expand_to_tokens is None else seen,
            query_expand_to=other,
            expansion_token=query.expansion_token,
            skiplist=cast(SkiplistRule, document.skiplist),
            skiplist_words=document.skiplist_words,
            query_skiplist=query.skiplist != "none",
            lowercase=recipe.lowercase,
            query_prefix=query.prefix or "",
            document_prefix=document.prefix or "",
        )

    def missing(self) -> tuple[str, ...]:
        """Each fact that an export needs and nobody says, with the option that says it."""
        return tuple(words for name, words in _NEEDED.items() if getattr(self, name) is None)

    def applied(self, query: RoleRecipe, document: RoleRecipe) -> tuple[RoleRecipe, RoleRecipe]:
        """Both roles with what is said here; what is not stays as it is.

        Raises ExportError for an expansion without a length to expand to.
        """
        query, document = (
            _with(role, marker, length, prefix)
            for role, marker, length, prefix in (
                (query, self.query_marker, self.query_length, self.query_prefix),
                (document, self.document_marker, self.document_length, self.document_prefix),
            )
        )
        if self.query_length is not None or self.query_expansion is not None:
            query = self._expanded(query)
        if self.expansion_token is not None:
            query = dataclasses.replace(query, expansion_token=self.expansion_token)
        if self.skiplist is not None:
            document = dataclasses.replace(document, skiplist=self.skiplist, skiplist_words=self.skiplist_words)
        if self.query_skiplist is not None:
            rule, words = (document.skiplist, document.skiplist_words) if self.query_skiplist else ("none", None)
            query = dataclasses.replace(query, skiplist=rule, skiplist_words=words)
        return query, document

    def _expanded(self, query: RoleRecipe) -> RoleRecipe:
        to = query.expand_to_tokens
        expands = to is not None if self.query_expansion is None else self.query_expansion != "none"
        if self.query_expand_to is not None:
            to = self.query_expand_to
        elif self.query_length is not None or to is None:
            to = query.max_tokens
        if expands and to is None:
            raise ExportError("queries are filled up to a length, and none is said: --query-length N")
        attends = query.attend_to_expansion if self.query_expansion is None else self.query_expansion == "seen"
        return dataclasses.replace(query, expand_to_tokens=to if expands else None, attend_to_expansion=attends)


PLAIN = Facts(
    query_marker="",
    document_marker="",
    query_length=0,
    document_length=0,
    query_expansion="none",
    skiplist="none",
    query_skiplist=False,
    query_prefix="",
    document_prefix="",
)
"""Texts as they are, as long as the positions reach."""

WORDS = {
    "query_marker": "--query-marker TEXT",
    "document_marker": "--document-marker TEXT",
    "query_length": "--query-length N",
    "document_length": "--document-length N",
    "query_expansion": "--query-expansion none|hidden|seen",
    "skiplist": "--skiplist none|stanford|pylate",
    "lowercase": "--lowercase or --keep-case",
}
"""Fact -> the option that says it, for those that have one."""

_NEEDED = {
    "query_marker": "the marker of queries (--query-marker TEXT)",
    "document_marker": "the marker of documents (--document-marker TEXT)",
    "query_length": "the length of queries (--query-length N)",
    "document_length": "the length of documents (--document-length N)",
    "query_expansion": "whether masks fill a query (--query-expansion none|hidden|seen)",
    "skiplist": "whether rows of punctuation are dropped (--skiplist none|stanford|pylate)",
}


def _with(role: RoleRecipe, marker: str | None, length: int | None, prefix: str | None) -> RoleRecipe:
    return dataclasses.replace(
        role,
        marker=role.marker if marker is None else marker or None,
        max_tokens=role.max_tokens if length is None else length or None,
        prefix=role.prefix if prefix is None else prefix or None,
    )
