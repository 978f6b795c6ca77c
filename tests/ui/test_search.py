"""Searching from the page: files with their passages, what is shaded, and in which order."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colibri import Index
from ui_server import TINY, UiServer


def names(answer: Any) -> list[str]:
    return [one["name"] for one in answer["files"]]


def test_state_says_what_there_is(page: UiServer, files: Path) -> None:
    state = page.api("state").json
    assert state["documents"] == 6  # two rows of one file
    assert state["passages"] >= 6
    assert state["tokens"] > 0
    assert state["bytes"] > 0
    assert [(one["path"], one["documents"], one["present"]) for one in state["roots"]] == [(str(files), 6, True)]
    assert state["indexing"]["phase"] in {"idle", "looking", "indexing"}


def test_hits_are_grouped_by_file(page: UiServer, files: Path) -> None:
    answer = page.search("refund", k=10)
    assert sorted(names(answer)) == sorted(path.name for path in files.rglob("*") if path.is_file())
    rows = next(one for one in answer["files"] if one["name"] == "faq.jsonl")
    assert {passage["id"] for passage in rows["passages"]} == {f"{files}/work/faq.jsonl#{line}" for line in (1, 2)}
    assert rows["path"] == str(files / "work/faq.jsonl")
    assert rows["folder"] == str(files / "work")
    assert rows["size"] == (files / "work/faq.jsonl").stat().st_size
    assert not rows["gone"]
    assert [one["score"] for one in answer["files"]] == sorted((one["score"] for one in answer["files"]), reverse=True)
    assert set(answer["took_ms"]) == {"encode", "score", "words", "texts", "total"}


def test_matches_lie_in_their_passage_and_in_the_query(page: UiServer) -> None:
    query = "🙂 Berlin, million"
    answer = page.search(query)
    words = {(one["start"], one["end"]) for one in answer["query_words"]}
    assert {query[start:end] for start, end in words} == {"Berlin", "million"}
    scores = []
    for file in answer["files"]:
        for passage in file["passages"]:
            for match in passage["matches"]:
                start, end = match["text"]
                assert 0 <= start < end <= len(passage["text"])
                assert tuple(match["query"]) in words
                assert any(character.isalnum() for character in passage["text"][start:end])
                scores.append(match["score"])
    assert max(scores) == 1
    assert min(scores) > 0


def test_pages_of_an_answer_are_one_ranking(page: UiServer) -> None:
    whole = page.search("refund", k=50)
    parts: list[str] = []
    for offset in range(0, 8, 2):
        part = page.search("refund", k=2, offset=offset)
        parts += names(part)
        assert part["more"] == (offset + 2 < len(whole["files"]))
    assert parts == names(whole)
    assert page.search("refund", offset=100_000)["files"] == []


def test_other_orders(page: UiServer) -> None:
    by_name = names(page.search("refund", sort="name"))
    assert by_name == sorted(by_name, key=str.casefold)
    times = [one["modified"] for one in page.search("refund", sort="time")["files"]]
    assert times == sorted(times, reverse=True)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UiServer]:
    """A page over 300 documents of one file, the nearest, and 230 of as many; no name and no time is in the order of
    the numbers."""
    folder = tmp_path_factory.mktemp("many")
    with Index.open(folder / "i", TINY) as index:
        rows = [("refund", "rows.jsonl", 0)] * 300 + [
            (f"refund {'of all that was paid ' * (i % 7)}", f"{i * 97 % 230:03}.txt", i * 61 % 230) for i in range(230)
        ]
        index.add(
            {"id": f"{i}", "text": text, "payload": {"file": {"path": f"/f/{name}", "mtime_ns": 10**18 + time * 10**9}}}
            for i, (text, name, time) in enumerate(rows)
        )
    with UiServer("--index", "i", "--model", TINY, folder=folder, log=folder / "log") as running:
        yield running


@pytest.mark.parametrize("mode", ["meaning", "words", "both"])
@pytest.mark.parametrize("sort", ["time", "name"])
def test_pages_of_another_order_are_one_order_of_the_files_that_fit_best(many: UiServer, sort: str, mode: str) -> None:
    best: list[Any] = []
    for offset in (0, 100):
        best += many.search("refund", k=100, offset=offset, mode=mode)["files"]
    assert len({file["path"] for file in best}) == 200
    got: list[Any] = []
    more = True
    while more:
        part = many.search("refund", k=30, offset=len(got), mode=mode, sort=sort)
        got += part["files"]
        more = part["more"]
        assert part["of_best"] == 200
    assert {file["path"] for file in got} == {file["path"] for file in best}
    assert len(got) == 200
    if sort == "time":
        times = [file["modified"] for file in got]
        assert times == sorted(times, reverse=True)
    else:
        assert names({"files": got}) == sorted(names({"files": got}))
    assert many.search("refund", k=30, offset=200, mode=mode, sort=sort)["files"] == []


def test_where_all_files_are_put_in_order_none_is_left_out(page: UiServer) -> None:
    assert page.search("refund", sort="name")["of_best"] is None
    assert page.search("refund", k=1)["of_best"] is None


def test_exact_words_are_obeyed(page: UiServer, files: Path) -> None:
    assert page.api("state").json["modes"] == ["both", "meaning", "words"]
    found = page.search("refund", mode="words")
    assert (found["mode"], names(found)) == ("words", ["faq.jsonl"])
    assert found["took_ms"]["encode"] < found["took_ms"]["total"]
    matched = {
        passage["text"][slice(*match["text"])]
        for file in found["files"]
        for passage in file["passages"]
        for match in passage["matches"]
    }
    assert matched == {"refund"}
    assert names(page.search("refu", mode="words", typing=True)) == ["faq.jsonl"]
    assert names(page.search("refu", mode="words", typing=False)) == []
    assert names(page.search("r", mode="words", typing=True)) == []  # half of all words begin with a letter
    assert names(page.search('"3.7 million inhabitants"', mode="both")) == ["berlin.md"]
    assert names(page.search('"million 3.7"', mode="both")) == []
    assert "faq.jsonl" not in names(page.search("text -refund", mode="both", k=50))
    assert names(page.search("-refund", mode="both")) == []
    found = page.search("refund", mode="words", filters={"folders": [str(files / "notes")]})
    assert names(found) == []


def test_the_best_mode_is_taken_where_none_is_asked_for(page: UiServer) -> None:
    assert page.search("refund")["mode"] == "both"
    assert page.search("refund", mode=None)["mode"] == "both"


def test_nothing_is_found_for_nothing(page: UiServer) -> None:
    for query in ("", "  \n"):
        answer = page.search(query)
        assert (answer["files"], answer["more"], answer["query_words"]) == ([], False, [])
        assert answer["counts"]["kinds"]


def test_markup_is_text(page: UiServer) -> None:
    answer = page.search("<b>markup</b>", k=50)
    assert "<img src=x onerror=alert(1)>.txt" in names(answer)
    assert page.api("search", {"query": "<b>markup</b>"}).headers["content-type"] == "application/json"


def test_a_passage_in_its_context(page: UiServer, files: Path) -> None:
    text = (files / "notes/berlin.md").read_text(encoding="utf-8")
    start = text.index("3.7")
    asked = {"id": str(files / "notes/berlin.md"), "start": start, "end": start + 3, "around": 4}
    found = page.api("passage", asked).json
    assert found["text"] == text[start - 4 : start + 7]
    assert (found["text_start"], found["text_end"], found["whole_length"]) == (start - 4, start + 7, len(text))
    beyond = page.api("passage", asked | {"start": 10**9, "end": 10**9}).json
    assert beyond["text_end"] == len(text)
    assert page.api("passage", asked | {"id": "/etc/passwd"}).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": 1},
        {"query": "x", "k": 0},
        {"query": "x", "k": 201},
        {"query": "x", "offset": -1},
        {"query": "x", "sort": "size"},
        {"query": "x", "mode": "magic"},
        {"query": "x", "top_k": 1},
        {"query": "x", "filters": {"since": "yesterday"}},
        {"query": "x", "filters": {"folder": "x"}},
        {"query": "x" * 10_001},
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(page: UiServer, body: dict[str, Any]) -> None:
    answer = page.api("search", body)
    assert (answer.status, answer.json["code"]) == (422, "VALIDATION_ERROR")
    assert answer.json["detail"]


def test_a_question_too_long_is_refused_in_a_persons_words(page: UiServer) -> None:
    answer = page.api("search", {"query": "\U0001f426" * 10_001})  # characters, of whatever size
    assert (answer.status, answer.json["code"]) == (422, "VALIDATION_ERROR")
    assert answer.json["detail"] == "the question is 10,001 characters long, and 10,000 are the most; shorten it"
    assert page.api("search", {"query": "\U0001f426" * 10_000, "mode": "words"}).status == 200
