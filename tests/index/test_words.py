"""Exact words: what a query of them asks for, and what an index of them keeps."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri import Document, Index, InputError, StoreError, TokenVectors
from colibri.index import by_words, searching
from colibri.index.storage import catalogue
from colibri.index.storage import words as storage
from colibri.index.storage.cutting import words_in, words_of
from old_index import without_words
from store_contract import DIM, SPACE, rows

TEXTS = {
    "fox": "The Quick brown fox. ISO-9001, in Straße 5.",
    "fuchs": "Der schnelle Fuchs; an e-mail to someone brown, quick.",
    "tokyo": "東京都に行く。狐は速い",
    "thai": "ภาษาไทยสวยงาม",
    "accents": "École naïve Łódź ÅNGSTRÖM Ωmega МОСКВА",
    "hindi": "हिन्दी में पाठ",
    "code": "call foo_bar(x1, --amend) AND NOT OR NEAR(a b) col:val x^2 C++",
}


def filled(index: Index, texts: dict[str, str] = TEXTS, **options: Any) -> Index:
    index.add(
        [Document(id=name, text=text, vectors=rows(i)) for i, (name, text) in enumerate(texts.items())], **options
    )
    return index


def found(index: Index, query: str, **options: Any) -> set[str]:
    return {hit.id for hit in index.search(query, k=100, mode="words", **options)}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("quick", {"fox", "fuchs"}),
        ("QUICK!", {"fox", "fuchs"}),
        ('"quick brown"', {"fox"}),
        ('"Quick,  BROWN"', {"fox"}),
        ('"brown quick"', {"fuchs"}),
        ("“quick brown”", {"fox"}),
        ("„quick brown“", {"fox"}),
        ("«quick brown»", {"fox"}),
        ('quick "brown fox" "iso 9001"', {"fox"}),
        ('"quick brown" "fuchs"', set()),
        ("quick -fox", {"fuchs"}),
        ("-fox quick", {"fuchs"}),
        ('quick -"quick brown"', {"fuchs"}),
        ("quick -brown", set()),
        ("quick -FÖX", {"fuchs"}),
        ("-fox", set()),
        ('-"quick brown"', set()),
        ("", set()),
        ('""', set()),
        ("!?", set()),
        ("e-mail", {"fuchs"}),
        ("e-fox", {"fox", "fuchs"}),
        ("fuchs - brown", {"fox", "fuchs"}),
        ("--amend", {"code"}),
        ('5" fox', {"fox"}),
        ('"quick', {"fox", "fuchs"}),
        ('quick"', {"fox", "fuchs"}),
        ('fox" fuchs "', {"fox", "fuchs"}),
        ("strasse", {"fox"}),
        ("STRASSE", {"fox"}),
        ("ecole NAIVE lodz angstrom", {"accents"}),
        ("e\u0301cole", {"accents"}),
        ("москва", {"accents"}),
        ("ωMEGA", {"accents"}),
        ("AND", {"code"}),
        ("NOT", {"code"}),
        ("NEAR(a b)", {"code"}),
        ("col:val", {"code"}),
        ("about:val", {"code"}),
        ("x^2", {"code"}),
        ("qui*", set()),
        ("foo_bar", {"code"}),
        ("京都", {"tokyo"}),
        ("東京都", {"tokyo"}),
        ('"東京都"', {"tokyo"}),
        ('"京都に"', {"tokyo"}),
        ('"都に行"', {"tokyo"}),
        ('"東都"', set()),
        ('"行く狐は"', set()),
        ('"行く。狐"', {"tokyo"}),
        ('"行く狐速"', set()),
        ("狐", {"tokyo"}),
        ("く", {"tokyo"}),
        ("い", {"tokyo"}),
        ("鳥", set()),
        ("quick -狐", {"fox", "fuchs"}),
        ("狐 -東京", set()),
        ('"ไทย"', {"thai"}),
        ('"ษาไทย"', {"thai"}),
        ("हिन्दी", {"hindi"}),
        ("हन्दी", set()),
    ],
)
def test_a_query_finds_what_it_names(store: Index, query: str, names: set[str]) -> None:
    assert found(filled(store), query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("qui", {"fox", "fuchs"}),
        ("quick bro", {"fox", "fuchs"}),
        ("bro ", set()),
        ('"quick bro', {"fox"}),
        ('"quick bro"', set()),
        ('quick -"brown f', {"fox", "fuchs"}),
        ("fox -que", {"fox"}),
        ("東", {"tokyo"}),
        ("iso-90", {"fox"}),
    ],
)
def test_what_is_being_typed_may_go_on(store: Index, query: str, names: set[str]) -> None:
    filled(store)
    assert found(store, query, typing=True) == names


def test_phrases_and_exclusions_hold_where_meaning_ranks(store: Index) -> None:
    filled(store)
    vectors = rows(3)
    assert len(store.search(vectors, mode="both", text="quick")) == len(TEXTS)
    assert [hit.id for hit in store.search(vectors, mode="both", text='"quick brown"')] == ["fox"]
    left = {hit.id for hit in store.search(vectors, mode="both", text="quick -fox")}
    assert left == TEXTS.keys() - {"fox"}
    assert store.search(vectors, mode="both", text="-fox") == []
    plain = store.search(vectors)
    assert [hit.id for hit in store.search(vectors, mode="meaning", text='"quick brown" -x')] == [h.id for h in plain]


def test_filters_and_ids_hold(store: Index) -> None:
    made = [
        Document(id=f"d{n}", text=f"red {'blue' if n % 2 else 'green'}", vectors=rows(n), payload={"n": n})
        for n in range(40)
    ]
    store.add(made)
    assert found(store, "red", where={"n": {"$lt": 5}}) == {f"d{n}" for n in range(5)}
    assert found(store, "blue", where={"n": {"$lt": 5}}) == {"d1", "d3"}
    assert found(store, "red -blue", where={"n": {"$lt": 5}}, ids=["d1", "d2", "d9"]) == {"d2"}
    assert found(store, '"red blue"', ids=[]) == set()
    both = store.search(rows(0), mode="both", text='"red blue"', where={"n": {"$gte": 30}}, k=50)
    assert {hit.id for hit in both} == {f"d{n}" for n in range(31, 40, 2)}


def test_both_ranks_as_the_definition_says(store: Index) -> None:
    """MaxSim stretched over the best hundred, plus a fifth of BM25 over its best: in plain loops."""
    texts = {f"d{n}": f"word{n % 7} common " + "x " * (n % 5) for n in range(150)}
    filled(store, texts)
    query = rows(3, 2)
    meaning = {hit.id: hit.score for hit in store.search(query, k=150)}
    by_words = {hit.id: hit.score for hit in store.search("word3", k=150, mode="words")}
    best = sorted(meaning.values(), reverse=True)
    low, high = best[99], best[0]
    top = max(by_words.values())
    fused = {
        name: (score - low) / (high - low) + 0.2 * by_words.get(name, 0.0) / top for name, score in meaning.items()
    }
    hits = store.search(query, k=150, mode="both", text="word3")
    assert [hit.id for hit in hits] == sorted(fused, key=lambda name: -fused[name])
    for hit in hits:
        assert hit.score == meaning[hit.id]
        assert hit.words == pytest.approx(by_words.get(hit.id, 0.0) / top)
    pages = [store.search(query, k=10, offset=at, mode="both", text="word3") for at in range(0, 150, 10)]
    assert [hit.id for page in pages for hit in page] == [hit.id for hit in hits]


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize(
    ("cosine", "shown"), [(0.72, [0, 2, 1]), (0.75, [2, 0, 1]), (0.5, [0, 1, 2]), (0.9, [2, 0, 1])]
)
def test_words_move_the_passages_of_a_document_alone_by_a_fifth_of_their_spread(
    store: Index, scale: float, cosine: float, shown: list[int]
) -> None:
    """However small the differences are: of a single document there is nothing else to stretch."""
    parts = [f"{first} " + "x " * 9 + word for first, word in (("a", ""), ("b", ""), ("c", "PX"), ("d", ""))]
    text = "\n\n".join(part.strip() for part in parts)  # longer than what a passage has of the next one
    starts = [text.index(f"{first} ") for first in "abcd"]
    spans = np.array([*zip(starts, [*(s - 2 for s in starts[1:]), len(text)], strict=True)], np.int32)
    own = np.zeros((4, DIM), np.float32)
    own[:, 0] = np.array([0.9, 0.8, cosine, 0.1]) * scale
    own[:, 1] = np.sqrt(1 - own[:, 0] ** 2)
    query = np.eye(1, DIM, dtype=np.float32)
    store.add([Document(id="a", text=text, vectors=TokenVectors(own, np.arange(5), spans))])
    (hit,) = store.search(query, mode="both", text="PX", passages=3)
    assert [starts.index(passage.start) for passage in hit.passages] == shown
    assert hit.score == max(passage.score for passage in hit.passages)


def test_words_alone_need_no_vectors_and_say_where_they_stand(store: Index) -> None:
    filled(store)
    (hit,) = store.search('"brown fox"', mode="words", explain=True)
    (passage,) = hit.passages
    shown = [TEXTS["fox"][m.document.start : m.document.end] for m in passage.matches]
    asked = ['"brown fox"'[m.query.start : m.query.end] for m in passage.matches]
    assert shown == ["brown", "fox"] == asked
    assert (hit.normalised, hit.words) == (1.0, 1.0)
    with pytest.raises(InputError, match="asks for words"):
        store.search(rows(1), mode="both")
    with pytest.raises(InputError, match="wanted meaning, words or both"):
        store.search("x", mode="hybrid")  # type: ignore[arg-type]


def test_a_long_phrase_is_found_over_passages(store: Index) -> None:
    """Passages end anywhere, between paragraphs too: a document has what its text has."""
    words = [f"w{n}" for n in range(60)]
    text = "\n\n".join(" ".join(words[at : at + 10]) for at in range(0, 60, 10))
    bounds = [text.index(words[at]) for at in range(0, 60, 10)] + [len(text)]
    spans = np.array([(bounds[i], bounds[i + 1] - 2) for i in range(6)], np.int32)
    vectors = TokenVectors(rows(0, 6), np.arange(7), spans)
    store.add([Document(id="long", text=text, vectors=vectors), Document(id="x", text="w0 w2 w1", vectors=rows(1))])
    for start in range(60):
        for length in (1, 2, 5, 9, 10, 12, 30, 60):
            part = words[start : start + length]
            assert found(store, f'"{" ".join(part)}"') >= {"long"}, part
    assert found(store, '"w0 w2"') == {"x"}
    assert found(store, f'"{" ".join(words[:30])} w31"') == set()
    assert found(store, "w1 -" + f'"{" ".join(words[:20])}"') == {"x"}
    for hit in store.search("w13", mode="words", explain=True):
        assert text[hit.passages[0].start :].startswith("w10")


@given(st.text(max_size=40))
def test_words_with_places_are_the_same_words(text: str) -> None:
    placed = words_in(text)
    assert [word.word for word in placed] == words_of(text).split()
    assert all(0 <= word.start < word.end <= len(text) for word in placed)


@given(st.text(alphabet="ab1東京ไ é\u0301-\"'()*:^ß鳥", max_size=30), st.booleans())
def test_any_query_is_an_answer_and_never_syntax(worded: Index, query: str, typing: bool) -> None:
    for mode in ("words", "both"):
        worded.search(rows(1), k=3, mode=mode, text=query, typing=typing)


@pytest.fixture(scope="module")
def worded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Index.open(tmp_path_factory.mktemp("worded") / "index", dim=DIM, space_id=SPACE) as index:
        yield filled(index)


def test_frequent_words_are_asked_for_where_all_are(store: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    from colibri.index import by_words

    monkeypatch.setattr(by_words, "ALWAYS", 0)
    filled(store, {f"d{n}": "the cat" if n else "the dog" for n in range(40)})
    assert found(store, "the dog") == {"d0"}  # one of forty; the other 39 have a word that is no reason
    assert len(found(store, "the cat")) == 40


def test_an_index_without_texts_has_meaning_alone(store: Index) -> None:
    filled(store, keep_text=False)
    assert "without keeping their texts" in str(store.why_no_words())
    with pytest.raises(StoreError, match="cannot be searched by words"):
        store.search("quick", mode="words")
    with pytest.warns(RuntimeWarning, match="by meaning alone"):
        hits = store.search(rows(1), mode="both", text="quick -fox")
    assert [hit.id for hit in hits] == [hit.id for hit in store.search(rows(1))]
    store.add([Document(id="kept", text="quick", vectors=rows(50))])
    assert found(store, "quick") == {"kept"}


def old_index(place: Path) -> None:
    """An index as programs before words wrote it: format 1, documents numbered one after the other."""
    with Index.open(place, dim=DIM, space_id=SPACE) as index:
        spans = np.array([(0, 4), (4, 8)], np.int32)
        for n in range(5):
            vectors = TokenVectors(rows(n, 2), np.arange(3), spans)
            index.add([Document(id=f"d{n}", text=f"w{n}a w{n}b red", vectors=vectors)])
    without_words(place)
    facts = json.loads((place / "index.json").read_text())
    assert facts["format"] == "2"


def test_an_old_index_is_used_as_before_and_gains_words(place: Path) -> None:
    old_index(place)
    with Index.open(place) as index, Index.open(place) as beside:
        assert json.loads((place / "index.json").read_text())["format"] == "1"
        assert "--convert" in str(index.why_no_words())
        index.upsert([Document(id="d3", text="new red", vectors=rows(9))])
        index.delete("d4")
        assert index.verify().clean
        assert index.stats().words_bytes == 0
        with pytest.raises(StoreError, match="--convert"):
            index.search("red", mode="words")
        assert index.convert() == 4
        assert json.loads((place / "index.json").read_text())["format"] == "2"
        assert index.convert() == 0
        for one in (index, beside):
            assert found(one, "red") == {"d0", "d1", "d2", "d3"}
            assert found(one, "w1b -w0a") == {"d1"}
        beside.upsert([Document(id="d5", text="red later", vectors=rows(9))])
        beside.delete("d0")
        assert found(index, "red") == {"d1", "d2", "d3", "d5"}
        assert index.stats().words_bytes > 0
        assert index.verify().clean


def test_converting_that_is_interrupted_changes_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_index(place)
    with Index.open(place) as index:

        def interrupted(*_: object) -> Any:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(storage.Words, "flush", interrupted)
            with pytest.raises(KeyboardInterrupt):
                index.convert()
        assert "--convert" in str(index.why_no_words())
        assert index.verify().clean
        assert index.convert() == 5


def test_words_that_an_older_program_left_behind_are_not_believed(store: Index, place: Path) -> None:
    """One that had the index open when it was converted writes on without words."""
    filled(store)
    with closing(sqlite3.connect(place / "index.sqlite")) as connection, connection:
        (value,) = connection.execute("SELECT value FROM meta WHERE name = 'commits'").fetchone()
        value = str(int(value) + 1)
        crc = catalogue.fact_crc("commits", value)
        connection.execute("UPDATE meta SET value = ?, crc = ? WHERE name = 'commits'", (value, crc))
    assert "--repair" in str(store.why_no_words())
    with pytest.raises(StoreError, match="--repair"):
        store.search("quick", mode="words")
    store.delete("fuchs")
    assert "--repair" in str(store.why_no_words())
    assert not store.verify().clean
    store.repair()
    assert found(store, "quick") == {"fox"}
    assert store.verify().clean


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM words_docsize WHERE id = 2",
        "UPDATE words_docsize SET sz = x'0900' WHERE id = 2",
        "UPDATE words_data SET block = x'00' WHERE id > 10",
        "DELETE FROM words_data",
        "UPDATE words_config SET v = 99 WHERE k = 'version'",
        "INSERT INTO words (rowid, text, about) VALUES (77, 'nobody', '')",
        "INSERT INTO words (words, rowid, text, about) VALUES ('delete', 1, 'fox', '')",
        "DELETE FROM meta WHERE name = 'words'",
        "DELETE FROM meta WHERE name = 'worded'",
    ],
)
def test_changed_words_are_found_and_made_anew(store: Index, place: Path, statement: str) -> None:
    filled(store)
    store.close()
    with closing(sqlite3.connect(place / "index.sqlite")) as connection, connection:
        connection.execute(statement)
    with Index.open(place, create=False) as index:
        seen = index.verify()
        assert any("words" in problem for problem in seen.problems), seen
        assert seen.damaged == ()
        done = index.repair()
        assert (done.dropped, done.lost) == ((), 0)
        assert index.verify().clean
        assert found(index, '"quick brown"') == {"fox"}
        assert found(index, "nobody") == set()
        index.delete("fox")
        assert found(index, "quick") == {"fuchs"}


def test_a_changed_way_to_words_is_found(store: Index, place: Path) -> None:
    """Of more words than fit a page: FTS5's own check looks at what leads to the pages."""
    filled(store, {f"d{n}": " ".join(f"w{n}x{i}" for i in range(30)) for n in range(200)})
    store.compact()
    with closing(sqlite3.connect(place / "index.sqlite")) as connection, connection:
        last = "(SELECT max(term) FROM words_idx)"
        assert connection.execute(f"UPDATE words_idx SET term = CAST('0zzz' AS BLOB) WHERE term = {last}").rowcount == 1
    assert any("words" in problem for problem in store.verify().problems)
    store.repair()
    assert store.verify().clean
    assert found(store, "w199x29") == {"d199"}


def test_a_document_whose_text_changed_can_still_go(store: Index, place: Path) -> None:
    """What words it had nobody can tell: they are behind from then on."""
    filled(store)
    with closing(sqlite3.connect(place / "index.sqlite")) as connection, connection:
        connection.execute("UPDATE texts SET text = CAST('other' AS BLOB) WHERE number = 1")
    assert store.delete("fox") == 1
    assert "--repair" in str(store.why_no_words())
    store.repair()
    assert store.verify().clean
    assert found(store, "quick") == {"fuchs"}


def test_an_older_program_refuses_the_new_format(store: Index, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`catalogue.FORMAT` is all that such a program knows."""

    filled(store)
    monkeypatch.setattr(catalogue, "FORMAT", 1)
    with pytest.raises(StoreError, match=r"format 2 .* this runtime reads 1"):
        Index.open(place)


def test_compacting_frees_what_deleted_words_take(store: Index) -> None:
    texts = {f"d{n}": " ".join(f"w{n}x{i}" for i in range(30)) for n in range(400)}
    for at in range(0, 400, 100):
        filled(store, {name: texts[name] for name in list(texts)[at : at + 100]})
    before = store.stats().words_bytes
    store.delete([f"d{n}" for n in range(20, 400)])
    store.compact()
    assert store.stats().words_bytes < before / 10
    assert found(store, "w7x3") == {"d7"}
    assert store.verify().clean


def test_a_copy_of_the_folder_has_the_same_words(store: Index, place: Path, tmp_path: Path) -> None:
    filled(store)
    store.close()
    shutil.copytree(place, tmp_path / "copy")
    with Index.open(tmp_path / "copy", create=False) as index:
        assert found(index, "quick -fox") == {"fuchs"}


def test_a_beginning_of_many_words_says_nothing_beside_a_meaning(store: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_words, "ALWAYS", 1)
    filled(store, {f"d{i}": f"what where {'zebra' if i == 3 else 'horse'}" for i in range(9)})
    assert len(found(store, "wh", typing=True)) == 9
    both: dict[str, Any] = {"k": 9, "mode": "both", "text": "wh"}
    assert {hit.words for hit in store.search(rows(0), typing=True, **both)} == {0.0}
    assert {hit.words for hit in store.search(rows(0), **both | {"text": "what"})} == {1.0}
    named = store.search(rows(0), typing=True, **both | {"text": "zebra wh"})
    assert {hit.id: hit.words for hit in named if hit.words} == {"d3": 1.0}
    assert {hit.id for hit in store.search(rows(0), typing=True, **both | {"text": "zeb"}) if hit.words} == {"d3"}


@pytest.mark.parametrize("mode", ["words", "both"])
def test_rows_of_a_filter_are_listed_or_looked_up_with_the_same_answers(
    store: Index, monkeypatch: pytest.MonkeyPatch, mode: Any
) -> None:
    trees = ["alder", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine"]
    chances = np.random.default_rng(5)
    for i in range(40):
        own = chances.choice(trees, 12).tolist()
        ends = np.cumsum([len(tree) + 1 for tree in own]) - 1
        spans = np.stack([ends - [len(tree) for tree in own], ends], axis=1).astype(np.int32)
        starts = np.array([0, 12] if i % 3 else [0, 4, 8, 12], np.int64)  # one passage or three
        vectors = TokenVectors(np.concatenate([rows(12 * i + j)[:1] for j in range(12)]), starts, spans)
        store.add([Document(id=f"d{i}", text=" ".join(own), payload={"n": i % 5}, vectors=vectors)])
    store.delete([f"d{i}" for i in range(0, 40, 7)])
    answers = {}
    for listed in (0, 10**9):
        monkeypatch.setattr(by_words, "_LISTED", listed)
        answers[listed] = [
            [
                (hit.id, hit.score, hit.words)
                for hit in store.search(query, 7, mode=mode, where={"n": {"$in": few}}, text=text)
            ]
            for text in ("oak", "fir elm", "alder birch pine", "none")
            for few in ([0], [1, 2], [0, 1, 2, 3, 4], [9])
            for query in [text if mode == "words" else rows(3)]
        ]
    assert answers[0] == answers[10**9]
    assert sum(map(len, answers[0])) > 50


@pytest.mark.parametrize("query", ["quick brown", "fuchs -fox", "nothing of it"])
def test_words_beside_meaning_find_what_they_find_after_it(
    query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_AT_ONCE_FROM", 0)
    with Index.open(tmp_path / "index", dim=DIM, space_id=SPACE) as index:
        filled(index)
        asked: dict[str, Any] = {"mode": "both", "text": query, "explain": True, "passages": 2}
        alone = index.search(rows(3), threads=1, **asked)
        assert alone
        assert index.search(rows(3), threads=2, **asked) == alone
        assert index.search(rows(3), **asked) == alone
