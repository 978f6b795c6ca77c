"""Whether a hit fits: by the cutoffs of the model, in every way to search, and None where nothing is known."""

from pathlib import Path

import numpy as np
import pytest

import colibri
from colibri import Index
from colibri.errors import StoreError
from colibri.model import Colibri
from cutoff_fixtures import with_cutoffs
from reference import ARTEFACTS

DOCUMENTS = [{"id": str(i), "text": text} for i, text in enumerate(["a bird", "bread and salt", "a house by the sea"])]


def scores_of(place: Path, model: Path | Colibri) -> list[float]:
    with Index.open(place, model) as index:
        index.add(DOCUMENTS)
        return [hit.normalised for hit in index.search("a bird")]


def test_a_hit_is_called_by_its_score(tmp_path: Path) -> None:
    first, second, third = scores_of(tmp_path / "plain", ARTEFACTS / "tiny-random-bert")
    assert first > second > third
    model = colibri.load(with_cutoffs(tmp_path / "model", (first + second) / 2, (second + third) / 2))
    with Index.open(tmp_path / "index", model) as index:
        index.add(DOCUMENTS)
        wanted = ["likely", "maybe", "unlikely"]
        assert [hit.fit for hit in index.search("a bird")] == wanted
        assert [[hit.fit for hit in hits] for hits in index.search_batch(["a bird", "a bird"])] == [wanted, wanted]
        assert [hit.fit for hit in index.search(model.encode_queries(["a bird"], index.dim))] == wanted
        assert [hit.fit for hit in index.search("a bird", where={"none": 1})] == []
    ranked = model.rerank("a bird", [document["text"] for document in DOCUMENTS])
    assert all(one.fit in wanted for one in ranked)
    assert [wanted.index(str(one.fit)) for one in ranked] == sorted(wanted.index(str(one.fit)) for one in ranked)


def test_without_cutoffs_nothing_is_claimed(tmp_path: Path, model: Colibri) -> None:
    with Index.open(tmp_path / "index", model) as index:
        index.add(DOCUMENTS)
        assert [hit.fit for hit in index.search("a bird")] == [None] * 3
    assert [one.fit for one in model.rerank("a bird", ["a bird", "bread"])] == [None, None]


def test_vectors_of_an_own_encoder_have_none(tmp_path: Path) -> None:
    with Index.open(tmp_path / "index", dim=8, space_id="mine") as index:
        rows = np.eye(8, dtype=np.float32)[:3]
        index.add([{"id": "one", "vectors": rows}])
        assert [hit.fit for hit in index.search(rows)] == [None]
        with pytest.raises(StoreError):
            index.search("a text")


def test_a_query_of_no_weight_fits_nothing_that_is_called(tmp_path: Path) -> None:
    """Rows that weigh 0 score 0: no division, no claim above the lowest."""
    model = colibri.load(with_cutoffs(tmp_path / "model", 0.9, 0.5))
    vectors = model.encode_queries(["a bird"])
    silent = colibri.TokenVectors(vectors.rows, vectors.starts, weights=np.zeros(len(vectors.rows), np.float32))
    with Index.open(tmp_path / "index", model, dim=model.dim) as index:
        index.add(DOCUMENTS)
        assert {hit.normalised for hit in index.search(silent)} == {0.0}


def test_whoever_encodes_elsewhere_says_whose_cutoffs_count(tmp_path: Path) -> None:
    """An index that was opened without its model judges vectors by the manifest that it is given, and by none of
    another space."""
    model = colibri.load(with_cutoffs(tmp_path / "model", 2.0, 1.5))
    with Index.open(tmp_path / "index", model) as index:
        index.add(DOCUMENTS)
        dim = index.dim
    rows = model.encode_queries(["a bird"], dim)
    with Index.open(tmp_path / "index") as index:
        assert [hit.fit for hit in index.search(rows)] == [None] * 3
        index.judge_by(colibri.load(ARTEFACTS / "tiny-random-xlmr").manifest)
        assert [hit.fit for hit in index.search(rows)] == [None] * 3
        index.judge_by(model.manifest)
        assert [hit.fit for hit in index.search(rows)] == ["unlikely"] * 3
