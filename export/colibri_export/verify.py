"""Parity: run every graph through the real runtime and compare its rows with cpu-fp32's."""

import dataclasses
import logging

import numpy as np

from colibri.artefact import Artefact, Graph, Manifest, Parity, Variant
from colibri.encoding import Encoder
from colibri.errors import ExportError
from colibri.providers import CPU, Choice, cpu_features
from colibri.scoring import maxsim
from colibri.tokens import TextTokenizer
from colibri.vectors import TokenVectors
from colibri_export.sample_texts import DOCUMENTS, QUERIES
from colibri_export.variants import REFERENCE

log = logging.getLogger(__name__)

# (least cosine of any row, least mean cosine): portable differs from cpu-fp32 only by rounding, float16 by more of it;
# int8 by design.
_TOLERANCES = {"float32": (0.99999, 0.99999), "float16": (0.999, 0.999), "int8": (0.0, 0.98)}

Encoded = dict[str, dict[int, TokenVectors]]  # role -> dim -> rows


def measure(artefact: Artefact, reference: Artefact, reference_name: str, *, may_miss: bool = False) -> Manifest:
    """The artefact's manifest with the parity of every graph this machine can run, at every dim.

    A graph for some processors that misses its tolerance is told and left out where its variant has one for all of them
    that meets it.

    reference  an artefact of the same checkpoint (or the same one) whose variant `reference_name` is the float truth
    may_miss   whether a variant that misses its tolerance is told and left out, instead of an error

    Raises ExportError when a graph misses its tolerance: with the numbers, what they mean, and what can be done.
    """
    truth = _encode(reference, _choice(reference.manifest, reference_name, 0))
    variants = {}
    for name in artefact.manifest.variants:
        try:
            variants[name] = _measured(truth, artefact, name)
        except ExportError as error:
            if not may_miss or name == reference_name:
                raise ExportError(f"{error}. {_way_on(name, artefact.manifest, reference_name)}") from None
            log.warning("%s; %s is left out", error, name)
    return dataclasses.replace(artefact.manifest, variants=variants)


def _measured(truth: Encoded, artefact: Artefact, name: str) -> Variant:
    variant = artefact.manifest.variants[name]
    graphs: list[Graph] = []
    misses: list[ExportError] = []
    for i, graph in enumerate(variant.graphs):
        parity = None
        if variant.engine is None and _is_right_here(graph):
            parity = _compare(truth, _encode(artefact, _choice(artefact.manifest, name, i)))
            try:
                _require(name, graph, variant, parity)
            except ExportError as error:
                misses.append(error)
                continue
        graphs.append(dataclasses.replace(graph, parity=parity))
    if misses and all(graph.any_cpu_feature for graph in graphs):
        raise misses[0]
    for miss in misses:
        log.warning("%s; this graph is left out, and %s runs in its place", miss, graphs[-1].document)
    files = {file for graph in graphs for file in (graph.query, graph.document)} | set(variant.data)
    size = sum(artefact.manifest.files[file].size_bytes for file in files)
    return dataclasses.replace(variant, graphs=tuple(graphs), size_bytes=size)


def _is_right_here(graph: Graph) -> bool:
    """Whether this machine can tell what a graph computes elsewhere. s8a7 needs AVX2 to be fast, not to be right."""
    return not graph.any_cpu_feature or bool({*cpu_features(), "avx2"} & set(graph.any_cpu_feature))


def _choice(manifest: Manifest, name: str, graph: int) -> Choice:
    variant = manifest.variants[name]
    return Choice(name, variant, variant.graphs[graph], CPU)


def _encode(artefact: Artefact, choice: Choice) -> Encoded:
    # One worker has one session for both roles: two hold the weights twice (1.0 GB instead of 0.5 for jina-colbert-v2's
    # cpu-int8 without VNNI).
    encoder = Encoder(artefact, choice, lambda: TextTokenizer(artefact), workers=1)
    dims = artefact.manifest.dims
    return {"query": encoder.encode(QUERIES, "query", dims), "document": encoder.encode(DOCUMENTS, "document", dims)}


def _compare(truth: Encoded, found: Encoded) -> dict[str, Parity]:
    parities = {}
    for dim in truth["query"]:
        cosines = np.concatenate(
            [
                np.einsum("td,td->t", truth[role][dim].rows, found[role][dim].rows, dtype=np.float64)
                for role in ("query", "document")
            ]
        )
        # MaxSim refuses rows that are not finite; the cosines say that much already.
        finite = np.isfinite(cosines).all()
        difference = np.abs(_scores(truth, dim) - _scores(found, dim)).max() if finite else np.nan
        parities[str(dim)] = Parity(
            min_cosine=round(float(cosines.min()), 7),
            mean_cosine=round(float(cosines.mean()), 7),
            max_score_difference=round(float(difference), 6),
            tokens=len(cosines),
        )
    return parities


def _scores(encoded: Encoded, dim: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.stack([maxsim(query, encoded["document"][dim]) for query in encoded["query"][dim]])


def _require(name: str, graph: Graph, variant: Variant, parities: dict[str, Parity]) -> None:
    least, mean = _TOLERANCES[variant.precision]
    tokens = next(iter(parities.values())).tokens
    misses = [
        f"dim {dim}: cosine min {p.min_cosine:.6f} mean {p.mean_cosine:.6f}"
        for dim, p in parities.items()
        if not (p.min_cosine >= least and p.mean_cosine >= mean)
    ]
    if misses:
        raise ExportError(
            f"{name} ({graph.document}) is too far from float32: {'; '.join(misses)}; wanted min {least} mean {mean} "
            f"(between its vector and float32's of each of {tokens:,} tokens of sample texts; 1 is the same direction)"
        )


def _way_on(missed: str, manifest: Manifest, reference_name: str) -> str:
    if missed == reference_name:
        return "This is float32 itself: the weights overflow it, so no variant can be made; is the checkpoint damaged?"
    # An engine is built from gpu-fp16, the only float16 variant, and is not made without it.
    lost = ("float16", "engine") if manifest.variants[missed].precision == "float16" else ()
    kept = [n for n, variant in manifest.variants.items() if n != missed and variant.precision not in lost]
    way = f"The way on: --variants {','.join(kept or [reference_name])} makes it without {missed}"
    # The optimum door, whose reference is another one, has no such option.
    rounded = manifest.variants[missed].precision == "int8" and reference_name == REFERENCE
    return f"{way}; --vocab-bits 8, unless it was given, rounds the vocabulary less" if rounded else way
