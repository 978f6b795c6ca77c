"""tokenizer.json with fewer pieces: which must stay for texts to be read as before, and the file without the others.

A text whose pieces are all kept gets the same pieces from the smaller vocabulary:

- Unigram (Kudo, arXiv 1804.10959): its best path is still there, its rivals are fewer, and an unknown character costs
  what it did, since the piece of the lowest score stays.
- BPE (Sennrich, arXiv 1508.07909): each merge that led to its pieces is still there, in the same order, because what a
  kept piece can be merged from is kept as well; those that are gone would have led to pieces it does not have.
- WordPiece: the longest piece at each place is still there. A word that the vocabulary cannot spell is one unknown
  piece whatever came before the gap, and may be spelt after all once that is read otherwise.
"""

import copy
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from colibri.errors import ExportError, InputError

_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
_KINDS = ("Unigram", "BPE", "WordPiece")


@dataclass(frozen=True)
class Vocabulary:
    """The pieces of a tokenizer.json, and what is known about them."""

    document: dict[str, Any]

    @cached_property
    def kind(self) -> str:
        """Unigram, BPE or WordPiece."""
        return str(self._model["type"])

    @cached_property
    def pieces(self) -> dict[int, str]:
        """Id -> piece, of the model's own and of those added, which may be the same."""
        own = self._model["vocab"]
        found = {i: str(entry[0]) for i, entry in enumerate(own)} if self.kind == "Unigram" else _turned(own)
        return found | {int(token["id"]): str(token["content"]) for token in self.document["added_tokens"]}

    def must_stay(self) -> set[int]:
        """Ids of what is added or special, of single characters and bytes, and of the piece of the lowest score."""
        stay = {int(token["id"]) for token in self.document["added_tokens"]}
        stay |= set(_processor_ids(self.document["post_processor"]))
        stay |= {i for i, piece in self.pieces.items() if len(self._bare(piece)) == 1 or _BYTE.fullmatch(piece)}
        if self.kind == "Unigram":
            scores = [float(score) for _, score in self._model["vocab"]]
            stay |= {min(range(len(scores)), key=scores.__getitem__), *self._unknown()}
        else:
            stay |= {i for i, piece in self.pieces.items() if piece == self._model.get("unk_token")}
        return stay

    def closed(self, ids: Iterable[int]) -> set[int]:
        """These and all that a merge of the vocabulary makes one of them from."""
        found, left = set[int](), list(ids)
        while left:
            i = left.pop()
            if i not in found:
                found.add(i)
                left += self._parts.get(i, ())
        return found

    def by_own_order(self) -> list[int]:
        """Ids of the model's pieces, those first that it was made to use most: by score, or by rank of their merges.

        Raises InputError for WordPiece, which keeps neither.
        """
        if self.kind == "Unigram":
            scores = [float(score) for _, score in self._model["vocab"]]
            return sorted(range(len(scores)), key=lambda i: -scores[i])
        if self.kind == "BPE":
            ids = {piece: i for i, piece in self.pieces.items()}
            return list(dict.fromkeys(ids[result] for _, _, result in self._merges() if result in ids))
        raise InputError("--keep alone: WordPiece does not say which pieces matter; give --corpus or --languages too")

    def without_letters(self) -> set[int]:
        """Ids of pieces that belong to no language: digits, punctuation, signs, and mixtures of them."""
        return {i for i, piece in self.pieces.items() if not any(character.isalpha() for character in piece)}

    def kept(self, ids: Collection[int]) -> dict[str, Any]:
        """The document with these pieces only, closed under merges, renumbered in their order.

        Raises ExportError where a piece that must stay is not among them.
        """
        if missing := self.must_stay() - set(ids):
            raise ExportError(f"pieces {sorted(missing)[:5]} must stay: special, single characters or the cheapest one")
        new = {old: i for i, old in enumerate(sorted(ids))}
        made = copy.deepcopy({key: value for key, value in self.document.items() if key != "model"})
        made["model"] = {key: value for key, value in self._model.items() if key not in {"vocab", "merges"}}
        own = self._model["vocab"]
        if self.kind == "Unigram":
            made["model"]["vocab"] = [entry for i, entry in enumerate(own) if i in new]
            made["model"]["unk_id"] = next((new[i] for i in self._unknown()), None)
        else:
            made["model"]["vocab"] = {piece: new[i] for piece, i in own.items() if i in new}
        if self.kind == "BPE":
            there = made["model"]["vocab"]
            merges = zip(self._model["merges"], self._merges(), strict=True)
            made["model"]["merges"] = [given for given, parts in merges if all(part in there for part in parts)]
        for token in made["added_tokens"]:
            token["id"] = new[token["id"]]
        _renumber_processor(made["post_processor"], new)
        made["padding"] = made["truncation"] = None  # as every export has it: the ids of a role are laid out by us
        return made

    @cached_property
    def _model(self) -> dict[str, Any]:
        model: dict[str, Any] = self.document["model"]
        return model

    @cached_property
    def _parts(self) -> dict[int, list[int]]:
        """Id -> ids that merges make it from."""
        found: dict[int, list[int]] = {}
        if self.kind == "BPE":
            own = self._model["vocab"]
            for left, right, result in self._merges():
                if left in own and right in own and result in own:
                    found.setdefault(own[result], []).extend((own[left], own[right]))
        return found

    def _merges(self) -> Iterator[tuple[str, str, str]]:
        """Left, right and what they become, in order of rank."""
        before = len(self._model.get("continuing_subword_prefix") or "")
        for merge in self._model["merges"]:
            left, right = merge.split(" ") if isinstance(merge, str) else merge
            yield left, right, left + right[before:]

    def _bare(self, piece: str) -> str:
        """Without what only says where in a word it stands."""
        if self.kind == "Unigram":
            return piece
        piece = piece.removeprefix(self._model.get("continuing_subword_prefix") or "")
        return piece.removesuffix(self._model.get("end_of_word_suffix") or "")

    def _unknown(self) -> list[int]:
        unknown = self._model.get("unk_id")
        return [] if unknown is None else [int(unknown)]


def read_vocabulary(text: str) -> Vocabulary:
    """A tokenizer.json's. Raises ExportError for a kind that cannot be cut."""
    document = json.loads(text)
    kind = document["model"].get("type")
    if kind not in _KINDS:
        raise ExportError(f"tokenizer.json: a {kind} model; wanted {', '.join(_KINDS)}")
    if document["model"].get("dropout"):
        raise ExportError("tokenizer.json: its merges are left out by chance (dropout), so no piece is safe to remove")
    return Vocabulary(document)


def _turned(vocabulary: dict[str, int]) -> dict[int, str]:
    return {i: piece for piece, i in vocabulary.items()}


def _processor_ids(processor: dict[str, Any] | None) -> Iterator[int]:
    """Ids that a post-processor puts around texts."""
    if processor is None:
        return
    for step in processor.get("processors", ()):
        yield from _processor_ids(step)
    for token in (processor.get("special_tokens") or {}).values():
        yield from token["ids"]
    yield from (processor[key][1] for key in ("sep", "cls") if isinstance(processor.get(key), list))


def _renumber_processor(processor: dict[str, Any] | None, new: dict[int, int]) -> None:
    if processor is None:
        return
    for step in processor.get("processors", ()):
        _renumber_processor(step, new)
    for token in (processor.get("special_tokens") or {}).values():
        token["ids"] = [new[i] for i in token["ids"]]
    for key in ("sep", "cls"):
        if isinstance(processor.get(key), list):
            processor[key][1] = new[processor[key][1]]
