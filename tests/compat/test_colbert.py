"""Stanford ColBERT's words: programs as its users write them, with the import line changed; and what they get wrong."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import colibri
from colibri.compat import NotHere, Rows
from colibri.compat.colbert import Checkpoint, Indexer, IndexUpdater, Searcher
from colibri.compat.colbert.data import Collection, Queries, Ranking
from colibri.compat.colbert.infra import ColBERTConfig, Run, RunConfig
from colibri.compat.colbert.modeling.colbert import colbert_score, colbert_score_packed
from colibri.errors import ArtefactNotFound, InputError, InputTypeError, StoreError
from reference import ARTEFACTS, maxsim

BERT = ARTEFACTS / "tiny-random-bert"
PASSAGES = [
    f"small bird {word} and the river"
    for word in ["city", "house", "music", "night", "old", "new", "red", "blue", "green"]
]
QUERY = "small red bird"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; `experiments` are in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def searcher() -> Searcher:
    """Of nine passages."""
    Indexer(checkpoint=str(BERT)).index(name="nine", collection=PASSAGES)
    return Searcher(index="nine")


def wanted(model: colibri.Colibri, query: str = QUERY) -> list[tuple[int, float]]:
    """(pid, score) by plain search of rows as an index stores them."""
    scores = model.score(query, model.encode_documents(PASSAGES).quantize())
    return sorted(((pid, float(score)) for pid, score in enumerate(scores)), key=lambda row: (-row[1], row[0]))


def test_indexing_and_searching_as_the_readme_does(here: Path) -> None:
    with Run().context(RunConfig(nranks=1, experiment="notebook")):
        config = ColBERTConfig(doc_maxlen=40, nbits=2, kmeans_niters=4)
        indexer = Indexer(checkpoint=str(BERT), config=config)
        path = indexer.index(name="notes", collection=PASSAGES, overwrite=True)
    assert path == indexer.get_index() == str(here / "experiments" / "notebook" / "indexes" / "notes")
    with Run().context(RunConfig(experiment="notebook")):
        searcher = Searcher(index="notes", collection=PASSAGES)
    results = searcher.search(QUERY, k=3)
    found = [(searcher.collection[pid], rank, score) for pid, rank, score in zip(*results, strict=True)]
    assert [rank for _, rank, _ in found] == [1, 2, 3]
    model = colibri.load(BERT)
    for (text, _, score), (pid, other) in zip(found, wanted(model), strict=False):
        assert text == PASSAGES[pid]
        assert score == pytest.approx(other, rel=1e-6)


def test_all_passages_are_found_whatever_k_is(searcher: Searcher) -> None:
    pids, ranks, scores = searcher.search(QUERY, k=500)
    assert sorted(pids) == list(range(9))
    assert ranks == list(range(1, 501))
    assert scores == sorted(scores, reverse=True)
    assert all(type(pid) is int for pid in pids)
    assert all(type(score) is float for score in scores)


def test_pids_and_filters_are_loops_over_all_results(searcher: Searcher) -> None:
    everything = list(zip(*searcher.search(QUERY, k=9), strict=True))
    seen: list[Any] = []

    def even(pids: Any) -> Any:
        seen.append((pids.dtype, len(pids)))
        return pids[pids % 2 == 0]

    pids, _, scores = searcher.search(QUERY, k=9, filter_fn=even)
    kept = [(pid, score) for pid, _, score in everything if pid % 2 == 0]
    assert list(zip(pids, scores, strict=True)) == kept
    pids, _, scores = searcher.search(QUERY, k=9, pids=[7, 2, 7, 99], filter_fn=even)
    assert list(zip(pids, scores, strict=True)) == [row for row in kept if row[0] == 2]
    assert str(seen[0][0]).endswith("int32")
    assert [count for _, count in seen] == [9, 4]
    assert searcher.search(QUERY, k=3, filter_fn=lambda pids: pids[:0]) == ([], [1, 2, 3], [])
    assert searcher.search(QUERY, k=2, filter_fn=lambda pids: [0, 1])[0] == [
        pid for pid, _, _ in everything if pid in (0, 1)
    ]
    with pytest.raises(InputError, match="filter_fn: gave float"):
        searcher.search(QUERY, filter_fn=lambda pids: pids.float() if hasattr(pids, "float") else pids)


def test_search_all_gives_a_ranking_that_saves_and_loads(searcher: Searcher, here: Path) -> None:
    (here / "queries.tsv").write_text("3\tsmall bird\n5\tthe river\n", encoding="utf-8")
    ranking = searcher.search_all(Queries(str(here / "queries.tsv")), k=2)
    assert list(ranking.todict()) == [3, 5]
    assert [row[:2] for row in ranking.tolist()] == [(q, row[0]) for q in (3, 5) for row in ranking.todict()[q]]
    with Run().context(RunConfig(experiment="saved")):
        path = ranking.save("ranking.tsv")
        with pytest.raises(AssertionError):
            ranking.save("ranking.tsv")
    assert path.startswith(str(here / "experiments" / "saved"))
    assert Path(path + ".meta").is_file()
    again = Ranking.cast(path)
    assert [tuple(row[:3]) for row in again.tolist()] == [row[:3] for row in ranking.tolist()]
    assert again.todict()[3][0][2] == pytest.approx(ranking.todict()[3][0][2])
    chosen = searcher.search_all({"a": "bird", "b": "river"}, k=3, qid_to_pids={"a": [1, 2], "b": None})
    assert {pid for pid, *_ in chosen.todict()["a"]} == {1, 2}
    assert len(chosen.todict()["b"]) == 3


def test_a_searcher_s_own_rows_search_as_its_texts_do(searcher: Searcher) -> None:
    for form in (lambda rows: rows, lambda rows: rows[0], np.asarray, lambda rows: rows.tolist()):
        found = searcher.dense_search(form(searcher.encode(QUERY)), k=4)
        for one, other in zip(found, searcher.search(QUERY, k=4), strict=True):
            assert one == pytest.approx(other)
    with pytest.raises(AssertionError, match="wanted rows of one query"):
        searcher.dense_search(searcher.encode([QUERY, QUERY]))


def test_an_updater_adds_and_removes_and_no_number_comes_twice(searcher: Searcher) -> None:
    updater = IndexUpdater(searcher.config, searcher)
    assert updater.add(["fast hummingbird", "white school"]) == [9, 10]
    assert searcher.search("fast hummingbird", k=1)[0] == [9]
    updater.remove([10, 0])
    assert 10 not in searcher.search("white school", k=99)[0]
    with pytest.raises(ValueError, match="Invalid PIDs") as caught:
        updater.remove([1, 77])
    assert caught.value.args == ("Invalid PIDs", [77])
    assert 1 in searcher.search(QUERY, k=99)[0]
    updater.persist_to_disk()
    again = Searcher(index="nine")
    assert sorted(again.search(QUERY, k=99)[0]) == list(range(1, 10))
    assert IndexUpdater(again.config, again, str(BERT)).add(["black"]) == [11]
    assert again.collection[11] == "black"
    assert len(again.collection) == 12
    with pytest.raises(IndexError, match="passage 10: not in the index, or removed"):
        _ = again.collection[10]
    assert again.collection[1:3] == PASSAGES[1:3]
    assert list(again.collection) == [*PASSAGES[1:], "fast hummingbird", "black"]


def test_overwriting_is_what_it_says(here: Path) -> None:
    indexer = Indexer(checkpoint=str(BERT))
    path = Path(indexer.index("notes", PASSAGES))
    for overwrite in (False, None, "yes", 2):
        with pytest.raises(AssertionError):
            indexer.index("notes", ["other"], overwrite=overwrite)  # type: ignore[arg-type]
    assert indexer.index("notes", ["other"], overwrite="reuse") == str(path)
    assert len(Searcher(index="notes").collection) == 9
    indexer.index("notes", [*PASSAGES, "one more"], overwrite="resume")
    assert Searcher(index="notes").collection[9] == "one more"
    for overwrite in (True, "force_silent_overwrite"):
        indexer.index("notes", ["other", "texts"], overwrite=overwrite)
        assert list(Searcher(index="notes").collection) == ["other", "texts"]
    assert [entry.name for entry in path.parent.iterdir()] == ["notes"]


def test_a_folder_of_somebody_else_is_not_overwritten(here: Path) -> None:
    folder = here / "experiments" / "default" / "indexes" / "notes"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(StoreError, match=r"holds files that are no index's \(thesis\.txt\)"):
        Indexer(checkpoint=str(BERT)).index("notes", PASSAGES, overwrite=True)
    assert (folder / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_a_failed_overwrite_leaves_the_old_index(here: Path) -> None:
    indexer = Indexer(checkpoint=str(BERT))
    path = Path(indexer.index("notes", PASSAGES))
    with pytest.raises(InputTypeError):
        indexer.index("notes", ["good", 3], overwrite=True)
    assert len(Searcher(index="notes").collection) == 9
    assert [entry.name for entry in path.parent.iterdir()] == ["notes"]


@pytest.mark.parametrize("name", ["", " ", ".", "..", None, 5])
def test_what_is_no_name_of_an_index_is_refused(here: Path, name: Any) -> None:
    """An empty one would be the folder of all indexes."""
    indexer = Indexer(checkpoint=str(BERT))
    path = Path(indexer.index("notes", PASSAGES))
    for overwrite in (False, True, "resume"):
        with pytest.raises(InputError, match=r"name: found .*, wanted the name of an index, or a path"):
            indexer.index(name, PASSAGES, overwrite=overwrite)
    with pytest.raises(InputError, match=r"index: found .*, wanted the name of an index, or a path"):
        Searcher(index=name)
    assert [entry.name for entry in path.parent.iterdir()] == ["notes"]
    assert len(Searcher(index="notes").collection) == 9


@pytest.mark.parametrize("config", [{"dim": 64}, "dim=64", 64])
def test_what_is_no_configuration_is_refused(config: Any) -> None:
    said = f"config: found {type(config).__name__}, wanted a ColBERTConfig or RunConfig"
    for make in (Checkpoint, Indexer):
        with pytest.raises(InputTypeError, match=said):
            make(str(BERT), config)


def test_no_model_is_never_a_model(searcher: Searcher) -> None:
    for make in (Checkpoint, Indexer):
        with pytest.raises(InputTypeError, match="checkpoint: found None, wanted a name, a folder or a hub id"):
            make(None)
    assert Checkpoint(None, ColBERTConfig(checkpoint=str(BERT))).name == str(BERT)
    assert Searcher("nine", checkpoint=None).checkpoint.name == str(BERT)


def test_what_is_not_there_says_its_path_and_number(here: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        Searcher(index="nothing")
    wanted = str(here / "experiments" / "default" / "indexes" / "nothing")
    assert isinstance(caught.value, StoreError)
    assert (caught.value.errno, caught.value.filename) == (2, wanted)
    assert str(caught.value) == f"[Errno 2] no index there; Indexer(...).index(...) makes one: {wanted!r}"


@pytest.mark.parametrize("k", [1_000_001, 10**12, 2**63])
def test_more_results_than_memory_holds_are_as_many_as_there_are(searcher: Searcher, k: int) -> None:
    pids, ranks, scores = searcher.search(QUERY, k=k)
    assert (len(pids), len(scores)) == (9, 9)
    assert (ranks[0], len(ranks)) == (1, 1_000_000)
    assert len(searcher.search_all({1: QUERY}, k=k).todict()[1]) == 9


def test_texts_are_refused_before_any_is_encoded(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[object] = []
    real = colibri.Colibri.stream_documents

    def counted(self: colibri.Colibri, *given: Any, **options: Any) -> Any:
        encoded.append(given)
        return real(self, *given, **options)

    monkeypatch.setattr(colibri.Colibri, "stream_documents", counted)
    indexer, updater = Indexer(checkpoint=str(BERT)), IndexUpdater(searcher.config, searcher)
    for texts in (["good", None], [b"bytes"], ["good", ["nested"]]):
        with pytest.raises(InputTypeError, match=r"collection\[\d\]: found \w+, wanted str"):
            indexer.index("ten", texts)
        with pytest.raises(InputTypeError, match=r"passages\[\d\]: found \w+, wanted str"):
            updater.add(texts)  # type: ignore[arg-type]
    assert encoded == []
    assert updater.add(text for text in ["from a generator"]) == [9]  # type: ignore[arg-type]
    assert len(encoded) == 1


@pytest.mark.parametrize("pids", ["1", 1, ["1"], [1.0], [None], None])
def test_only_whole_numbers_are_removed(searcher: Searcher, pids: Any) -> None:
    updater = IndexUpdater(searcher.config, searcher)
    with pytest.raises(InputTypeError, match=r"pids: found .*, wanted (a list of )?whole numbers"):
        updater.remove(pids)
    assert len(searcher.search(QUERY, k=9)[0]) == 9
    updater.remove(np.array([2, 3]))  # type: ignore[arg-type]
    assert sorted(searcher.search(QUERY, k=9)[0]) == [0, 1, 4, 5, 6, 7, 8]
    assert updater.removed_pids == [2, 3]


@pytest.mark.parametrize("spell", [str, Path, lambda path: f"{path}/"])
def test_a_moved_index_opens_by_any_spelling_of_its_path(searcher: Searcher, here: Path, spell: Any) -> None:
    moved = here / "elsewhere" / "moved"
    moved.parent.mkdir()
    before = searcher.search(QUERY, k=2)
    shutil.move(searcher.index, moved)
    again = Searcher(index=spell(moved))
    assert again.search(QUERY, k=2) == before
    assert Searcher(index="moved", index_root=spell(here / "elsewhere")).collection[3] == PASSAGES[3]
    assert ColBERTConfig.load_from_index(str(moved)).doc_maxlen == 40


def test_two_processes_read_one_index(searcher: Searcher) -> None:
    code = (
        "import sys; from colibri.compat.colbert import Searcher\n"
        f"print(Searcher(index=sys.argv[1]).search({QUERY!r}, k=2))"
    )
    child = subprocess.run([sys.executable, "-c", code, searcher.index], capture_output=True, text=True, check=True)
    assert child.stdout == f"{searcher.search(QUERY, k=2)}\n"
    assert child.stderr == ""


def test_where_nothing_is_it_says_so(here: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no index there") as caught:
        Searcher(index="nothing")
    assert isinstance(caught.value, StoreError)
    with pytest.raises(FileNotFoundError, match=r"no metadata\.json"):
        ColBERTConfig.load_from_index(here)
    with pytest.raises(ArtefactNotFound, match="`colibri models` lists"):
        Indexer(checkpoint="nobody-has-this")


def test_an_index_of_another_model_is_refused(searcher: Searcher) -> None:
    with pytest.raises(StoreError, match="open it with the model it was made with, or make it anew"):
        Searcher(index="nine", checkpoint=str(ARTEFACTS / "tiny-random-xlmr"))


# Checkpoints


def test_rows_are_the_model_s_own(model: colibri.Colibri) -> None:
    made = Checkpoint(model)
    queries = ["small bird", "the river"]
    rows = made.queryFromText(queries)
    assert np.array_equal(np.asarray(rows).reshape(-1, 48), model.encode_queries(queries).rows)
    vectors = model.encode_documents(PASSAGES)
    stacked = np.asarray(made.docFromText(PASSAGES))
    for i, own in enumerate(vectors):
        assert np.array_equal(stacked[i, : len(own)], own)
        assert not stacked[i, len(own) :].any()
    flat, lengths = made.docFromText(PASSAGES, bsize=4, keep_dims="flatten")
    assert np.array_equal(flat, vectors.rows)
    assert lengths == np.diff(vectors.starts).tolist()


def test_ids_come_with_rows_where_they_are_asked_for(model: colibri.Colibri) -> None:
    rows, ids = Checkpoint(model).docFromText(["small, bird.", "a"], bsize=2, keep_dims=False, return_tokens=True)
    assert [len(one) for one in ids] == [7, 4]
    assert [len(one) for one in rows] == [5, 4]
    assert str(ids[0].dtype).endswith("int64")


@pytest.mark.parametrize("name", ["colibri-mini", str(BERT)])
def test_a_caller_s_own_maxsim_is_the_model_s_score(name: str) -> None:
    """With weights (colibri-mini) and without."""
    made = Checkpoint(name, arrays="numpy")
    model = made.colibri
    texts = ["Berlin has 3.7 million inhabitants.", "Bread is baked.", "a"]
    question = "how many people live in Berlin?"
    scores = model.score(question, texts)
    rows = made.queryFromText([question])[0]
    own = [float((rows @ one.T).max(1).sum()) for one in made.docFromText(texts, keep_dims=False)]
    assert own == pytest.approx(scores, rel=1e-6)
    padded = made.docFromText(texts)
    mask = ~(padded == 0).all(-1)
    assert np.asarray(colbert_score(rows[None], padded, mask)) == pytest.approx(scores, rel=1e-6)
    results = model.rerank(question, texts)
    assert [int(i) for i in np.argsort(own)[::-1]] == [result.index for result in results]


def test_lengths_may_be_set_up_to_the_graph(model: colibri.Colibri) -> None:
    made = Checkpoint(model, ColBERTConfig(query_maxlen=20, doc_maxlen=60))
    assert made.queryFromText(["a"]).shape == (1, 20, 48)
    assert made.docFromText(["river " * 90]).shape == (1, 60, 48)
    made.query_tokenizer.query_maxlen = 64
    made.doc_tokenizer.doc_maxlen = 10
    assert made.queryFromText(["a"]).shape == (1, 64, 48)
    assert made.docFromText(["river " * 90]).shape == (1, 10, 48)
    made.query_tokenizer.query_maxlen = 65
    with pytest.raises(
        InputError, match="query_maxlen: found 65, wanted 4 to 64 for a query: 3 stand around every text, and the graph"
    ):
        made.queryFromText(["a"])
    for setting in ({"doc_maxlen": 300}, {"query_maxlen": 65}, {"query_maxlen": 0}):
        ((name, value),) = setting.items()
        with pytest.raises(InputError, match=f"^{name}: found {value}, wanted 4 to 64 for a "):
            Checkpoint(model, ColBERTConfig(**setting))


def test_a_long_query_keeps_its_tokens_where_that_is_asked(model: colibri.Colibri) -> None:
    made = Checkpoint(model)
    assert made.queryFromText(["river " * 30], full_length_search=True).shape == (1, 30, 48)
    assert made.queryFromText(["river " * 300], full_length_search=True).shape == (1, 64, 48)
    assert made.queryFromText(["river"], full_length_search=True).shape == (1, 16, 48)
    with pytest.raises(AssertionError, match="takes one query"):
        made.queryFromText(["a", "b"], full_length_search=True)


def test_a_model_without_expansion_pads_queries_with_zeros(mini: colibri.Colibri) -> None:
    rows = np.asarray(Checkpoint(mini).queryFromText(["a", "how many people live in Berlin?"]))
    lengths = np.diff(mini.encode_queries(["a", "how many people live in Berlin?"]).starts)
    assert rows.shape == (2, max(lengths), 128)
    assert (~(rows == 0).all(-1)).sum(1).tolist() == lengths.tolist()


def test_another_width_is_a_head_or_an_error(model: colibri.Colibri) -> None:
    assert Checkpoint(model, ColBERTConfig(dim=16)).queryFromText(["a"]).shape == (1, 16, 16)
    with pytest.raises(InputError, match="dim 128: tiny-random-bert has heads for 48, 32, 16"):
        Checkpoint(model, ColBERTConfig(dim=128))
    Indexer(checkpoint=str(BERT), config=ColBERTConfig(dim=32)).index("narrow", PASSAGES)
    assert Searcher(index="narrow").encode(QUERY).shape == (1, 16, 32)


def test_what_an_artefact_decides_is_not_overridden(model: colibri.Colibri) -> None:
    for setting in ({"mask_punctuation": False}, {"attend_to_mask_tokens": True}):
        with pytest.raises(InputError, match="the artefact was exported with"):
            Checkpoint(model, ColBERTConfig(**setting))
    with pytest.raises(NotHere, match="similarity 'l2' is not here, because rows are compared by cosine"):
        Checkpoint(model, ColBERTConfig(similarity="l2"))
    with pytest.raises(NotHere, match="interaction 'flipr' is not here, because scores are MaxSim"):
        Checkpoint(model, ColBERTConfig(interaction="flipr"))


def test_what_torch_modules_have_is_not_here(model: colibri.Colibri) -> None:
    made = Checkpoint(model)
    for name in ("bert", "model", "parameters", "raw_tokenizer", "skiplist"):
        with pytest.raises(NotHere, match=f"Checkpoint.{name} is not here, because there is no torch module"):
            getattr(made, name)
    with pytest.raises(AttributeError, match="no attribute 'unheard_of'"):
        _ = made.unheard_of
    with pytest.raises(NotHere, match="context= is not here"):
        made.queryFromText(["a"], context=["b"])
    with pytest.raises(NotHere, match="pool_factor over 1 is not here, because Colibri pools by a rule of its own"):
        made.docFromText(["a"], pool_factor=2)
    with pytest.raises(NotHere, match=r"DocTokenizer\.tensorize is not here"):
        made.doc_tokenizer.tensorize(["a"])
    assert made.to("cuda").eval().half().float().cpu().cuda() is made
    assert made.device == "cpu"
    assert made.docFromText("small bird").shape[0] == 1
    assert made.docFromText([]).shape == (0, 0, 48)
    assert made.queryFromText([]).shape == (0, 16, 48)


def test_arrays_are_of_the_kind_that_is_asked(model: colibri.Colibri) -> None:
    assert isinstance(Checkpoint(model, arrays="numpy").queryFromText(["a"]), np.ndarray)
    if "torch" not in sys.modules:
        assert isinstance(Checkpoint(model).queryFromText(["a"]), Rows)
    with pytest.raises(InputError, match="arrays: found 'jax'"):
        Checkpoint(model, arrays="jax")


# Scores


def test_scores_are_the_definition_s() -> None:
    rng = np.random.default_rng(3)
    queries, documents = rng.normal(size=(3, 4, 5)).astype("f4"), rng.normal(size=(3, 6, 5)).astype("f4")
    mask = rng.random((3, 6)) < 0.6
    mask[:, 0] = True
    rows = [documents[i][mask[i]].tolist() for i in range(3)]
    one = np.asarray(colbert_score(queries[:1], documents, mask))
    assert one == pytest.approx(maxsim(queries[0].tolist(), rows), rel=1e-5)
    for form in (mask, mask[:, :, None], mask.astype(np.float32), Rows(mask), mask.tolist()):
        pairs = np.asarray(colbert_score(Rows(queries), documents, form))
        assert pairs == pytest.approx([maxsim(queries[i].tolist(), [rows[i]])[0] for i in range(3)], rel=1e-5)
    mask[1] = False
    assert np.asarray(colbert_score(queries, documents, mask))[1] == -9999 * 4
    packed = colbert_score_packed(queries[:1], np.concatenate(documents), [6, 6, 6])
    wanted_scores = maxsim(queries[0].tolist(), [one.tolist() for one in documents])
    assert np.asarray(packed) == pytest.approx(wanted_scores, rel=1e-5)


@pytest.mark.parametrize(
    "shapes",
    [
        ((4, 5), (3, 6, 5), (3, 6)),
        ((2, 4, 5), (3, 6, 5), (3, 6)),
        ((1, 4, 5), (6, 5), (6,)),
        ((1, 4, 5), (3, 6, 7), (3, 6)),
        ((1, 4, 5), (3, 6, 5), (3, 5)),
    ],
)
def test_shapes_that_do_not_fit_are_asserted(shapes: Any) -> None:
    with pytest.raises(AssertionError):
        colbert_score(*(np.ones(shape, np.float32) for shape in shapes))


# Data and configuration


def test_collections_are_read_as_stanford_reads_them(here: Path) -> None:
    (here / "c.tsv").write_text("0\ta small bird\n1\ttext\ttitle\n2\tc\n", encoding="utf-8")
    found = Collection.cast(str(here / "c.tsv"))
    assert list(found) == ["a small bird", "title | text", "c"]
    assert Indexer(checkpoint=str(BERT)).index("of a file", str(here / "c.tsv"))
    assert ColBERTConfig.load_from_index(Indexer(str(BERT)).index("of a file", [], "reuse")).collection == str(
        here / "c.tsv"
    )
    (here / "bad.tsv").write_text("0\ta\n2\tb\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"bad\.tsv, line 1: pid='2', wanted 1"):
        Collection(str(here / "bad.tsv"))
    with pytest.raises(NotHere, match=r"only \.tsv files are read"):
        Collection("x.jsonl")
    with pytest.raises(AssertionError, match="not compatible with cast"):
        Collection.cast(3)
    with Run().context(RunConfig(root=str(here / "r"))):
        assert list(Collection(Collection(data=["x", "y"]).save("out.tsv"))) == ["x", "y"]


def test_queries_are_read_as_stanford_reads_them(here: Path) -> None:
    (here / "q.json").write_text('{"qid": "x", "question": "why?", "n": 1}\n', encoding="utf-8")
    found = Queries(path=str(here / "q.json"))
    assert (dict(found), found.qas()["x"]["n"]) == ({"x": "why?"}, 1)
    assert dict(Queries(data={1: {"question": "who?"}})) == {1: "who?"}
    (here / "q.tsv").write_text("1\ta\n1\tb\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="Query QID 1 is repeated"):
        Queries(str(here / "q.tsv"))
    for bad in (["a"], 3):
        with pytest.raises(AssertionError):
            Queries.cast(bad)


def test_configurations_know_what_was_given() -> None:
    first, second = ColBERTConfig(doc_maxlen=100, nbits=2), ColBERTConfig(nbits=4, root="x")
    both = ColBERTConfig.from_existing(first, None, second)
    assert (both.doc_maxlen, both.nbits, both.root, set(both.assigned)) == (
        100,
        4,
        "x",
        {"doc_maxlen", "nbits", "root"},
    )
    assert both.configure(nbits=8, unheard_of=1) == {"unheard_of"}
    with pytest.raises(InputError, match="Unrecognized key `unheard_of`"):
        both.set("unheard_of", 1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'nbit'"):
        ColBERTConfig(nbit=2)
    assert ColBERTConfig(nbits=2) == ColBERTConfig(nbits=2) != ColBERTConfig(nbits=4)
    assert repr(ColBERTConfig(nbits=2)) == "ColBERTConfig(nbits=2)"
    assert json.loads(json.dumps(both.export()))["nbits"] == 8


def test_settings_without_effect_are_logged_for_who_asks(
    model: colibri.Colibri, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", "colibri.compat"):
        Checkpoint(model, ColBERTConfig(nbits=2, kmeans_niters=4, root="x")).docFromText(["a"], bsize=3)
        Checkpoint(model)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("colibri.compat")] == [
        "ColBERTConfig: without effect here: nbits, kmeans_niters",
        "Checkpoint.docFromText: without effect here: bsize",
    ]


def test_runs_are_one_object_with_a_stack(here: Path) -> None:
    with Run().context(RunConfig(experiment="inner", root=str(here))):
        assert Run().experiment == Run().config.experiment == "inner"
        with Run().context(RunConfig(nranks=2)):
            assert (Run().config.experiment, Run().config.nranks) == ("inner", 2)
        with Run().open("notes/x.txt", "w") as file:
            file.write("y")
        with Run().open("notes/x.txt") as file:
            assert file.read() == "y"
        with pytest.raises(AssertionError):
            Run().open("notes/x.txt", "a")
    assert Run().config.experiment == "default"


def test_a_context_ends_with_its_block_also_by_an_error() -> None:
    def fails() -> None:
        with Run().context(RunConfig(experiment="inner")):
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert Run().config.experiment == "default"


def test_deep_imports_answer_under_the_original_names(here: Path) -> None:
    code = f"""
import colibri.compat; colibri.compat.install("colbert", "ragatouille")
import colibri.compat.colbert as ours
from colbert import Indexer, Searcher, IndexUpdater, Checkpoint, Trainer
from colbert.infra import Run, RunConfig, ColBERTConfig
from colbert.infra.config import ColBERTConfig as again
from colbert.infra.run import Run as the_same
from colbert.data import Queries, Collection, Ranking
from colbert.data.queries import Queries as queries
from colbert.modeling.checkpoint import Checkpoint as deep
from colbert.modeling.colbert import ColBERT, colbert_score
from colbert.modeling.tokenization import QueryTokenizer, DocTokenizer
from colbert.searcher import Searcher as also
from ragatouille import RAGPretrainedModel, RAGTrainer
from ragatouille.data import CorpusProcessor
import sys
assert deep is Checkpoint is ours.Checkpoint and again is ColBERTConfig and the_same is Run and also is Searcher
assert not {{"torch", "transformers", "numpy"}} & set(sys.modules)
with Run().context(RunConfig(nranks=1, experiment="x")):
    Indexer(checkpoint={str(BERT)!r}).index(name="i", collection=["small bird", "river"])
    print(Searcher(index="i").search("bird", k=1)[1])
rag = RAGPretrainedModel.from_pretrained({str(BERT)!r})
print(rag.rerank("bird", ["river"])[0]["rank"])
try: Trainer(triples="x")
except NotImplementedError as error: print(error)
assert not {{"torch", "transformers"}} & set(sys.modules)
"""
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert child.stdout.splitlines() == [
        "[1]",
        "0",
        "Trainer is not here, because Colibri runs models and does not train them; train with colbert-ai or PyLate and "
        "export the checkpoint: colibri export FOLDER",
    ]
    assert child.stderr == ""
    assert os.listdir(here) == ["experiments"]  # noqa: PTH208


def test_settings_are_a_dataclass_to_whoever_asks() -> None:
    """Though importing them does not import `dataclasses`."""
    made = ColBERTConfig(dim=64, nbits=2)
    named = [field.name for field in dataclasses.fields(made)]
    assert named[0] == "overwrite"
    assert named.index("checkpoint") > named.index("gpus")
    assert set(named) == set(made.export())
    assert dataclasses.asdict(made) == {name: getattr(made, name) for name in named}
    assert dataclasses.replace(made, dim=32).dim == 32
    assert {field.name: field.default for field in dataclasses.fields(RunConfig)}["experiment"] == "default"

    @dataclasses.dataclass(init=False)
    class Mine(ColBERTConfig):
        more: int = 3

    assert (Mine(more=4).more, Mine(dim=2).more, Mine(dim=2).dim) == (4, 3, 2)
    assert ColBERTConfig.from_existing(Mine(dim=9)).dim == 9
