"""What the README and `encode_documents` say of texts without rows of their own."""

import numpy as np
import pytest

from colibri import Colibri

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


def test_an_empty_query_ranks_without_an_error(mini: Colibri) -> None:
    ranked = mini.rerank("", [ANSWER, "", "Bread is baked."])
    assert len(ranked) == 3
    assert all(np.isfinite(result.score) for result in ranked)
