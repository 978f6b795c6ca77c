"""nDCG@10 by its definition, and sets that are none."""

import json
import math
import random
from pathlib import Path

import pytest

from colibri.artefact import find
from colibri.errors import InputError
from colibri.model import Colibri
from colibri_export.prune.judging import mean_ndcg, ndcg, read_set
from reference import ARTEFACTS


def write_set(folder: Path, judgments: str, *, below: bool = False) -> Path:
    folder.mkdir()
    documents = [{"_id": "a", "title": "bird", "text": "flies"}, {"_id": "b", "text": "the water"}]
    queries = [{"_id": "1", "text": "the water"}, {"_id": "2", "text": "unjudged"}]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)), encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), encoding="utf-8")
    path = folder / "qrels" / "test.tsv" if below else folder / "qrels.tsv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("query-id\tcorpus-id\tscore\n" + judgments, encoding="utf-8")
    return folder


@pytest.mark.parametrize("below", [True, False])
def test_a_set_is_read_without_queries_that_nothing_answers(below: bool, tmp_path: Path) -> None:
    found = read_set(write_set(tmp_path / "set", "1\tb\t1\n1\ta\t0\n2\ta\t0\n", below=below))
    assert found.documents == {"a": "bird flies", "b": "the water"}
    assert found.queries == [("the water", {"b": 1, "a": 0})]


@pytest.mark.parametrize("judgments", ["", "9\ta\t1\n", "1\ta\tmuch\n"])
def test_a_set_that_judges_nothing_is_refused(judgments: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_set(write_set(tmp_path / "set", judgments))


def test_a_folder_that_is_no_set_is_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", "1\tb\t1\n")
    (folder / "qrels.tsv").unlink()
    with pytest.raises(InputError, match=r"no qrels.tsv, nor qrels/test.tsv"):
        read_set(folder)
    (folder / "corpus.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="is no set in BEIR's layout"):
        read_set(folder)


def test_ndcg_is_what_its_definition_says() -> None:
    rng = random.Random(1)
    for _ in range(50):
        names = [str(i) for i in range(15)]
        gains = {name: rng.choice([0, 0, 1, 2]) for name in names} | {"0": 1}
        rng.shuffle(names)
        got = sum(gains[name] / math.log2(place + 2) for place, name in enumerate(names[:10]))
        ideal = sorted(gains.values(), reverse=True)[:10]
        best = sum(gain / math.log2(place + 2) for place, gain in enumerate(ideal))
        assert ndcg(names[:10], gains) == pytest.approx(got / best)
    assert ndcg(["x", "a"], {"a": 1}) == pytest.approx(1 / math.log2(3))


@pytest.mark.parametrize("judged", ["a", "b"])
def test_a_model_ranks_the_set(judged: str, tmp_path: Path) -> None:
    found = read_set(write_set(tmp_path / "set", f"1\t{judged}\t1\n"))
    source = find(ARTEFACTS / "tiny-random-xlmr")
    ranked = Colibri(source).rerank("the water", list(found.documents.values()))
    place = [list(found.documents)[one.index] for one in ranked].index(judged)
    assert mean_ndcg(source, found) == pytest.approx(1 / math.log2(place + 2))
