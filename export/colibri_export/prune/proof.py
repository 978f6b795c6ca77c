"""Whether texts whose pieces were all kept are read as before: the same ids, and rows equal to the bit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from colibri.artefact import Artefact, Graph, Variant
from colibri.encoding import Encoder
from colibri.errors import ExportError
from colibri.providers import CPU, Choice
from colibri.tokens import TextTokenizer
from colibri_export.prune.wanted import ids_in_roles

_TEXTS_RUN = 64  # through every graph of both


@dataclass
class Told:
    """What became of texts.

    texts   how many were compared, and `inside` of them have only pieces that were kept
    before  tokens of all, and `after` in the pruned vocabulary
    run     texts inside whose rows are compared
    """

    texts: int = 0
    inside: int = 0
    before: int = 0
    after: int = 0
    run: list[str] = field(default_factory=list)


def compare_ids(texts: Iterable[str], source: Artefact, pruned: Artefact, new: NDArray[np.int64]) -> Told:
    """Compare ids of every text in both roles. new (vocabulary,): an old id's new one, -1 for those that are gone.

    Raises ExportError for a text inside the kept pieces whose ids are others than the renumbered ones.
    """
    told = Told()
    readers = TextTokenizer(source), TextTokenizer(pruned)
    for text in texts:
        before, after = (
            ids_in_roles(reader, one.manifest, text) for reader, one in zip(readers, (source, pruned), strict=True)
        )
        wanted = new[before]
        told.texts += 1
        told.before += before.size
        told.after += after.size
        if (wanted >= 0).all():
            if not np.array_equal(wanted, after):
                raise ExportError(f"{text[:200]!r} has kept pieces only, and the pruned vocabulary reads it otherwise")
            told.inside += 1
            if before.size and len(told.run) < _TEXTS_RUN:
                told.run.append(text)
    return told


def compare_rows(source: Artefact, pruned: Artefact, texts: Sequence[str]) -> int:
    """Run texts through every graph of both as queries and documents; how many rows were the same.

    Raises ExportError where one differs in a bit.
    """
    rows = 0
    for name, variant in pruned.manifest.variants.items():
        for graph in variant.graphs:
            first, second = (_rows(one, name, variant, graph, texts) for one in (source, pruned))
            if not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)):
                raise ExportError(f"{graph.document}: rows of kept pieces differ from the source's")
            rows += sum(len(part) for part in first)
    return rows


def _rows(
    artefact: Artefact, name: str, variant: Variant, graph: Graph, texts: Sequence[str]
) -> list[NDArray[np.generic]]:
    encoder = Encoder(artefact, Choice(name, variant, graph, CPU), lambda: TextTokenizer(artefact))
    dims = artefact.manifest.dims
    found: list[NDArray[np.generic]] = []
    for role in ("query", "document"):
        encoded = encoder.encode(list(texts), role, dims)
        found += [encoded[dim].rows.view(np.uint32) for dim in dims]
        weights = encoded[dims[0]].weights
        found += [] if weights is None else [weights.view(np.uint32)]
    return found
