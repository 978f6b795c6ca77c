"""The model of the page: loaded for the first question, let go when nobody asks, loaded again for the next."""

import gc
import weakref
from pathlib import Path

import numpy as np

import colibri
from colibri.index import Index
from colibri.model import Colibri
from colibri.ui.questions import Questions
from reference import ARTEFACTS

BERT, XLMR = (str(ARTEFACTS / name) for name in ("tiny-random-bert", "tiny-random-xlmr"))


def test_the_model_comes_with_a_question_and_goes_with_rest(tmp_path: Path) -> None:
    loaded: list[weakref.ref[Colibri]] = []
    now = [0.0]

    def load(name: str) -> Colibri:
        model = colibri.load(name)
        loaded.append(weakref.ref(model))
        return model

    with Index.open(tmp_path / "i", BERT) as index:
        questions = Questions(index, load, rest_seconds=100, clock=lambda: now[0])
        assert not loaded
        first = questions("a bird").rows
        now[0] = 60
        assert np.array_equal(questions("a bird").rows, first)
        questions.let_go()  # 60 s after the first question, and none after the last
        assert len(loaded) == 1
        assert loaded[0]() is not None
        now[0] = 161
        questions.let_go()
        gc.collect()
        assert loaded[0]() is None
        assert np.array_equal(questions("a bird").rows, first)
        assert len(loaded) == 2
        questions.close()


def test_an_index_made_anew_is_asked_with_its_new_model(tmp_path: Path) -> None:
    with Index.open(tmp_path / "i", BERT) as index:
        index.add([{"id": "a", "text": "A bird sings."}])
        questions = Questions(index, colibri.load)
        assert len(index.search(questions("bird"))) == 1
        with Index.open(tmp_path / "new", XLMR) as other:
            other.add([{"id": "a", "text": "A bird sings."}, {"id": "b", "text": "A boat."}])
        assert index.take_over(tmp_path / "new", index.commits())
        index.count()
        assert len(index.search(questions("bird"))) == 2
        questions.close()
