"""Where the caller has imported torch: real tensors, his own MaxSim, shared memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import colibri
from colibri.compat import arrays
from colibri.compat.fastembed import LateInteractionTextEmbedding
from colibri.compat.pylate import models, rank, scores
from colibri.compat.rows import Rows
from colibri.compat.sentence_transformers import MultiVectorEncoder
from reference import ARTEFACTS

DOCUMENTS = ["Berlin has 3.7 million inhabitants.", "Bread is baked in an oven.", "A hummingbird beats its wings."]
QUERY = "how many people live in Berlin?"
NAMES = ["colibri-mini", str(ARTEFACTS / "tiny-random-bert")]


@pytest.fixture(autouse=True)
def auto() -> None:
    arrays("auto")


def own_maxsim(query: torch.Tensor, documents: list[torch.Tensor]) -> list[float]:
    """As a caller writes it."""
    padded = torch.nn.utils.rnn.pad_sequence(documents, batch_first=True)
    mask = ~(padded == 0).all(-1)
    similarities = torch.einsum("qd,ntd->nqt", query, padded).masked_fill(~mask[:, None], -1e4)
    found: list[float] = similarities.max(-1).values.sum(-1).tolist()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_multi_vector_encoder_gives_tensors_that_score_as_we_do(name: str) -> None:
    model = MultiVectorEncoder(name)
    queries, documents = model.encode_query([QUERY]), model.encode_document(DOCUMENTS)
    wanted = model.colibri.score(QUERY, DOCUMENTS)
    assert all(isinstance(rows, torch.Tensor) and rows.dtype == torch.float32 for rows in [*queries, *documents])
    assert own_maxsim(queries[0], documents) == pytest.approx(wanted, rel=1e-6)
    found = model.similarity(queries, documents)
    assert isinstance(found, torch.Tensor)
    assert found[0].numpy() == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_pylate_gives_tensors_that_score_as_we_do(name: str) -> None:
    model = models.ColBERT(name)
    query = model.encode(QUERY, convert_to_tensor=True)
    documents = model.encode(DOCUMENTS, is_query=False, convert_to_tensor=True)
    wanted = model.colibri.score(QUERY, DOCUMENTS)
    assert own_maxsim(query, documents) == pytest.approx(wanted, rel=1e-6)
    (ranked,) = rank.rerank([[0, 1, 2]], [query], [documents])
    assert sorted(hit["score"] for hit in ranked) == pytest.approx(sorted(wanted), rel=1e-6)
    found = scores.colbert_scores(query, documents)
    assert isinstance(found, torch.Tensor)
    assert isinstance(model.encode(QUERY), np.ndarray)
    half = scores.colbert_scores(query.to(torch.bfloat16), [rows.requires_grad_() for rows in documents])
    assert half[0].numpy() == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_fastembeds_rows_in_the_callers_torch(name: str) -> None:
    model = LateInteractionTextEmbedding(name)
    (query,) = model.query_embed(QUERY)
    documents = [torch.from_numpy(rows) for rows in model.embed(DOCUMENTS)]
    assert own_maxsim(torch.from_numpy(query), documents) == pytest.approx(
        model.colibri.score(QUERY, DOCUMENTS), rel=1e-6
    )


def test_rows_that_were_made_before_torch_came_go_into_it() -> None:
    rows = Rows(np.arange(6, dtype=np.float32).reshape(2, 3))
    for tensor in (torch.as_tensor(rows), torch.from_dlpack(rows)):
        assert tensor.data_ptr() == rows.numpy().ctypes.data
    assert torch.equal(torch.ones(2, 2) @ rows, torch.ones(2, 2) @ torch.as_tensor(rows))


def test_tensors_exactly_when_torch_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from colibri.compat.sentence_transformers import MultiVectorEncoder\n"
        "model = MultiVectorEncoder('colibri-mini')\n"
        "first = model.encode_query('bird')\n"
        "assert type(first).__name__ == 'Rows' and 'torch' not in sys.modules\n"
        "import torch\n"
        "again = model.encode_query('bird')\n"
        "assert isinstance(again, torch.Tensor) and torch.equal(again, torch.as_tensor(first))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_the_process_may_choose() -> None:
    model = MultiVectorEncoder("colibri-mini")
    arrays("numpy")
    try:
        assert isinstance(model.encode_query("bird"), np.ndarray)
    finally:
        arrays("auto")
    assert isinstance(MultiVectorEncoder("colibri-mini", arrays="torch").encode_query("bird"), torch.Tensor)
    assert colibri.load().name == "colibri-mini"
