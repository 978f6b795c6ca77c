"""What results carry for frameworks: scores as `Colibri.rerank` and `Index.search` have them, spans as `highlights`."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri.compat.found import matched, reranked, shown
from colibri.compat.highlighting import highlighted
from colibri.errors import InputError, InputTypeError
from colibri.explain import Match, Span, highlights
from reference import ARTEFACTS

DOCUMENTS = ["Bread is baked in an oven.", "Berlin has 3.7 million inhabitants.", "A hummingbird beats its wings."]
QUERY = "how many people live in Berlin?"


def match(start: int, end: int, weight: float) -> Match:
    return Match(Span(0, 1), Span(start, end), weight, weight)


def test_a_span_has_what_its_tokens_add() -> None:
    text = "The unbelievable bird sang."
    found = [match(4, 6, 0.25), match(6, 9, 0.25), match(17, 21, 1.0), match(0, 3, -0.5), match(0, 0, 3.0)]
    assert matched(found, text) == [
        {"start": 4, "end": 16, "weight": 0.5, "strength": 0.5},
        {"start": 17, "end": 21, "weight": 1.0, "strength": 1.0},
    ]
    # A part of the text: counted from its beginning, what lies beyond it is left out.
    assert matched(found, text, 4, 16) == [{"start": 0, "end": 12, "weight": 0.5, "strength": 1.0}]
    assert matched(found, text, 22) == []
    assert matched([], text) == []
    # A token's span over two words, as pooled rows have them, is shared by them.
    assert [one["weight"] for one in matched([match(0, 16, 1.0)], text)] == [0.5, 0.5]


@given(
    st.text(max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.floats(-1, 1, width=32)), max_size=8),
    st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
def test_spans_are_those_of_highlights(text: str, spans: list[tuple[int, int, float]], part: tuple[int, int]) -> None:
    found = [match(s, e, w) for s, e, w in spans if s < e <= len(text)]
    whole = matched(found, text)
    assert [(one["start"], one["end"]) for one in whole] == highlights(found, text)
    assert all(0 < one["strength"] <= 1 for one in whole)
    assert max((one["strength"] for one in whole), default=1) == 1
    assert sum(one["weight"] for one in whole) <= sum(max(one.weight, 0) for one in found) + 1e-6
    start, end = min(*part, len(text)), min(max(part), len(text))
    for one in matched(found, text, start, end):
        assert 0 <= one["start"] < one["end"] <= end - start
    highlighted(text[start:end], matched(found, text, start, end))


@pytest.mark.parametrize("name", ["colibri-mini", str(ARTEFACTS / "tiny-random-bert")])
def test_reranked_is_rerank_with_spans(name: str) -> None:
    model = colibri.load(name)
    wanted = model.rerank(QUERY, DOCUMENTS)
    found = reranked(model, QUERY, DOCUMENTS)
    assert [(one.place, one.note["score"], one.note["fit"]) for one in found] == [
        (one.index, one.score, one.fit) for one in wanted
    ]
    weight = model.encode_queries([QUERY]).weight
    assert [one.note["normalised"] for one in found] == [one.score / weight for one in wanted]
    assert [one.place for one in reranked(model, QUERY, DOCUMENTS, 2)] == [one.index for one in wanted][:2]
    json.dumps(found)


def test_the_words_that_answer_are_marked(mini: colibri.Colibri) -> None:
    best = reranked(mini, QUERY, DOCUMENTS, 1)[0]
    text = DOCUMENTS[best.place]
    assert text[slice(*best.note["passage"].values())] == text[: len(text)]  # type: ignore[union-attr]
    assert "Berlin" in [text[one["start"] : one["end"]] for one in best.note["matches"]]
    assert ">Berlin</mark>" in highlighted(text, best.note["matches"])


def test_nothing_and_blanks(mini: colibri.Colibri) -> None:
    assert reranked(mini, QUERY, []) == []
    for one in reranked(mini, QUERY, ["", "  ", "🙂", "Berlin"]):
        json.dumps(one.note)
    assert reranked(mini, "", DOCUMENTS)[0].note["matches"] == []


@pytest.mark.parametrize(
    ("texts", "k", "kind"), [("Berlin", None, InputTypeError), ([3], None, InputTypeError), ([], 0, InputError)]
)
def test_bad_input_is_refused(texts: list[str], k: int | None, kind: type[Exception], mini: colibri.Colibri) -> None:
    with pytest.raises(kind):
        reranked(mini, QUERY, texts, k)


LONG = " ".join(f"Paragraph {n} is about bread, ovens and flour, at length and in detail.\n\n" for n in range(12))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, mini: colibri.Colibri) -> colibri.Index:
    made = colibri.Index.open(tmp_path_factory.mktemp("index"), mini)
    made.add([{"id": str(i), "text": text} for i, text in enumerate(DOCUMENTS)])
    made.add(
        [{"id": "long", "text": LONG + "Berlin has 3.7 million inhabitants. " + LONG}],
        passage_tokens=64,
        overlap_tokens=8,
    )
    made.add([{"id": "textless", "text": "Berlin is a city."}], keep_text=False)
    return made


def test_a_hit_shows_its_best_passage_or_all(index: colibri.Index) -> None:
    hits = {hit.id: hit for hit in index.search(QUERY, k=10, explain=True) if hit.text is not None}
    for hit in hits.values():
        best = hit.passages[0]
        part, whole = shown(hit), shown(hit, "document")
        assert (part.text, whole.text) == (best.text, hit.text)
        assert part.note["passage"] == whole.note["passage"] == {"start": best.start, "end": best.end}
        assert (part.note["score"], part.note["normalised"], part.note["fit"]) == (hit.score, hit.normalised, hit.fit)
        assert [(one["start"], one["end"]) for one in whole.note["matches"]] == hit.highlights()
        words = [part.text[one["start"] : one["end"]] for one in part.note["matches"]]
        assert words == [whole.text[one["start"] : one["end"]] for one in whole.note["matches"]]
        json.dumps(part.note)
    long = shown(hits["long"])
    assert len(long.text) < len(LONG) / 2
    assert ">Berlin</mark> has" in highlighted(*long[:1], long.note["matches"])


def test_what_cannot_be_shown_is_said(index: colibri.Index) -> None:
    textless = next(hit for hit in index.search(QUERY, k=10, explain=True) if hit.text is None)
    with pytest.raises(InputError, match="'textless': its text is not kept in the index"):
        shown(textless)


def test_words_about_a_document_match_nothing_in_it() -> None:
    nowhere = colibri.Hit("a", 1.0, 0.5, "Some text.", None, ())
    assert shown(nowhere) == (
        "Some text.",
        {"score": 1.0, "normalised": 0.5, "fit": None, "passage": None, "matches": []},
    )
