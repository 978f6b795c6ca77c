"""RAGatouille's words: programs as its users write them, with the import line changed; and what they get wrong."""

import datetime
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import colibri
from colibri.compat import NotHere
from colibri.compat.colbert.infra import ColBERTConfig
from colibri.compat.ragatouille import RAGPretrainedModel, RAGTrainer
from colibri.compat.ragatouille.data import CorpusProcessor, llama_index_sentence_splitter
from colibri.errors import InputError, InputTypeError, MissingExtra, StoreError
from reference import ARTEFACTS

BERT = ARTEFACTS / "tiny-random-bert"
WORDS = ["city", "house", "music", "night", "old", "new", "red", "blue", "green"]
TEXTS = [f"small bird {word} and the river" for word in WORDS]
IDS = [f"doc-{word}" for word in WORDS]
QUERY = "small red bird"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rag() -> RAGPretrainedModel:
    return RAGPretrainedModel.from_pretrained(BERT)


def indexed(rag: RAGPretrainedModel, **words: Any) -> str:
    given: dict[str, Any] = {
        "collection": TEXTS,
        "document_ids": IDS,
        "index_name": "notes",
        "max_document_length": 40,
    } | words
    return rag.index(**given)


def found_ids(results: list[dict[str, Any]]) -> list[str]:
    return [result["document_id"] for result in results]


def test_the_readme_of_the_original(rag: RAGPretrainedModel) -> None:
    path = rag.index(index_name="notes", collection=TEXTS, max_document_length=40, split_documents=True)
    assert path == ".ragatouille/colbert/indexes/notes"
    results = rag.search(QUERY, k=3)
    assert [list(result) for result in results] == [["content", "score", "rank", "document_id", "passage_id"]] * 3
    again = RAGPretrainedModel.from_index(path)
    assert again.search(QUERY, k=3) == results
    assert rag.rerank(QUERY, TEXTS, k=1)[0]["content"] == results[0]["content"]


@pytest.mark.parametrize("name", ["colibri-mini", str(BERT)])
def test_reranking_scores_are_the_model_s(name: str) -> None:
    """With weights (colibri-mini) and without."""
    rag = RAGPretrainedModel.from_pretrained(name)
    model = colibri.load(name)
    texts = ["Berlin has 3.7 million inhabitants.", "Bread is baked.", "a"]
    question = "how many people live in Berlin?"
    expands = model.manifest.query.expansion is not None
    length = 32 if expands else None
    query = model.encode_queries([question], max_tokens=length, expand_to=length)
    wanted = model.score(query, model.encode_documents(texts))
    found = rag.rerank(question, texts)
    assert {result["result_index"]: result["score"] for result in found} == pytest.approx(
        dict(enumerate(map(float, wanted))), rel=1e-6
    )
    assert [result["score"] for result in found] == sorted(map(float, wanted), reverse=True)
    rag.encode(texts[:1])
    rag.encode(texts[1:])
    assert rag.search_encoded_docs(question) == found
    if not expands:
        assert [result["score"] for result in found] == pytest.approx([r.score for r in model.rerank(question, texts)])


def test_a_passage_is_a_result_of_its_own_and_ids_filter(rag: RAGPretrainedModel) -> None:
    long = " ".join(TEXTS)
    rag.index([long, "music"], ["long", "short"], index_name="notes", max_document_length=20)
    results = rag.search(QUERY, k=99)
    assert found_ids(results).count("long") > 2
    assert sorted(result["passage_id"] for result in results) == list(range(len(results)))
    assert all(result["content"] in long for result in results if result["document_id"] == "long")
    assert found_ids(rag.search(QUERY, k=99, doc_ids=["short", "nobody"])) == ["short"]
    assert rag.search(QUERY, k=99, doc_ids=[]) == []
    many = ["short", *map(str, range(25_000))]
    assert found_ids(rag.search(QUERY, k=99, doc_ids=many)) == ["short"]


def test_splitting_loses_no_word_and_no_token(rag: RAGPretrainedModel) -> None:
    long = " ".join(f"{text}." for text in TEXTS)
    model = colibri.load(BERT)
    rag.index([long], index_name="notes", max_document_length=20)
    passages = json.loads(Path(".ragatouille/colbert/indexes/notes/collection.json").read_text(encoding="utf-8"))
    assert len(passages) > 2
    assert all(len(one.ids) <= 20 for one in model.tokens(passages))
    assert {word for passage in passages for word in passage.split()} == set(long.split())
    processor = CorpusProcessor()
    parts = processor.process_corpus([long], ["x"], chunk_size=30)
    assert {part["document_id"] for part in parts} == {"x"}
    assert len(parts) > 1
    with pytest.raises(InputError, match="chunk_size: found 2, wanted a whole number over the"):
        llama_index_sentence_splitter([long], ["x"], chunk_size=2)


def test_splitters_and_preprocessing_of_one_s_own(rag: RAGPretrainedModel) -> None:
    def halves(documents: list[str], ids: list[str], chunk_size: int = 0) -> list[dict[str, str]]:
        assert chunk_size == 30
        return [
            {"document_id": i, "content": part}
            for i, text in zip(ids, documents, strict=True)
            for part in text.split("|")
        ]

    def upper(passages: list[dict[str, str]], ids: list[str]) -> list[dict[str, str]]:
        return [{**passage, "content": passage["content"].upper()} for passage in passages]

    rag.index(
        ["a|b", "c"],
        ["x", "y"],
        index_name="n",
        max_document_length=30,
        document_splitter_fn=halves,
        preprocessing_fn=[upper],
    )
    assert sorted(result["content"] for result in rag.search("a", k=9)) == ["A", "B", "C"]
    for bad in (lambda *given, **words: ["text"], lambda *given, **words: [{"content": "a"}]):
        with pytest.raises(InputError, match="passage 0: found"):
            rag.index(["a"], index_name="n", max_document_length=30, document_splitter_fn=bad)
    with pytest.raises(InputTypeError, match="have to be strings"):
        rag.index(
            ["a"],
            index_name="n",
            max_document_length=30,
            document_splitter_fn=lambda *given, **words: [{"document_id": 3, "content": "a"}],
        )
    assert len(rag.search("a", k=9)) == 3


def test_metadata_comes_back_with_each_document_that_has_some(rag: RAGPretrainedModel) -> None:
    indexed(rag, document_metadatas=[{"n": np.int64(i)} if i % 2 else None for i in range(9)])
    for result in rag.search(QUERY, k=9):
        number = IDS.index(result["document_id"])
        assert result.get("document_metadata") == ({"n": number} if number % 2 else None)
        assert ("document_metadata" in result) == bool(number % 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"document_ids": IDS[:3]}, "document_ids must be the same length as collection"),
        ({"document_ids": [*IDS[:-1], IDS[0]]}, "document_ids must be unique"),
        ({"document_ids": [*IDS[:-1], " "]}, "document_ids must not contain empty strings"),
        ({"document_ids": list(range(9))}, "document_ids must be strings, found int"),
        ({"document_metadatas": [{}] * 3}, "document_metadatas must be the same length as collection"),
        (
            {"document_metadatas": [{}] * 8 + [{"born": datetime.date(1970, 1, 1)}]},
            "document_metadatas of 'doc-green': metadata.born is not JSON (date; wanted str, a number, bool, None, "
            "a list or a mapping)",
        ),
        ({"document_metadatas": {"n": 1}}, "document_metadatas: found dict, wanted a list of mappings, or None"),
        ({"document_metadatas": "n"}, "document_metadatas: found str, wanted a list of mappings, or None"),
        ({"document_metadatas": [{}] * 8 + ["n"]}, "document_metadatas: found str, wanted a list of mappings, or None"),
        ({"index_name": ""}, "index_name: found '', wanted the name of an index, or a path"),
        ({"index_name": "."}, "index_name: found '.', wanted the name of an index, or a path"),
        ({"index_name": 5}, "index_name: found 5, wanted the name of an index, or a path"),
        ({"max_document_length": 256}, "max_document_length: found 256, wanted 4 to 64 for a document"),
        ({"overwrite_index": "maybe"}, "overwrite_index: found 'maybe', wanted True, False, 'reuse', 'resume'"),
        ({"collection": "text"}, "collection: found str, wanted a list of strings"),
        ({"collection": [*TEXTS[:-1], 3]}, "collection[8]: found int, wanted str"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work_and_loses_nothing(
    rag: RAGPretrainedModel, words: dict[str, Any], said: str
) -> None:
    path = Path(indexed(rag))
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words follow
        indexed(rag, **words)
    assert said in str(caught.value)
    assert isinstance(caught.value, colibri.ColibriError)
    assert len(rag.search(QUERY, k=99)) == 9
    assert [entry.name for entry in path.parent.iterdir()] == ["notes"]
    rag.add_to_index(["river " * 60], ["long"], split_documents=False)  # cut where the index's texts are
    with colibri.Index.open(path) as index:
        (stored,) = index.get("9", vectors=True)
        assert stored is not None
        assert stored.vectors is not None
        assert len(stored.vectors.rows) == 40


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda rag: rag.delete_from_index(None), "document_ids: found NoneType, wanted a list of strings"),
        (lambda rag: rag.delete_from_index([IDS[0], 3]), "document_ids[1]: found int, wanted str"),
        (lambda rag: rag.search(QUERY, doc_ids=5), "doc_ids: found int, wanted a list of strings"),
        (lambda rag: rag.search(QUERY, doc_ids=[5]), "doc_ids[0]: found int, wanted str"),
        (lambda rag: rag.search(QUERY, index_name=""), "index_name: found '', wanted the name of an index, or a path"),
        (lambda rag: rag.encode(TEXTS, document_metadatas={"n": 1}), "document_metadatas: found dict, wanted a list"),
        (lambda rag: rag.encode(TEXTS, document_metadatas=[{}]), "document_metadatas: found 1, wanted one for each of"),
        (lambda rag: rag.rerank(QUERY, TEXTS, k=0), "k: found 0, wanted a whole number from 1"),
        (lambda rag: rag.rerank(QUERY, TEXTS, k="3"), "k: found '3', wanted a whole number from 1"),
        (lambda rag: rag.from_index(None), "index_path: found None, wanted the name of an index, or a path"),
        (lambda rag: rag.from_pretrained(None), "checkpoint: found None, wanted a name, a folder or a hub id"),
    ],
)
def test_calls_that_cannot_be_are_refused_before_any_work(
    rag: RAGPretrainedModel, monkeypatch: pytest.MonkeyPatch, call: Callable[[Any], object], said: str
) -> None:
    indexed(rag)
    encoded: list[object] = []
    real = colibri.Colibri.encode_documents

    def counted(self: colibri.Colibri, texts: Any, *given: Any, **options: Any) -> Any:
        encoded.extend(texts)
        return real(self, texts, *given, **options)

    monkeypatch.setattr(colibri.Colibri, "encode_documents", counted)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words follow
        call(rag)
    assert said in str(caught.value)
    assert isinstance(caught.value, colibri.ColibriError)
    assert encoded == []
    assert len(rag.search(QUERY, k=99)) == 9


def test_one_document_is_found_or_deleted_by_its_id_alone(rag: RAGPretrainedModel) -> None:
    indexed(rag)
    assert found_ids(rag.search(QUERY, doc_ids=IDS[0])) == [IDS[0]]
    rag.delete_from_index(IDS[0])
    assert IDS[0] not in found_ids(rag.search(QUERY, k=99))


def test_what_fails_while_it_is_encoded_leaves_the_old_index_open(rag: RAGPretrainedModel) -> None:
    path = Path(indexed(rag))
    thesis = path / "thesis.txt"
    thesis.write_text("years of work", encoding="utf-8")
    with pytest.raises(StoreError, match="holds files that are no index's"):
        indexed(rag, collection=["other"], document_ids=["other"], max_document_length=10)
    assert len(rag.search(QUERY, k=99)) == 9
    assert thesis.exists()
    rag.add_to_index(["river " * 60], ["long"], split_documents=False)
    assert len(RAGPretrainedModel.from_index(path).search(QUERY, k=99)) == 10


def test_what_is_no_text_is_refused_by_its_place(rag: RAGPretrainedModel) -> None:
    indexed(rag)
    calls: list[tuple[Any, str]] = [
        (lambda: rag.search(3), "query: found int, wanted a list of strings"),  # type: ignore[arg-type]
        (lambda: rag.search(["a", 3]), r"query\[1\]: found int, wanted str"),  # type: ignore[list-item]
        (lambda: rag.rerank("a", None), "documents: found NoneType"),  # type: ignore[arg-type]
        (lambda: rag.rerank("a", ["b", 3]), r"documents\[1\]: found int"),  # type: ignore[list-item]
        (lambda: rag.encode([b"a"]), r"documents\[0\]: found bytes"),  # type: ignore[list-item]
        (lambda: rag.add_to_index("abc"), "collection: found str"),  # type: ignore[arg-type]
    ]
    for call, said in calls:
        with pytest.raises(InputTypeError, match=said):
            call()


def test_an_index_of_nothing_takes_documents_later(rag: RAGPretrainedModel) -> None:
    path = rag.index([], index_name="empty", max_document_length=40)
    assert rag.search(QUERY) == RAGPretrainedModel.from_index(path).search(QUERY) == []
    rag.add_to_index(["music"], ["m"])
    assert found_ids(rag.search(QUERY)) == ["m"]
    assert rag.search([]) == rag.rerank([], ["a"]) == []


def test_unknown_words_stay_type_errors(rag: RAGPretrainedModel) -> None:
    calls: list[Any] = [
        rag.index,
        rag.search,
        rag.rerank,
        rag.encode,
        rag.add_to_index,
        RAGPretrainedModel.from_pretrained,
    ]
    for call in calls:
        with pytest.raises(TypeError, match="unexpected keyword argument 'unheard_of'"):
            call(unheard_of=1)


def test_what_was_added_and_deleted_is_seen_and_is_on_the_disk(rag: RAGPretrainedModel) -> None:
    path = Path(indexed(rag, document_metadatas=[{"n": i} for i in range(9)]))
    rag.add_to_index(["fast hummingbird", "other"], ["new", "doc-red"], [{"n": -1}, {"n": -2}], split_documents=False)
    assert found_ids(rag.search("fast hummingbird", k=1)) == ["new"]
    assert len(rag.search(QUERY, k=99)) == 10  # doc-red was there
    rag.delete_from_index(["new", "doc-city", "nobody"])
    rag.delete_from_index("doc-house")
    rag.add_to_index(["white school"], ["newer"])
    for one in (rag, RAGPretrainedModel.from_index(path)):
        results = one.search(QUERY, k=99)
        assert sorted(found_ids(results)) == sorted([*IDS[2:], "newer"])
        assert {result["passage_id"] for result in results} == {*range(2, 9), 10}
    texts = json.loads((path / "collection.json").read_text(encoding="utf-8"))
    owners = json.loads((path / "pid_docid_map.json").read_text(encoding="utf-8"))
    known = json.loads((path / "docid_metadata_map.json").read_text(encoding="utf-8"))
    assert texts == ["", "", *TEXTS[2:], "", "white school"]
    assert owners == {**{str(pid): IDS[pid] for pid in range(2, 9)}, "10": "newer"}
    assert known == {IDS[pid]: {"n": pid} for pid in range(2, 9)}


def test_overwriting_is_what_it_says(rag: RAGPretrainedModel) -> None:
    indexed(rag)
    with pytest.raises(AssertionError):
        indexed(rag, overwrite_index=False)
    other: dict[str, Any] = {"collection": ["other"], "document_ids": ["doc-other"]}
    indexed(rag, **other, overwrite_index="reuse")
    assert len(rag.search(QUERY, k=99)) == 9
    indexed(rag, **other, overwrite_index="resume")
    assert sorted(found_ids(rag.search(QUERY, k=99))) == sorted([*IDS, "doc-other"])
    indexed(rag, **other)
    assert found_ids(rag.search(QUERY, k=99)) == ["doc-other"]


@pytest.mark.parametrize("spell", [str, Path, lambda path: f"{path}/"])
def test_an_index_opens_wherever_it_was_moved(rag: RAGPretrainedModel, here: Path, spell: Any) -> None:
    path = indexed(rag)
    results = rag.search(QUERY, k=4)
    (here / "far").mkdir()
    shutil.move(path, here / "far" / "moved")
    again = RAGPretrainedModel.from_index(spell(here / "far" / "moved"))
    assert again.search(QUERY, k=4) == results
    again.add_to_index(["white"], ["w"])
    assert "w" in found_ids(again.search("white", index_name="moved", k=99))


def test_names_are_those_of_folders_below_the_root(here: Path) -> None:
    rag = RAGPretrainedModel.from_pretrained(str(BERT), index_root=str(here / "root"))
    assert indexed(rag, index_name="one") == str(here / "root" / "colbert" / "indexes" / "one")
    indexed(rag, index_name="two", collection=["x"], document_ids=["x"])
    assert found_ids(rag.search(QUERY, k=99)) == ["x"]
    assert len(rag.search(QUERY, index_name="one", k=99)) == 9
    assert len(rag.search(QUERY, k=99)) == 9
    with pytest.raises(FileNotFoundError, match="no index there"):
        rag.search(QUERY, index_name="three")
    assert len(rag.search(QUERY, k=99)) == 9
    fresh = RAGPretrainedModel.from_pretrained(str(BERT), index_root=here / "root")
    with pytest.raises(StoreError, match="no index is open: call index"):
        fresh.search(QUERY)
    assert found_ids(fresh.search(QUERY, "two")) == ["x"]


def test_without_a_name_it_is_the_checkpoint_s_and_new_index(
    rag: RAGPretrainedModel, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLIBRI_ALIAS", f"owner/tiny={BERT}")
    named = RAGPretrainedModel.from_pretrained("owner/tiny")
    assert indexed(named, index_name=None) == ".ragatouille/colbert/indexes/owner/tinynew_index"
    assert ColBERTConfig.load_from_index(".ragatouille/colbert/indexes/owner/tinynew_index").checkpoint == "owner/tiny"


def test_lists_of_queries(rag: RAGPretrainedModel) -> None:
    indexed(rag)
    rag.encode(TEXTS)
    calls: list[Any] = [rag.search, lambda q, k: rag.rerank(q, TEXTS, k=k), rag.search_encoded_docs]
    for call in calls:
        both = call([QUERY, "music"], k=2)
        assert [len(results) for results in both] == [2, 2]
        assert both[0] == call(QUERY, k=2) == call([QUERY], k=2)


def test_a_long_query_gets_more_tokens(rag: RAGPretrainedModel) -> None:
    indexed(rag)
    model = colibri.load(BERT)
    for words, length in ((3, 32), (30, 40), (500, 60)):
        query = model.encode_queries(["bird " * words], max_tokens=length, expand_to=length)
        with colibri.Index.open(".ragatouille/colbert/indexes/notes") as index:
            (hit,) = index.search(query, k=1)
        # The words of a query are counted by its blanks, one more than there are birds here.
        (result,) = rag.search("bird " * (words - 1) + "bird", k=1)
        assert result["score"] == pytest.approx(hit.score, rel=1e-6)


def test_ranks_begin_where_the_original_s_do(rag: RAGPretrainedModel) -> None:
    indexed(rag)
    assert [result["rank"] for result in rag.search(QUERY, k=3)] == [1, 2, 3]
    assert [result["rank"] for result in rag.search(QUERY, k=3, zero_index_ranks=True)] == [0, 1, 2]
    assert [result["rank"] for result in rag.rerank(QUERY, TEXTS, k=3)] == [0, 1, 2]
    assert [result["rank"] for result in rag.rerank(QUERY, TEXTS, k=3, zero_index_ranks=True)] == [-1, 0, 1]


def test_documents_in_memory(rag: RAGPretrainedModel) -> None:
    with pytest.raises(InputError, match=r"no documents are encoded in memory; call encode\(documents\) before"):
        rag.search_encoded_docs(QUERY)
    rag.encode(TEXTS[:2])
    assert "document_metadata" not in rag.search_encoded_docs(QUERY)[0]
    rag.encode(TEXTS[2:4], document_metadatas=[{"n": 2}, {"n": 3}])
    results = {result["result_index"]: result["document_metadata"] for result in rag.search_encoded_docs(QUERY, k=99)}
    assert results == {0: None, 1: None, 2: {"n": 2}, 3: {"n": 3}}
    with pytest.raises(InputError, match="document_metadatas: found 1, wanted one for each of 2"):
        rag.encode(TEXTS[:2], document_metadatas=[{}])
    with pytest.raises(InputError, match="max_document_length: found 600, wanted 4 to 64"):
        rag.encode(TEXTS, max_document_length=600)
    rag.encode(["river " * 50], max_document_length=10)
    assert len(rag.search_encoded_docs(QUERY, k=99)) == 5
    for k in (0, -1, True, 2.0):
        with pytest.raises(InputError, match="k: found"):
            rag.search_encoded_docs(QUERY, k=k)  # type: ignore[arg-type]
    rag.clear_encoded_docs()
    with pytest.raises(InputError):
        rag.search_encoded_docs(QUERY)
    assert rag.rerank(QUERY, []) == []


def test_what_torch_and_training_have_is_not_here(rag: RAGPretrainedModel) -> None:
    with pytest.raises(NotHere, match=r"RAGPretrainedModel\.model is not here, because there is no torch module"):
        _ = rag.model
    with pytest.raises(NotHere, match="RAGTrainer is not here, because Colibri runs models and does not train them"):
        RAGTrainer("name", "model")
    with pytest.raises(AttributeError, match="no attribute 'unheard_of'"):
        _ = rag.unheard_of


def test_an_index_of_another_model_is_refused(rag: RAGPretrainedModel) -> None:
    indexed(rag)
    other = RAGPretrainedModel.from_pretrained(ARTEFACTS / "tiny-random-xlmr")
    with pytest.raises(StoreError, match=r"was made with .*tiny-random-bert"):
        other.search(QUERY, index_name="notes")


def test_nothing_is_printed(here: Path) -> None:
    code = f"""
from colibri.compat.ragatouille import RAGPretrainedModel
rag = RAGPretrainedModel.from_pretrained({str(BERT)!r})
rag.index({TEXTS!r}, index_name="n", max_document_length=40)
rag.search("bird"); rag.rerank("bird", {TEXTS!r}); rag.encode({TEXTS!r}); rag.search_encoded_docs("bird")
rag.add_to_index(["a"], ["a"]); rag.delete_from_index(["a"]); rag.clear_encoded_docs()
"""
    child = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (child.stdout, child.stderr) == ("", "")


@pytest.mark.skipif(find_spec("langchain_core") is not None, reason="for machines without langchain-core")
def test_langchain_without_its_extra_is_a_missing_extra(rag: RAGPretrainedModel) -> None:
    for call in (rag.as_langchain_retriever, rag.as_langchain_document_compressor):
        with pytest.raises(MissingExtra, match=r"colibri-edge\[langchain\].*: pip install "):
            call()


@pytest.mark.skipif(find_spec("langchain_core") is None, reason="the extra [langchain]")
def test_langchain_s_retriever_and_compressor(rag: RAGPretrainedModel) -> None:
    from langchain_core.documents import Document

    indexed(rag, document_metadatas=[{"n": i} for i in range(9)])
    documents = rag.as_langchain_retriever(k=3).invoke(QUERY)
    results = rag.search(QUERY, k=3)
    assert [(one.page_content, one.metadata) for one in documents] == [
        (result["content"], result["document_metadata"]) for result in results
    ]
    given = [Document(page_content=text, metadata={"n": i}) for i, text in enumerate(TEXTS[:3])]
    best = rag.as_langchain_document_compressor().compress_documents(given, QUERY)
    assert len(best) == 3
    assert {id(one) for one in best} == {id(one) for one in given}
    scores = [one.metadata["relevance_score"] for one in best]
    assert scores == [result["score"] for result in rag.rerank(QUERY, TEXTS[:3])]
    assert len(rag.as_langchain_document_compressor(k=2).compress_documents(given, QUERY)) == 2
    assert rag.as_langchain_document_compressor().compress_documents([], QUERY) == []
