"""An artefact with fewer pieces: the same vectors for texts of kept pieces, and a folder only when that is so."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

import colibri
from colibri.artefact import Artefact, Manifest, check_files, find
from colibri.errors import ArtefactError, ExportError, InputError
from colibri.model import Colibri
from colibri_export.facts import PLAIN
from colibri_export.pipeline import export
from colibri_export.prune.pruning import Pruned, Wish, prune
from colibri_export.sample_texts import DOCUMENTS, QUERIES
from made_checkpoint import CONFIGS, write_checkpoint
from reference import ARTEFACTS
from rounds import rounds

KNOWN = ["the lighthouse keeper", "Die Bibliothek öffnet um neun Uhr.", "富士山の高さ"]
TINY = ("tiny-random-bert", "tiny-random-xlmr")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "known.txt"
    path.write_text("\n".join(KNOWN), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte-level vocabulary, whose first word has other pieces behind a prefix than without one."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["[CLS]", "[SEP]", "[MASK]"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*QUERIES, *DOCUMENTS], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 1)]
    )
    folder = tmp_path_factory.mktemp("byte-level")
    checkpoint = write_checkpoint(
        folder / "checkpoint", CONFIGS["modernbert"] | {"hidden_size": 32}, tokenizer.to_str(), head=8
    )
    export(checkpoint, folder / "whole", facts=PLAIN)
    return folder / "whole"


def pruned(source: Path, out: Path, **wish: Any) -> tuple[Pruned, Colibri, Colibri]:
    made = prune(find(source), out, Wish(**wish))
    return made, colibri.load(source), colibri.load(out)


def same(before: Colibri, after: Colibri, texts: list[str]) -> None:
    for dim in before.dims:
        for encode in ("encode_queries", "encode_documents"):
            first, second = (getattr(model, encode)(texts, dim) for model in (before, after))
            assert np.array_equal(first.starts, second.starts)
            assert first.rows.tobytes() == second.rows.tobytes()
            assert first.space_id == second.space_id


@pytest.mark.parametrize("name", TINY)
def test_texts_of_kept_pieces_have_the_same_vectors_to_the_bit(name: str, corpus: Path, tmp_path: Path) -> None:
    made, before, after = pruned(ARTEFACTS / name, tmp_path / "small", corpus=(corpus,))
    kept, of = made.pieces
    assert kept < of == before.manifest.architecture.vocabulary
    assert after.manifest.architecture.vocabulary == kept
    same(before, after, [*KNOWN, *reversed(KNOWN), "the keeper"])
    assert (made.told.texts, made.told.inside) == (3, 3)
    assert made.told.before == made.told.after
    assert made.rows > 0


def test_the_first_word_behind_a_prefix_is_as_before(byte_level: Path, corpus: Path, tmp_path: Path) -> None:
    source = shutil.copytree(byte_level, tmp_path / "whole")
    change(source, lambda d: [d[role].update(prefix=f"{role}: ") for role in ("query", "document")])
    made, before, after = pruned(source, tmp_path / "small", corpus=(corpus,))
    same(before, after, KNOWN)
    assert made.pieces[0] < made.pieces[1]
    alone = prune(find(source), tmp_path / "by-rank", Wish(keep=300)).pieces[0]
    assert 256 + 3 <= alone <= 300


@pytest.mark.parametrize("name", TINY)
def test_other_texts_are_cut_smaller_and_lose_no_row(name: str, corpus: Path, tmp_path: Path) -> None:
    _, before, after = pruned(ARTEFACTS / name, tmp_path / "small", corpus=(corpus,))
    longer = [len(model.encode_documents(["comment vélo"]).rows) for model in (before, after)]
    assert longer[0] < longer[1]


def test_every_fact_of_the_manifest_is_that_of_the_new_files(corpus: Path, tmp_path: Path) -> None:
    source = find(ARTEFACTS / TINY[0])
    made = prune(source, tmp_path / "small", Wish(corpus=(corpus,)))
    small = find(tmp_path / "small")
    check_files(small)
    assert sorted([*small.manifest.files, "colibri.json"]) == sorted(p.name for p in small.folder.iterdir())
    assert small.manifest == made.manifest
    assert small.manifest.name == "small"
    assert small.manifest.aliases == ()
    assert small.manifest.space_id == source.manifest.space_id
    assert small.manifest.source.name == "tiny-random-bert, pruned"
    assert small.manifest.description.endswith(f"; {made.pieces[0]} of its 293 pieces")
    for variant in small.manifest.variants.values():
        names = {*variant.data, *(file for g in variant.graphs for file in (g.query, g.document))}
        assert variant.size_bytes == sum((small.folder / name).stat().st_size for name in names)
    assert made.bytes == tuple(sum(e.size_bytes for e in m.files.values()) for m in (source.manifest, small.manifest))
    tokens = [Tokenizer.from_file(str(one.path("tokenizer.json"))) for one in (source, small)]
    for ids in (spelt(source.manifest, tokens[0]), spelt(small.manifest, tokens[1])):
        assert ids == ["[CLS]", "[SEP]", "[unused0]", "[unused1]", "[MASK]"]


def spelt(m: Manifest, tokenizer: Tokenizer) -> list[str | None]:
    assert m.query.expansion is not None
    assert m.query.marker_id is not None
    assert m.document.marker_id is not None
    ids = [*m.tokenizer.start_ids, *m.tokenizer.end_ids, m.query.marker_id, m.document.marker_id]
    return [tokenizer.id_to_token(i) for i in (*ids, m.query.expansion.mask_id)]


def test_weights_and_skiplist_go_with_their_pieces(corpus: Path, tmp_path: Path) -> None:
    source = shutil.copytree(ARTEFACTS / TINY[0], tmp_path / "whole")
    weights = np.arange(293, dtype="<f4") / 100
    weights.tofile(source / "query-weights.f32.bin")
    entry = {"size_bytes": weights.nbytes, "sha256": sha256(source / "query-weights.f32.bin"), "parts_sha256": []}
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    dropped = sorted(tokenizer.get_vocab()[symbol] for symbol in ".,?")

    def weigh(document: dict[str, Any]) -> None:
        document["files"]["query-weights.f32.bin"] = entry
        document["query"]["weights_file"] = "query-weights.f32.bin"
        document["document"]["skiplist"] = {"rule": "pylate", "ids": dropped}

    change(source, weigh)
    _, before, after = pruned(source, tmp_path / "small", corpus=(corpus,))
    same(before, after, KNOWN)
    first, second = (model.encode_queries(KNOWN).weights for model in (before, after))
    assert first is not None
    assert second is not None
    assert np.array_equal(first, second)
    small = Tokenizer.from_file(str(tmp_path / "small" / "tokenizer.json"))
    ids = after.manifest.document.skiplist.ids
    assert [small.id_to_token(i) for i in ids] == [tokenizer.id_to_token(i) for i in dropped]


def test_published_rows_of_other_texts_are_left_out(corpus: Path, tmp_path: Path) -> None:
    source = shutil.copytree(ARTEFACTS / TINY[0], tmp_path / "whole")
    row = {"role": "query", "dim": 32, "row": 0, "values": [0.1], "tolerance": 2.0, "source": "here"}
    scores = {"dim": 32, "tolerance": 99.0, "relative_tolerance": 0.0, "mean": False, "source": "here"}

    def publish(document: dict[str, Any]) -> None:
        document.update(format="1.4", cutoffs=None)
        document["tokenizer"].update(lowercase=False, folding="none")
        for role in ("query", "document"):
            document[role]["drop_start_rows"] = False
        document["golden"] = [{**row, "text": KNOWN[0]}, {**row, "text": "comment réparer un vélo"}]
        document["golden_scores"] = [
            {**scores, "query": KNOWN[0], "documents": KNOWN, "scores": [1.0] * 3},
            {**scores, "query": KNOWN[0], "documents": ["comment réparer un vélo"], "scores": [1.0]},
        ]

    change(source, publish)
    made, _, after = pruned(source, tmp_path / "small", corpus=(corpus,))
    assert made.golden == (2, 4)
    assert [one.text for one in after.manifest.golden] == [KNOWN[0]]
    assert [one.documents for one in after.manifest.golden_scores] == [tuple(KNOWN)]


def test_keep_takes_the_most_used_first(tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text(
        json.dumps({"_id": "water", "text": "people people bird", "title": "bird people"}), encoding="utf-8"
    )
    source = find(ARTEFACTS / TINY[1])
    fewest = prune(source, tmp_path / "fewest", Wish(corpus=(nothing_known(tmp_path),))).pieces[0]
    both = prune(source, tmp_path / "both", Wish(corpus=(texts,))).pieces[0]
    assert both == fewest + 2
    one = prune(source, tmp_path / "one", Wish(corpus=(texts,), keep=fewest + 1))
    assert one.pieces[0] == fewest + 1
    there = Tokenizer.from_file(str(tmp_path / "one" / "tokenizer.json")).get_vocab()
    assert "▁people" in there
    assert not {"▁bird", "▁water"} & there.keys()
    with pytest.raises(InputError, match=f"are {fewest} pieces already"):
        prune(source, tmp_path / "none", Wish(corpus=(texts,), keep=fewest - 1))
    assert not (tmp_path / "none").exists()


def nothing_known(folder: Path) -> Path:
    """A text of no piece but those that always stay."""
    path = folder / "unknown.txt.gz"
    path.write_bytes(gzip.compress("\u16a0".encode()))
    return path


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], type[Exception], str]] = {
    "engine": (
        lambda d: d.update(
            variants={
                "tensorrt": {
                    **d["variants"]["portable"],
                    "precision": "engine",
                    "engine": {
                        "compute_capability": "89",
                        "tensorrt": "1",
                        "profiles": [{"role": "query", "minimum": [1, 1], "optimum": [1, 1], "maximum": [1, 1]}],
                    },
                }
            }
        ),
        ExportError,
        "engine cannot be cut",
    ),
    "changed": (lambda d: d["files"]["heads.f32.bin"].update(sha256="0" * 64), ArtefactError, "bytes changed"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_cut_leaves_no_folder(why: str, corpus: Path, tmp_path: Path) -> None:
    edit, error, said = REFUSED[why]
    source = shutil.copytree(ARTEFACTS / TINY[0], tmp_path / "whole")
    change(source, edit)
    with pytest.raises(error, match=said):
        prune(find(source), tmp_path / "small", Wish(corpus=(corpus,)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["known.txt", "whole"]


def test_an_engine_beside_others_is_left_out(corpus: Path, tmp_path: Path) -> None:
    source = shutil.copytree(ARTEFACTS / TINY[0], tmp_path / "whole")

    def add(document: dict[str, Any]) -> None:
        alone = json.loads(json.dumps(document))
        REFUSED["engine"][0](alone)
        document["variants"] |= alone["variants"]

    change(source, add)
    made = prune(find(source), tmp_path / "small", Wish(corpus=(corpus,)))
    assert made.left_out == ("tensorrt",)
    assert "tensorrt" not in made.manifest.variants


def test_an_existing_folder_is_replaced_only_when_asked_and_only_if_it_is_an_artefact(
    corpus: Path, tmp_path: Path
) -> None:
    source, out = find(ARTEFACTS / TINY[0]), tmp_path / "out"
    out.mkdir()
    for replace, said in ((False, "exists already"), (True, "is not an artefact")):
        with pytest.raises(ExportError, match=said):
            prune(source, out, Wish(corpus=(corpus,)), replace=replace)
    out.rmdir()
    prune(source, out, Wish(corpus=(corpus,)), name="first")
    prune(source, out, Wish(corpus=(corpus,)), name="second", replace=True)
    assert find(out).manifest.name == "second"


def test_a_wish_for_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--languages, --corpus or --keep"):
        prune(find(ARTEFACTS / TINY[0]), tmp_path / "out", Wish())


def test_a_pruned_artefact_can_be_pruned_again_to_itself(corpus: Path, tmp_path: Path) -> None:
    prune(find(ARTEFACTS / TINY[1]), tmp_path / "one", Wish(corpus=(corpus,)))
    again = prune(find(tmp_path / "one"), tmp_path / "two", Wish(corpus=(corpus,)))
    assert again.pieces[0] == again.pieces[1]
    for name in ("tokenizer.json", "backbone.int8.bin", "backbone.f32.bin"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_model_that_comes_along_keeps_its_light_tokenizer(corpus: Path, tmp_path: Path) -> None:
    if not rounds(quick=False, soak=True):
        pytest.skip("in soak: a minute for the proof of the light tokenizer")
    made, before, after = pruned(find().folder, tmp_path / "small", corpus=(corpus,))
    assert (after.manifest.tokenizer.file, after.manifest.tokenizer.unigram_file) == (
        "tokenizer.rules.json",
        "unigram.npz",
    )
    assert made.pieces[0] < 14_500
    assert made.bytes[1] < made.bytes[0] / 3
    same(before, after, [*KNOWN, "the keeper"])


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> Artefact:
    path = folder / "colibri.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    edit(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return find(folder)


def sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
