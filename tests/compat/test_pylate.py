"""`colibri.compat.pylate` beyond what the original was asked: lengths, prefixes, indexes, and what is refused."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colibri.compat.not_here import NotHere
from colibri.compat.pylate import evaluation, indexes, losses, models, rank, retrieve, scores, utils
from colibri.compat.rows import Rows
from colibri.errors import ArtefactNotFound, InputError, InputTypeError, ProviderError, ShapeError, StoreError
from colibri.index import Index
from colibri.model import Colibri
from reference import ARTEFACTS

BERT = ARTEFACTS / "tiny-random-bert"
DOCUMENTS = ["small birds sing in the old city", "the river, the house", "music and science at night"]


@pytest.fixture(scope="module")
def bert() -> models.ColBERT:
    return models.ColBERT(str(BERT), device="cpu")


@pytest.fixture(scope="module")
def mini_colbert() -> models.ColBERT:
    return models.ColBERT("colibri-mini")


def test_what_an_artefact_says_may_be_said_again(bert: models.ColBERT) -> None:
    again = models.ColBERT(
        str(BERT),
        query_prefix="[unused0]",
        document_prefix="[unused1] ",
        do_query_expansion=True,
        attend_to_expansion_tokens=False,
        skiplist_words=list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        query_length=16,
        document_length=40,
        embedding_size=48,
        trust_remote_code=True,
        model_kwargs={"dtype": "float16"},
    )
    assert np.array_equal(again.encode(DOCUMENTS)[0], bert.encode(DOCUMENTS)[0])
    assert (again.query_length, again.document_length) == (16, 40)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"query_prefix": "[Q]"}, r"query_prefix: found '\[Q\]', tiny-random-bert was made with '\[unused0\] '"),
        ({"document_prefix": "passage: "}, "document_prefix: found 'passage: '"),
        ({"do_query_expansion": False}, "do_query_expansion: found False"),
        ({"attend_to_expansion_tokens": True}, "attend_to_expansion_tokens: found True"),
        ({"skiplist_words": []}, "skiplist_words: tiny-random-bert was made with string.punctuation"),
        ({"skiplist_words": ["a"]}, "skiplist_words"),
        ({"embedding_size": 128}, "128"),
        ({"query_length": 65}, "query_length: found 65, wanted a whole number from 1 to 64"),
        ({"document_length": 0}, "document_length: found 0"),
        ({"document_length": True}, "document_length: found True"),
        ({"similarity_fn_name": "cosine"}, "similarity_fn_name: found 'cosine', wanted 'MaxSim'"),
        ({"arrays": "jax"}, "arrays: found 'jax'"),
        ({"device": "tpu"}, "device: found 'tpu'"),
    ],
)
def test_what_differs_from_the_artefact_is_refused(option: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        models.ColBERT(str(BERT), **option)


def test_models_that_are_not_there() -> None:
    with pytest.raises(ArtefactNotFound, match="colibri export lightonai/GTE-ModernColBERT-v1"):
        models.ColBERT("lightonai/GTE-ModernColBERT-v1")
    with pytest.raises(ProviderError, match="cuda"):
        models.ColBERT(str(BERT), device="cuda:0")
    with pytest.raises(NotHere, match="ColBERT of modules"):
        models.ColBERT(modules=[])
    with pytest.raises(TypeError, match="unheard_of"):
        models.ColBERT(str(BERT), unheard_of=1)  # type: ignore[call-arg]


def test_lengths_up_to_the_graphs() -> None:
    model = models.ColBERT(str(BERT), query_length=9, document_length=60)
    assert [len(rows) for rows in model.encode(["bird", "bird " * 40])] == [9, 9]
    assert [len(rows) for rows in model.encode(["bird " * 100], is_query=False)] == [60]
    model.document_length, model.query_length = 12, 16
    assert [len(rows) for rows in model.encode(["bird " * 100], is_query=False)] == [12]
    assert [len(rows) for rows in model.encode(["bird"])] == [16]


def test_width_is_one_of_the_models_heads() -> None:
    model = models.ColBERT(str(BERT), embedding_size=16)
    assert (model.encode("bird").shape, model.get_sentence_embedding_dimension()) == ((16, 16), 16)


def test_texts_in_any_container(bert: models.ColBERT) -> None:
    wanted = bert.encode(DOCUMENTS)
    for given in (tuple(DOCUMENTS), iter(DOCUMENTS), np.array(DOCUMENTS), dict.fromkeys(DOCUMENTS)):
        if isinstance(given, dict):
            with pytest.raises(InputTypeError, match="found dict"):
                bert.encode(given)
            continue
        assert all(np.array_equal(one, other) for one, other in zip(bert.encode(given), wanted, strict=True))


@pytest.mark.parametrize("given", [None, 3, b"bird", ["bird", None], [["bird"], "bird"]])
def test_what_is_no_text_is_a_type_error(given: Any, bert: models.ColBERT) -> None:
    with pytest.raises(InputTypeError):
        bert.encode(given)


def test_a_prompt_stands_before_the_text(bert: models.ColBERT) -> None:
    wanted = bert.encode("the river and the city", is_query=False)
    assert np.array_equal(bert.encode("the city", prompt="the river and ", is_query=False), wanted)
    named = models.ColBERT(str(BERT), prompts={"water": "the river and "})
    assert np.array_equal(named.encode(["the city"], prompt_name="water", is_query=False)[0], wanted)
    assert np.array_equal(bert.encode("bird", prompt_name="query"), bert.encode("bird"))
    assert bert.prompts == {"query": "[unused0] ", "document": "[unused1] "}


@pytest.mark.parametrize(
    ("option", "kind", "said"),
    [
        ({"output_value": None}, NotHere, "output_value=None is not here, because only the rows that count"),
        ({"precision": "int8"}, NotHere, "precision='int8' is not here.*TokenVectors.quantize"),
        ({"precision": "float64"}, InputError, "precision: found 'float64'"),
        ({"pool_factor": 2, "is_query": False}, NotHere, "pool_factor=2 is not here"),
        ({"normalize_embeddings": False}, NotHere, "unit rows"),
        ({"device": "cuda"}, NotHere, "device='cuda'"),
    ],
)
def test_what_is_not_here_says_why(
    option: dict[str, Any], kind: type[Exception], said: str, bert: models.ColBERT
) -> None:
    with pytest.raises(kind, match=said):
        bert.encode("bird", **option)


@pytest.mark.parametrize("name", ["fit", "save", "push_to_hub", "encode_multi_process", "start_multi_process_pool"])
def test_methods_that_are_not_here(name: str, bert: models.ColBERT) -> None:
    with pytest.raises(NotHere, match="ColBERT is not here, because"):
        getattr(bert, name)()


def test_what_trains_can_be_imported_and_says_so_when_used() -> None:
    for module, name in ((losses, "Contrastive"), (utils, "ColBERTCollator"), (evaluation, "evaluate")):
        with pytest.raises(NotHere, match=f"{module.__name__.rpartition('.')[2]}.{name} is not here"):
            getattr(module, name)
    with pytest.raises(NotHere):
        indexes.WARP()
    with pytest.raises(NotHere):
        retrieve.XTR(None)
    with pytest.raises(NotHere):
        _ = scores.xtr_scores
    with pytest.raises(NotHere):
        _ = models.ColBERT(str(BERT)).tokenizer


def test_chains_give_the_model_itself(bert: models.ColBERT) -> None:
    assert bert.eval().half().to("cpu").cpu().float().compile().train(False) is bert
    with pytest.raises(NotHere):
        bert.train()
    assert (bert.device, repr(bert)) == ("cpu", "ColBERT('tiny-random-bert', dim=48, device='cpu')")


def test_rows_as_tensors_would_be(bert: models.ColBERT) -> None:
    one = models.ColBERT(str(BERT), arrays="numpy").encode(DOCUMENTS, convert_to_tensor=True)
    assert all(isinstance(rows, np.ndarray) for rows in one)
    found = bert.encode([DOCUMENTS[:2]], convert_to_tensor=True)
    assert found[0].shape == (2, 16, 48)  # queries are as long each, so PyLate stacks them


def test_indexes_find_what_rerank_finds(mini_colbert: models.ColBERT, mini: Colibri, tmp_path: Path) -> None:
    index = indexes.PLAID(str(tmp_path), "notes", override=True)
    rows = mini_colbert.encode(DOCUMENTS, is_query=False)
    assert index.add_documents(documents_ids=["a", "b", "c"], documents_embeddings=rows) is index
    query = mini_colbert.encode("birds", is_query=True)
    (found,) = retrieve.ColBERT(index=index).retrieve(query, k=2)
    wanted = mini.rerank("birds", DOCUMENTS, top_n=2)
    assert [hit["id"] for hit in found] == ["abc"[result.index] for result in wanted]
    for hit, result in zip(found, wanted, strict=True):
        assert hit["score"] == pytest.approx(result.score, rel=0.01)
    stored = mini.score(mini.encode_queries(["birds"]), mini.encode_documents(DOCUMENTS).quantize())
    assert [hit["score"] for hit in found] == pytest.approx(sorted(stored.tolist(), reverse=True)[:2], rel=1e-6)


def test_ids_come_back_as_they_were(bert: models.ColBERT, tmp_path: Path) -> None:
    index = indexes.PLAID(tmp_path, "ids")
    rows = bert.encode(["bird", "river", "house", "city"], is_query=False)
    index.add_documents([5, "5", np.int64(7), "x"], rows)
    (found,) = index(bert.encode("bird"), k=10)
    assert sorted((type(hit["id"]).__name__, str(hit["id"])) for hit in found) == [
        ("int", "5"),
        ("int", "7"),
        ("str", "5"),
        ("str", "x"),
    ]
    assert [hit["id"] for hit in index(bert.encode("bird"), subset=["5", "nowhere"])[0]] == ["5"]


def test_an_index_is_found_again_and_changes(bert: models.ColBERT, tmp_path: Path) -> None:
    rows = bert.encode(DOCUMENTS, is_query=False)
    indexes.PLAID(str(tmp_path), "i").add_documents(range(3), rows)
    index = indexes.Voyager(str(tmp_path), "i", embedding_size=48, M=64)
    index.remove_documents([1, 99]).update_documents([2, 3], [rows[0], rows[1]])
    found = index(bert.encode(["bird", "river"]), k=10)
    assert [{hit["id"] for hit in hits} for hits in found] == [{0, 2, 3}, {0, 2, 3}]
    ((first,), (other,)) = index.get_documents_embeddings([[0], [2]])
    assert np.array_equal(first, other)
    assert np.abs(first - rows[0]).max() < 0.005
    with pytest.raises(InputError, match="document 1 is not in the index"):
        index.get_documents_embeddings([[1]])


def test_override_starts_anew_and_with_another_width(bert: models.ColBERT, tmp_path: Path) -> None:
    indexes.PLAID(str(tmp_path), "i").add_documents(["a"], bert.encode(["bird"], is_query=False))
    index = indexes.PLAID(str(tmp_path), "i", override=True)
    with pytest.raises(InputError, match="The index is empty"):
        index(bert.encode("bird"))
    narrow = models.ColBERT(str(BERT), embedding_size=16)
    index.add_documents(["b"], narrow.encode(["bird"], is_query=False))
    assert [hit["id"] for hit in index(narrow.encode("bird"))[0]] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["i"]


def test_foreign_folders_are_left_alone(tmp_path: Path) -> None:
    plaid = tmp_path / "indexes" / "colbert"
    plaid.mkdir(parents=True)
    (plaid / "centroids.pt").write_bytes(b"x")
    for override in (False, True):
        with pytest.raises(NotHere, match=r"its files are not Colibri's.*add the documents again"):
            indexes.PLAID(str(tmp_path / "indexes"), "colbert", override=override)
    assert (plaid / "centroids.pt").read_bytes() == b"x"


def test_a_subset_for_all_or_for_each(bert: models.ColBERT, tmp_path: Path) -> None:
    index = indexes.PLAID(str(tmp_path)).add_documents(list("abc"), bert.encode(DOCUMENTS, is_query=False))
    queries = bert.encode(["bird", "river"])
    assert [{hit["id"] for hit in hits} for hits in index(queries, subset=["a", "c"])] == [{"a", "c"}] * 2
    assert [{hit["id"] for hit in hits} for hits in index(queries, subset=[["a"], ["b", "c"]])] == [{"a"}, {"b", "c"}]
    assert index(queries, subset=[]) == [[], []]
    assert index([]) == retrieve.ColBERT(index).retrieve([]) == []
    with pytest.raises(InputError, match="subset: found 1 entries for 2 queries"):
        index(queries, subset=[["a"]])


@pytest.mark.parametrize(
    ("ids", "count", "kind"),
    [
        (["a"], 2, InputError),
        ([1.5, 2.5], 2, InputTypeError),
        ([None, "a"], 2, InputTypeError),
        ([True, 1], 2, InputTypeError),
    ],
)
def test_bad_documents_change_nothing(
    ids: Any, count: int, kind: type[Exception], bert: models.ColBERT, tmp_path: Path
) -> None:
    rows = bert.encode(DOCUMENTS, is_query=False)
    index = indexes.PLAID(str(tmp_path)).add_documents(["a"], rows[:1])
    with pytest.raises(kind):
        index.add_documents(ids, rows[:count])
    with pytest.raises(ShapeError):
        index.add_documents(["w"], [np.ones((2, 5), np.float32)])
    assert [hit["id"] for hit in index(bert.encode("bird"))[0]] == ["a"]
    assert len(Index.open(tmp_path / "colbert")) == 1


def test_a_query_of_another_width_is_refused(bert: models.ColBERT, tmp_path: Path) -> None:
    index = indexes.PLAID(str(tmp_path)).add_documents(["a"], bert.encode(["bird"], is_query=False))
    with pytest.raises(ShapeError, match="query has dim 16, the index has 48"):
        index(models.ColBERT(str(BERT), embedding_size=16).encode("bird"))
    with pytest.raises(InputError, match="k: found 0"):
        index(bert.encode("bird"), k=0)


def test_an_index_of_texts_is_left_alone(tmp_path: Path) -> None:
    with Index.open(tmp_path / "i", BERT, dim=48) as own:
        own.add([{"id": "a", "text": "bird"}])
    for override in (False, True):
        with pytest.raises(StoreError, match="holds vectors of space"):
            indexes.PLAID(str(tmp_path), "i", override=override)
    assert len(Index.open(tmp_path / "i")) == 1


def test_rerank_refuses_what_does_not_go_together(bert: models.ColBERT) -> None:
    queries, rows = bert.encode(["bird"]), bert.encode(DOCUMENTS, is_query=False)
    with pytest.raises(InputError, match="documents_ids of 2, queries_embeddings of 1 and documents_embeddings of 1"):
        rank.rerank([["a"], ["b"]], queries, [rows])
    with pytest.raises(InputError, match="query 0: found 1 documents_ids for 3 documents_embeddings"):
        rank.rerank([["a"]], queries, [rows])
    assert rank.rerank([[]], queries, [[]]) == [[]]
    with pytest.raises(InputTypeError, match=r"index: found list, wanted a PLAID or Voyager"):
        retrieve.ColBERT(index=[])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["colibri-mini", str(BERT)])
def test_rerank_and_scores_are_the_models_own(name: str) -> None:
    """For a model with query weights and one without."""
    model, query = models.ColBERT(name), "who sings at night?"
    wanted = model.colibri.rerank(query, DOCUMENTS)
    rows = model.encode(query), model.encode(DOCUMENTS, is_query=False)
    (found,) = rank.rerank([[0, 1, 2]], rows[0], [rows[1]])
    assert [hit["id"] for hit in found] == [result.index for result in wanted]
    assert [hit["score"] for hit in found] == pytest.approx([result.score for result in wanted], rel=1e-6)
    by_place = model.colibri.score(query, DOCUMENTS)
    assert np.asarray(scores.colbert_scores(*rows))[0] == pytest.approx(by_place, rel=1e-6)
    pairs = scores.colbert_scores_pairwise([rows[0]] * 3, rows[1])
    assert np.asarray(pairs) == pytest.approx(by_place, rel=1e-6)
    several = scores.colbert_kd_scores([rows[0]] * 2, [rows[1], rows[1]])
    assert np.asarray(several) == pytest.approx(np.stack([by_place, by_place]), rel=1e-6)


def test_masks_say_which_rows_count(bert: models.ColBERT) -> None:
    queries, documents = np.stack(bert.encode(DOCUMENTS)), bert.encode(DOCUMENTS, is_query=False, padding=True)
    padded = np.concatenate(documents)
    mask = (padded != 0).any(-1)
    wanted = np.asarray(scores.colbert_scores(queries, padded, documents_mask=mask))
    assert np.array_equal(wanted, np.asarray(scores.colbert_scores(queries, padded, documents_mask=mask[:, :, None])))
    assert np.array_equal(wanted, np.asarray(scores.colbert_scores(Rows(queries), Rows(padded), None, Rows(mask))))
    none = scores.colbert_scores(queries, padded, queries_mask=np.zeros((3, 16)))
    assert np.asarray(none).tolist() == [[0.0] * 3] * 3
    with pytest.raises(InputError, match="documents_mask: has 2 rows for 3 documents"):
        scores.colbert_scores(queries, padded, documents_mask=mask[:2])
    with pytest.raises(ShapeError, match="documents_mask 0: has 3 entries"):
        scores.colbert_scores(queries, padded, documents_mask=mask[:, :3])


def test_what_has_no_effect_is_said_quietly(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG, "colibri.compat"):
        models.ColBERT(str(BERT), trust_remote_code=True).encode("bird", batch_size=4)
    assert any("trust_remote_code" in record.getMessage() for record in caplog.records)
    assert any("batch_size" in record.getMessage() for record in caplog.records)
    assert capsys.readouterr() == ("", "")


def test_rows_kept_in_json_come_back(bert: models.ColBERT) -> None:
    """As programs do that keep rows in a database."""
    rows = json.loads(json.dumps([part.tolist() for part in bert.encode(DOCUMENTS, is_query=False)]))
    query = bert.encode("bird")
    (found,) = rank.rerank([[0, 1, 2]], [query], [rows])
    assert found == rank.rerank([[0, 1, 2]], query, [bert.encode(DOCUMENTS, is_query=False)])[0]
