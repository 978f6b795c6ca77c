"""What must hold between the parts of a manifest, so that no text meets it first: names lead somewhere, ids and
lengths are ones the graphs have."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from colibri.artefact.hashing import part_count
from colibri.artefact.manifest import CutoffRow, Manifest, Role, RoleName
from colibri.errors import ArtefactError

ROLES: tuple[RoleName, ...] = ("query", "document")


def check(manifest: Manifest, own_name: str) -> None:
    """Raise ArtefactError with the key of everything that cannot be.

    own_name: the manifest's file name, which `files` does not list.
    """
    problems = [
        *_heads(manifest),
        *_files(manifest, own_name),
        *_frame(manifest),
        *_variants(manifest),
        *_golden(manifest),
        *_cutoffs(manifest),
    ]
    for name in ROLES:
        problems += _role(manifest, name, manifest.role(name))
    if problems:
        raise ArtefactError("; ".join(problems))


def _heads(m: Manifest) -> Iterator[str]:
    if len(set(m.dims)) != len(m.dims):
        yield f"heads: two of one dim among {m.dims}"
    if m.default_dim not in m.dims:
        yield f"default_dim: {m.default_dim} has no head among {m.dims}"


def _files(m: Manifest, own_name: str) -> Iterator[str]:
    for name in m.files:
        if name in {"", ".", "..", own_name} or any(bad in name for bad in "/\\\0"):
            yield f"files.{name}: wanted a plain file name inside the folder"
    for name, entry in m.files.items():
        found, wanted = len(entry.parts_sha256), part_count(entry.size_bytes)
        if found not in {0, wanted}:
            yield f"files.{name}.parts_sha256: found {found}, and {entry.size_bytes} bytes have {wanted} parts"
    needed = [("tokenizer.file", m.tokenizer.file)]
    if m.tokenizer.unigram_file is not None:
        needed.append(("tokenizer.unigram_file", m.tokenizer.unigram_file))
    needed += [(f"{role}.weights_file", file) for role in ROLES if (file := m.role(role).weights_file)]
    for name, variant in m.variants.items():
        needed += [(f"variants.{name}.data", file) for file in variant.data]
        needed += [
            (f"variants.{name}.graphs", file) for graph in variant.graphs for file in (graph.query, graph.document)
        ]
    yield from (f"{path}: {file!r} is not in files" for path, file in needed if file not in m.files)


def _frame(m: Manifest) -> Iterator[str]:
    if not m.tokenizer.start_ids:
        yield "tokenizer.start_ids: empty, so an empty text would have no row"
    for key in ("start_ids", "end_ids"):
        if bad := [i for i in getattr(m.tokenizer, key) if not 0 <= i < m.architecture.vocabulary]:
            yield f"tokenizer.{key}: {bad[0]} is outside the vocabulary of {m.architecture.vocabulary}"


def _golden(m: Manifest) -> Iterator[str]:
    for i, golden in enumerate(m.golden_scores):
        if len(golden.documents) != len(golden.scores) or not golden.documents:
            yield f"golden_scores[{i}]: {len(golden.documents)} documents and {len(golden.scores)} scores"


def _cutoffs(m: Manifest) -> Iterator[str]:
    if m.cutoffs is None:
        return
    if not m.cutoffs.rows:
        yield "cutoffs.rows: none"
    if len(set(m.dims)) == len(m.dims) and (bad := [row.dim for row in m.cutoffs.rows if row.dim not in m.dims]):
        yield f"cutoffs.rows: dim {bad[0]} has no head among {m.dims}"
    for i, row in enumerate(m.cutoffs.rows):
        path = f"cutoffs.rows[{i}]"
        rates = {rate: _rate(rate) for rate in row.false_positives}
        if odd := [rate for rate, share in rates.items() if share is None]:
            yield f"{path}.false_positives: {odd[0]!r}, wanted a share between 0 and 1"
        elif not _falling([row.false_positives[rate] for rate in sorted(rates, key=float)]):
            yield f"{path}.false_positives: a lower rate with a lower score"
        for name, rate in (("likely", m.cutoffs.likely), ("maybe", m.cutoffs.maybe)):
            if rate not in row.false_positives:
                yield f"{path}.false_positives: has no {rate!r}, which cutoffs.{name} names"
        if row.max_weight is not None and row.max_weight < row.min_weight:
            yield f"{path}.max_weight: {row.max_weight} is below min_weight {row.min_weight}"
    likely, maybe = _rate(m.cutoffs.likely), _rate(m.cutoffs.maybe)
    if likely is not None and maybe is not None and likely > maybe:
        yield f"cutoffs.likely: rate {m.cutoffs.likely}, wanted at most that of maybe, {m.cutoffs.maybe}"
    yield from _overlaps(m.cutoffs.rows)


def _overlaps(rows: Sequence[CutoffRow]) -> Iterator[str]:
    ordered = sorted(rows, key=lambda row: (row.dim, row.min_weight))
    for one, other in pairwise(ordered):
        if one.dim == other.dim and (one.max_weight is None or one.max_weight > other.min_weight):
            yield f"cutoffs.rows: of dim {one.dim} two hold for queries that weigh {other.min_weight}"


def _falling(scores: Sequence[float]) -> bool:
    return all(one >= other for one, other in pairwise(scores))


def _rate(text: str) -> float | None:
    try:
        share = float(text)
    except ValueError:
        return None
    return share if 0 < share < 1 else None


def _variants(m: Manifest) -> Iterator[str]:
    if not m.variants:
        yield "variants: none"
    for name, variant in m.variants.items():
        if set(variant.outputs) != {str(dim) for dim in m.dims}:
            yield f"variants.{name}.outputs: dims {sorted(variant.outputs)}, heads have {m.dims}"
        if not variant.providers:
            yield f"variants.{name}.providers: none"
        if (variant.precision == "engine") != (variant.engine is not None):
            yield f"variants.{name}.engine: wanted where precision is engine, and only there"
        if variant.engine is not None and not variant.engine.profiles:
            yield f"variants.{name}.engine.profiles: none"
        if not variant.graphs:
            yield f"variants.{name}.graphs: none"
        for i, graph in enumerate(variant.graphs):
            for role, masked in (("query", graph.masked_query), ("document", graph.masked_document)):
                expansion = getattr(m, role).expansion
                if expansion is not None and not expansion.attended and not masked:
                    yield f"variants.{name}.graphs[{i}].masked_{role}: false, but expansion tokens must not be attended"


def _role(m: Manifest, name: RoleName, role: Role) -> Iterator[str]:
    most, vocabulary = m.architecture.max_positions, m.architecture.vocabulary
    frame = len(m.tokenizer.start_ids) + len(m.tokenizer.end_ids) + (role.marker_id is not None)
    if not frame <= role.max_tokens <= most:
        yield f"{name}.max_tokens: {role.max_tokens}, wanted {frame} to {most}"
    if role.marker_id is not None and not 0 <= role.marker_id < vocabulary:
        yield f"{name}.marker_id: {role.marker_id} is outside the vocabulary of {vocabulary}"
    if role.expansion is not None:
        if not 0 <= role.expansion.mask_id < vocabulary:
            yield f"{name}.expansion.mask_id: {role.expansion.mask_id} is outside the vocabulary of {vocabulary}"
        if not 1 <= role.expansion.to_tokens <= most:
            yield f"{name}.expansion.to_tokens: {role.expansion.to_tokens}, wanted 1 to {most}"
