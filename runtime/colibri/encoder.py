"""Texts to TokenVectors: tokenise, run, drop the rows that do not count.

Every text runs alone at its own length: nothing is padded, so its rows cannot depend on the texts beside it. That
holds for int8 bit for bit, where even two texts of one length in a batch would share an activation scale.
"""

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from colibri.artefact import Artefact
from colibri.errors import ArtefactError
from colibri.manifest import RoleName
from colibri.providers import Choice, available_cores
from colibri.session import Session
from colibri.tokenizer import Encoded, TextTokenizer
from colibri.vectors import TokenVectors

log = logging.getLogger(__name__)

_TEXTS_AT_ONCE = 256  # tokenised together: offsets of a whole large collection would not fit in memory


class Encoder:
    """Runs the graphs of one variant. Threads may share it."""

    def __init__(
        self, artefact: Artefact, choice: Choice, tokenizer: TextTokenizer, *, threads: int | None = None
    ) -> None:
        self._manifest = artefact.manifest
        self._tokenizer = tokenizer
        self._outputs = {int(dim): name for dim, name in choice.variant.outputs.items()}
        graph, engine = choice.graph, choice.variant.engine
        files: dict[RoleName, tuple[str, bool]] = {
            "query": (graph.query, graph.masked_query),
            "document": (graph.document, graph.masked_document),
        }
        loaded = {
            (name, masked): Session(
                artefact.path(name),
                choice.provider,
                threads=threads or available_cores(),
                masked=masked,
                profiles=engine.profiles if engine else (),
            )
            for name, masked in dict.fromkeys(files.values())
        }
        self._sessions: dict[RoleName, Session] = {role: loaded[key] for role, key in files.items()}
        self._weights: dict[RoleName, NDArray[np.float32] | None] = {
            role: _token_weights(artefact, artefact.manifest.role(role).weights_file) for role in files
        }

    def encode(
        self, texts: Sequence[str], role: RoleName, dims: Sequence[int], *, progress: bool = False
    ) -> dict[int, TokenVectors]:
        """Encode texts for a role at one or several dims from a single run of the backbone each."""
        rules = self._manifest.role(role)
        outputs = [self._outputs[dim] for dim in dims]
        rows: dict[int, list[NDArray[np.float32]]] = {dim: [] for dim in dims}
        kept: list[Encoded] = []
        with _progress(len(texts), f"encoding {role} texts", progress) as advance:
            for first in range(0, len(texts), _TEXTS_AT_ONCE):
                for encoded in self._tokenizer.encode(texts[first : first + _TEXTS_AT_ONCE], rules):
                    results = self._sessions[role].run(encoded.ids, encoded.attended, outputs)
                    for dim, result in zip(dims, results, strict=True):
                        rows[dim].append(result[encoded.keep])
                    kept.append(encoded)
                    advance()
        cut = sum(encoded.truncated > 0 for encoded in kept)
        if cut:
            log.info("%d of %d %s texts were cut at %d tokens", cut, len(texts), role, rules.max_tokens)
        return self._pack(rows, kept, role)

    def _pack(
        self, rows: dict[int, list[NDArray[np.float32]]], encoded: list[Encoded], role: RoleName
    ) -> dict[int, TokenVectors]:
        starts = np.cumsum([0, *(int(e.keep.sum()) for e in encoded)], dtype=np.int64)
        spans = np.concatenate([np.zeros((0, 2), np.int32), *(e.spans[e.keep] for e in encoded)])
        table = self._weights[role]
        weights = None
        if table is not None:
            weights = table[np.concatenate([np.zeros(0, np.int64), *(e.ids[e.keep] for e in encoded)])]
        return {
            dim: TokenVectors(
                np.concatenate([np.zeros((0, dim), np.float32), *parts]),
                starts,
                spans,
                weights,
                self._manifest.space_id,
            )
            for dim, parts in rows.items()
        }


def _token_weights(artefact: Artefact, name: str | None) -> NDArray[np.float32] | None:
    if name is None:
        return None
    weights = np.fromfile(artefact.path(name), "<f4").astype(np.float32)
    vocabulary = artefact.manifest.architecture.vocabulary
    if weights.shape != (vocabulary,):
        raise ArtefactError(f"{artefact.path(name)}: {weights.size} weights, wanted one for each of {vocabulary} ids")
    return weights


@contextmanager
def _progress(total: int, what: str, show: bool) -> Iterator[Callable[[], object]]:
    """A function to call after each text: it moves a bar on stderr, or does nothing."""
    if not show:
        yield lambda: None
        return
    from tqdm import tqdm  # noqa: PLC0415 - 20 ms that only long work pays

    with tqdm(total=total, desc=what, unit="text", file=sys.stderr, leave=False) as bar:
        yield bar.update
