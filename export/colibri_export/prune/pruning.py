"""One artefact from another, with the pieces that were asked for: all steps, and what came of them."""

import dataclasses
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from colibri import artefact as artefacts
from colibri.artefact import (
    Artefact,
    FileEntry,
    Manifest,
    Role,
    Source,
    TokenizerSpec,
    Variant,
    check_files,
    file_sha256,
    part_count,
)
from colibri.errors import ExportError, InputError
from colibri.tokens import LightTokenizer, TextTokenizer, read_tokenizer_json
from colibri_export.folders import partial_folder
from colibri_export.prune.proof import Told, compare_ids, compare_rows
from colibri_export.prune.tables import Graphs
from colibri_export.prune.vocabulary import Vocabulary, read_vocabulary
from colibri_export.prune.wanted import (
    Uses,
    corpus_texts,
    ids_in_roles,
    known_languages,
    language_named,
    language_words,
    uses_of_texts,
    uses_of_words,
)
from colibri_export.roles import FILE_NAME, without_vocabulary
from colibri_export.sample_texts import DOCUMENTS, QUERIES
from colibri_export.unigram_file import write_unigram

log = logging.getLogger(__name__)

_WORDS_A_TEXT = 8
_WORDS_COMPARED = 20_000  # of each language, the most frequent


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What shall be read as well as before; at least one of these.

    languages  codes such as "en", also as "en-US" or "EN": their words, and all pieces without letters
    corpus     files of texts
    keep       how many pieces at most, the most used ones; without the other two by the vocabulary's own scores
    """

    languages: tuple[str, ...] = ()
    corpus: tuple[Path, ...] = ()
    keep: int | None = None


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What came of it.

    pieces   (kept, of so many)
    bytes    (of all files before, and now)
    told     of the texts that were asked for: how many are read as before
    rows     compared with the source's, equal to the bit
    left_out variants that cannot be cut
    golden   (published rows and scores kept, of so many)
    """

    manifest: Manifest
    pieces: tuple[int, int]
    bytes: tuple[int, int]
    told: Told
    rows: int
    left_out: tuple[str, ...]
    golden: tuple[int, int]


def prune(source: Artefact, out: Path, wish: Wish, *, name: str | None = None, replace: bool = False) -> Pruned:
    """Write `out`: `source` with the pieces that `wish` asks for.

    name     of the new artefact; None: its folder's
    replace  whether an existing artefact `out` may be replaced

    Its vectors lie in the source's space: those of texts that have kept pieces only are the same to the bit, others
    are cut into smaller pieces. Raises InputError for a wish that cannot be granted, ExportError where the artefact
    cannot be cut or something came out otherwise; no folder is left then.
    """
    if not (wish.languages or wish.corpus or wish.keep):
        raise InputError("nothing says which pieces to keep; wanted --languages, --corpus or --keep")
    _refuse_within(source.folder, out)
    if out.exists() and not replace:
        raise ExportError(f"{out}: exists already; choose another folder or pass --replace")
    if out.exists() and not (out / artefacts.FILE_NAME).is_file():
        raise ExportError(f"{out}: is not an artefact, so it is not replaced; choose another folder")
    _refuse_to_copy(wish, source.manifest.architecture.vocabulary)
    known = known_languages() if wish.languages else set()
    languages = {language_named(given, known) for given in wish.languages}
    words = {language: language_words(language) for language in sorted(languages)}
    check_files(source)
    manifest = source.manifest
    variants = {key: variant for key, variant in manifest.variants.items() if variant.engine is None}
    if not variants:
        raise ExportError(f"{source.folder}: a compiled engine cannot be cut, and there is no other variant")
    vocabulary = read_vocabulary(_tokenizer_json(source))
    tokenizer = TextTokenizer(source)
    uses = _uses(tokenizer, manifest, words.values(), wish.corpus)
    kept = sorted(_kept(vocabulary, _of_roles(tokenizer, manifest), uses, wish))
    log.info("%d of %d pieces are kept", len(kept), manifest.architecture.vocabulary)
    with partial_folder(out, replace) as folder:
        new = _new_ids(kept, manifest.architecture.vocabulary)
        made = _write(source, folder, vocabulary, kept, new, variants)
        made = dataclasses.replace(made, name=name or out.resolve().name)
        pruned = Artefact(folder, made)
        log.info("comparing")
        sample = compare_ids([*QUERIES, *DOCUMENTS], source, pruned, new)
        told = compare_ids(_texts(words.values(), wish.corpus), source, pruned, new)
        run = (told.run or sample.run)[:]
        rows = compare_rows(source, pruned, run)
        made = _still_golden(made, source, new)
        artefacts.write_manifest(made, folder / artefacts.FILE_NAME)
        made = artefacts.read_manifest(folder / artefacts.FILE_NAME)
    return Pruned(
        manifest=made,
        pieces=(len(kept), manifest.architecture.vocabulary),
        bytes=(_size(manifest), _size(made)),
        told=told if told.texts else sample,
        rows=rows,
        left_out=tuple(manifest.variants.keys() - variants.keys()),
        golden=(len(made.golden) + len(made.golden_scores), len(manifest.golden) + len(manifest.golden_scores)),
    )


def _refuse_within(source: Path, out: Path) -> None:
    """Neither is the other, or inside it: the source would be written into, or be replaced with what is made of it."""
    here, there = (Path(os.path.realpath(path)) for path in (source, out))
    if here == there:
        raise ExportError(f"{out}: is the artefact that is to be pruned; choose another folder")
    if there.is_relative_to(here):
        raise ExportError(f"{out}: lies inside the artefact that is to be pruned, {source}; choose another folder")
    if here.is_relative_to(there):
        raise ExportError(f"{out}: the artefact that is to be pruned lies inside it, {source}; choose another folder")


def _refuse_to_copy(wish: Wish, vocabulary: int) -> None:
    if wish.keep is not None and wish.keep >= vocabulary and not (wish.languages or wish.corpus):
        raise InputError(
            f"--keep {wish.keep}: the artefact has {vocabulary} pieces, so nothing would be left out; wanted fewer"
        )


def _tokenizer_json(source: Artefact) -> str:
    """Whole, wherever its vocabulary lies."""
    spec = source.manifest.tokenizer
    light = None if spec.unigram_file is None else LightTokenizer(source.path(spec.unigram_file))
    return read_tokenizer_json(source.path(spec.file), light.vocabulary if light else None)


def _uses(
    tokenizer: TextTokenizer,
    manifest: Manifest,
    words: Iterable[Sequence[tuple[str, float]]],
    corpus: Sequence[Path],
) -> Uses:
    found = uses_of_texts(tokenizer, manifest, corpus_texts(corpus))
    for some in words:
        found += uses_of_words(tokenizer, some, manifest.architecture.vocabulary)
    return found


def _of_roles(tokenizer: TextTokenizer, manifest: Manifest) -> set[int]:
    """Ids that the manifest names, and those of the prefixes."""
    found = {*manifest.tokenizer.start_ids, *manifest.tokenizer.end_ids}
    found |= set(ids_in_roles(tokenizer, manifest, "").tolist())
    for role in (manifest.query, manifest.document):
        found.update(role.skiplist.ids)
        found.update(() if role.marker_id is None else (role.marker_id,))
        found.update(() if role.expansion is None else (role.expansion.mask_id,))
    return found


def _kept(vocabulary: Vocabulary, of_roles: set[int], uses: Uses, wish: Wish) -> set[int]:
    kept = vocabulary.closed(vocabulary.must_stay() | of_roles)
    wanted = uses.ids() if wish.languages or wish.corpus else vocabulary.by_own_order()
    if wish.keep is None:
        if wish.languages:
            kept |= vocabulary.closed(vocabulary.without_letters())
        return kept | vocabulary.closed(wanted)
    if len(kept) > wish.keep:
        raise InputError(
            f"--keep {wish.keep}: special tokens, single characters and bytes are {len(kept)} pieces already"
        )
    for i in wanted:
        more = vocabulary.closed([i]) | kept
        if len(more) > wish.keep:
            break
        kept = more
    return kept


def _new_ids(kept: Sequence[int], vocabulary: int) -> NDArray[np.int64]:
    new = np.full(vocabulary, -1, np.int64)
    new[kept] = np.arange(len(kept))
    return new


def _write(
    source: Artefact,
    folder: Path,
    vocabulary: Vocabulary,
    kept: Sequence[int],
    new: NDArray[np.int64],
    variants: dict[str, Variant],
) -> Manifest:
    """All files but colibri.json, and what will stand in that."""
    manifest = source.manifest
    graphs = Graphs(source.folder, manifest.architecture.vocabulary)
    for name in {file for variant in variants.values() for g in variant.graphs for file in (g.query, g.document)}:
        graphs.read(name)
    graphs.write(folder, kept)
    spec = _write_tokenizer(
        json.dumps(vocabulary.kept(kept), ensure_ascii=False, separators=(",", ":")), source, folder
    )
    for role in (manifest.query, manifest.document):
        if role.weights_file is not None:
            weights = np.fromfile(source.path(role.weights_file), "<f4")
            weights[list(kept)].tofile(folder / role.weights_file)
    made = dataclasses.replace(
        manifest,
        aliases=(),
        description=f"{manifest.description}; {len(kept):,} of its {manifest.architecture.vocabulary:,} pieces",
        source=_source(manifest),
        architecture=dataclasses.replace(manifest.architecture, vocabulary=len(kept)),
        tokenizer=dataclasses.replace(
            spec,
            start_ids=_renumbered(spec.start_ids, new),
            end_ids=_renumbered(spec.end_ids, new),
        ),
        query=_role(manifest.query, new),
        document=_role(manifest.document, new),
        variants={
            name: dataclasses.replace(variant, size_bytes=_bytes_of(folder, variant))
            for name, variant in variants.items()
        },
        files={path.name: _entry(path) for path in sorted(folder.iterdir())},
    )
    return dataclasses.replace(made, format=artefacts.needed_format(made))


def _write_tokenizer(text: str, source: Artefact, folder: Path) -> TokenizerSpec:
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    unigram = write_unigram(text, folder) if source.manifest.tokenizer.unigram_file else None
    spec = dataclasses.replace(source.manifest.tokenizer, file=FILE_NAME, unigram_file=unigram)
    return without_vocabulary(spec, folder)


def _source(manifest: Manifest) -> Source:
    """Where the weights came from. Not by the source's name alone: whoever asks for that wants the whole vocabulary."""
    return dataclasses.replace(manifest.source, name=f"{manifest.source.name}, pruned")


def _role(role: Role, new: NDArray[np.int64]) -> Role:
    expansion = role.expansion
    return dataclasses.replace(
        role,
        marker_id=None if role.marker_id is None else int(new[role.marker_id]),
        expansion=expansion and dataclasses.replace(expansion, mask_id=int(new[expansion.mask_id])),
        skiplist=dataclasses.replace(role.skiplist, ids=_renumbered(role.skiplist.ids, new)),
    )


def _renumbered(ids: Iterable[int], new: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(int(new[i]) for i in ids)


def _still_golden(made: Manifest, source: Artefact, new: NDArray[np.int64]) -> Manifest:
    """With the published rows and scores of those texts that are read as before."""
    tokenizer = TextTokenizer(source)

    def inside(*texts: str) -> bool:
        return all(bool((new[ids_in_roles(tokenizer, source.manifest, text)] >= 0).all()) for text in texts)

    return dataclasses.replace(
        made,
        golden=tuple(row for row in made.golden if inside(row.text)),
        golden_scores=tuple(one for one in made.golden_scores if inside(one.query, *one.documents)),
    )


def _texts(words: Iterable[Sequence[tuple[str, float]]], corpus: Sequence[Path]) -> Iterator[str]:
    yield from corpus_texts(corpus)
    for some in words:
        written = [word for word, _ in some[:_WORDS_COMPARED]]
        for start in range(0, len(written), _WORDS_A_TEXT):
            yield " ".join(written[start : start + _WORDS_A_TEXT])


def _bytes_of(folder: Path, variant: Variant) -> int:
    files = {file for graph in variant.graphs for file in (graph.query, graph.document)} | set(variant.data)
    return sum((folder / file).stat().st_size for file in files)


def _entry(path: Path) -> FileEntry:
    size = path.stat().st_size
    parts = tuple(file_sha256(path, part) for part in range(part_count(size)))
    return FileEntry(size_bytes=size, sha256=file_sha256(path), parts_sha256=parts)


def _size(manifest: Manifest) -> int:
    return sum(entry.size_bytes for entry in manifest.files.values())
