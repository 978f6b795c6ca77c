"""Models and indexes go to other processes by pickle, as joblib and multiprocessing send them, and are copied."""

import copy
import gc
import multiprocessing
import pickle
import shutil
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import colibri
from colibri import Index
from colibri.compat.colbert import Checkpoint
from colibri.compat.fastembed import LateInteractionTextEmbedding
from colibri.compat.pylate.models import ColBERT
from colibri.compat.sentence_transformers import MultiVectorEncoder
from colibri.errors import ArtefactError, ArtefactNotFound, StoreError
from colibri.model import Colibri
from hub_server import lay_out_cache
from reference import ARTEFACTS
from store_contract import DIM, SPACE, document

BERT = ARTEFACTS / "tiny-random-bert"
TEXTS = ["a small bird", "bread and salt", ""]

_ELSEWHERE = """
import pickle, sys
import numpy as np
found, asks = pickle.load(sys.stdin.buffer)
pickle.dump([np.asarray(eval(ask)(one)) for one, ask in zip(found, asks, strict=True)], sys.stdout.buffer)
"""


def elsewhere(cwd: Path, *given: tuple[object, str]) -> list[Any]:
    """What a fresh process in another folder makes of some objects, each with a lambda, as text, that asks it."""
    sent = pickle.dumps(([one for one, _ in given], [ask for _, ask in given]))
    command = [sys.executable, "-c", _ELSEWHERE]
    child = subprocess.run(command, input=sent, capture_output=True, check=False, cwd=cwd)
    assert child.returncode == 0, child.stderr.decode()
    found: list[Any] = pickle.loads(child.stdout)
    return found


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_small_and_gives_the_same_rows(protocol: int) -> None:
    model = colibri.load(BERT, dim=32, variant="cpu-fp32", threads=1)
    data = pickle.dumps(model, protocol)
    assert len(data) < 1_000
    found: Colibri = pickle.loads(data)
    assert found is not model
    assert (found.dim, found.variant, found.name) == (32, "cpu-fp32", model.name)
    assert (found.encode_documents(TEXTS).rows == model.encode_documents(TEXTS).rows).all()
    assert pickle.loads(pickle.dumps(found)) is found


def test_pickles_of_one_model_share_it_while_it_is_in_use() -> None:
    data = pickle.dumps(colibri.load(BERT, variant="cpu-fp32", special_tokens=True))
    one, other = pickle.loads(data), pickle.loads(data)
    assert one is other
    seen = weakref.ref(one)
    del one, other
    gc.collect()
    assert seen() is None


def test_another_process_in_another_folder_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(BERT, tmp_path / "here" / "mine")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    cache = tmp_path / "cache"
    lay_out_cache(cache, "owner/tiny", BERT)
    ask = "lambda model: model.encode_queries(['a bird']).rows"
    models = [
        colibri.load("mine", variant="cpu-fp32"),
        colibri.load(dim=64),
        colibri.load("owner/tiny", cache_dir=cache, variant="cpu-fp32"),
    ]
    found = elsewhere(tmp_path / "there", *((model, ask) for model in models))
    for model, rows in zip(models, found, strict=True):
        assert np.array_equal(rows, model.encode_queries(["a bird"]).rows)


def test_what_came_along_is_named_and_not_placed(mini: Colibri) -> None:
    """So that it is found where Colibri lies elsewhere."""
    assert str(Path.cwd()).encode() not in pickle.dumps(mini)
    assert b"colibri-mini" in pickle.dumps(mini)


def test_a_token_is_not_in_a_pickle(tmp_path: Path) -> None:
    lay_out_cache(tmp_path, "owner/tiny", BERT)
    model = colibri.load("owner/tiny", cache_dir=tmp_path, token="hf_secret")
    assert b"hf_secret" not in pickle.dumps(model)


def test_methods_go_to_a_pool_of_processes(mini: Colibri) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(mini.score, ("a bird", TEXTS))
    assert np.allclose(found, mini.score("a bird", TEXTS))


def test_another_model_in_its_place_is_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(BERT, tmp_path / "mine")
    data = pickle.dumps(colibri.load(folder))
    shutil.rmtree(folder)
    with pytest.raises(ArtefactNotFound):
        pickle.loads(data)
    shutil.copytree(ARTEFACTS / "tiny-random-xlmr", folder)
    with pytest.raises(ArtefactError, match="is another model by now"):
        pickle.loads(data)


def test_copies_share_what_runs(mini: Colibri) -> None:
    for made in (copy.copy(mini), copy.deepcopy(mini), copy.deepcopy([mini])[0]):
        assert made is not mini
        assert made._encoder is mini._encoder
        made.dim = 64
        assert (mini.dim, made.encode_queries(["a bird"]).dim) == (128, 64)


def test_an_index_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = colibri.load(BERT, variant="cpu-fp32")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path)
    with Index.open("notes", model, lock_seconds=3) as index:
        index.add([{"id": str(i), "text": text} for i, text in enumerate(TEXTS[:2])])
        wanted = [hit.score for hit in index.search("a bird")]
        ask = "lambda index: [hit.score for hit in index.search('a bird')]"
        with Index.open("vectors", dim=DIM, space_id=SPACE) as vectors:
            vectors.add([document(1)])
            both = (index, ask), (vectors, "lambda index: [len(index), index.dim]")
            assert [one.tolist() for one in elsewhere(tmp_path / "there", *both)] == [wanted, [1, DIM]]
        with copy.deepcopy(index) as other:
            assert other is not index
            other.upsert([{"id": "2", "text": "new"}])
        assert len(index) == 3
        data = pickle.dumps(index)
    assert pickle.loads(data)._core.lock.seconds == 3
    shutil.rmtree(tmp_path / "notes")
    with pytest.raises(StoreError, match="no index there"):
        pickle.loads(data)


_ROWS: dict[Any, str] = {
    ColBERT: "lambda made: made.encode(['a bird'])[0]",
    MultiVectorEncoder: "lambda made: made.encode_query(['a bird'])[0]",
    LateInteractionTextEmbedding: "lambda made: next(iter(made.query_embed('a bird')))",
    Checkpoint: "lambda made: made.queryFromText(['a bird'])[0]",
}


def test_models_in_others_words_go_along(tmp_path: Path) -> None:
    made = [(shim(str(BERT)), ask) for shim, ask in _ROWS.items()]
    for (one, ask), rows in zip(made, elsewhere(tmp_path, *made), strict=True):
        wanted = np.asarray(eval(ask)(one))
        assert np.array_equal(rows, wanted)
        assert np.array_equal(np.asarray(eval(ask)(copy.deepcopy(one))), wanted)


def test_what_a_model_and_an_index_give_goes_along(tmp_path: Path, mini: Colibri) -> None:
    with Index.open(tmp_path / "i", mini) as index:
        index.add([{"id": "a", "text": "a bird", "payload": {"n": 1}}])
        hits = index.search("bird", explain=True)
        assert pickle.loads(pickle.dumps(hits)) == copy.deepcopy(hits) == hits
        assert pickle.loads(pickle.dumps(index["a"])).as_dict() == index["a"].as_dict()
    ranked = mini.rerank("bird", TEXTS)
    assert pickle.loads(pickle.dumps(ranked)) == ranked
    vectors = mini.encode_queries(["a bird"])
    again = pickle.loads(pickle.dumps(vectors))
    assert (again.rows == vectors.rows).all()
    assert again.space_id == vectors.space_id
