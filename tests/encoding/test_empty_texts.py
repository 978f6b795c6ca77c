"""What the README and `encode_documents` say of texts without rows of their own."""

from pathlib import Path

import numpy as np
import pytest

from colibri import Colibri, Index

QUESTION = "how many people live in Berlin?"
ANSWER = "Berlin has 3.7 million inhabitants."


@pytest.mark.parametrize("empty", ["", " ", "\n\t \u3000", "\ufeff", "\u200b"])
def test_an_empty_document_has_one_row_and_scores_below_the_answer(mini: Colibri, empty: str) -> None:
    vectors = mini.encode_documents([empty, ANSWER])
    assert len(vectors[0]) == 1
    assert vectors.spans is not None
    assert vectors.spans[0].tolist() == [0, 0]
    empty_score, answer_score = mini.score(QUESTION, vectors)
    assert 0 < empty_score < answer_score


def test_all_empty_documents_score_alike(mini: Colibri) -> None:
    scores = mini.score(QUESTION, ["", "  ", "\n"])
    assert np.unique(scores).size == 1


@pytest.mark.parametrize("empty", ["", " ", "\n\t \u3000"])
def test_an_empty_query_gets_nothing_ranked_as_it_finds_nothing(mini: Colibri, tmp_path: Path, empty: str) -> None:
    """Its markers alone score an empty text best, and would call it likely."""
    with Index.open(tmp_path / "index", mini) as index:
        index.add([{"id": "a", "text": ANSWER}])
        assert index.search(empty) == []
    assert mini.rerank(empty, [ANSWER, "", "Bread is baked."]) == []
    assert np.isfinite(mini.score(empty, [ANSWER, ""])).all()
