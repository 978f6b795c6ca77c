"""jina-colbert-v2's ids, layouts and bytes, on a checkpoint of its exact layout with XLM-R's real vocabulary."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from tokenizers import Tokenizer

import colibri
from colibri.artefact import finding as artefacts
from colibri.model import Colibri
from colibri.tokens.tokenizer import Encoded, TextTokenizer
from colibri_export.pipeline import export
from colibri_export.roles import skiplist
from jina_layout import Sizes, header, tensor_shapes, write_checkpoint, write_weights
from reference import tokenizer_json

TINY = Sizes(layers=2, hidden=64, heads=4, intermediate=128)
START, END, MASK, QUERY, DOCUMENT = 0, 2, 250_001, 250_002, 250_003
HELLO, WORLD = 35_378, 6_661

# Computed once with XLM-R's vocabulary by the two rules; the second is that of PyLate and sentence-transformers.
STANFORD = [
    *(6, 15, 20, 44, 101, 152, 242, 248, 378, 468, 619, 661, 705, 711, 977, 997, 1374, 1388, 1745, 2203, 2819, 3650),
    *(4426, 6780, 9473, 10114, 10666, 13331, 51912),
]
PYLATE = [
    *(4, 5, 9, 12, 16, 25, 32, 38, 58, 64, 74, 132, 268, 454, 981, 1065, 1135, 1230, 1328, 1369, 1639, 2306, 2740),
    *(3949, 4369, 4904, 8152, 8353, 16093, 24854, 41872, 58745),
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jina")
    source = write_checkpoint(folder / "tiny-random-jina-colbert-v2", TINY)
    export(source, folder / "artefact", variant_names=["cpu-fp32"])
    return folder / "artefact"


@pytest.fixture(scope="module")
def model(exported: Path) -> Colibri:
    return colibri.load(exported)


@pytest.fixture(scope="module")
def encode(exported: Path) -> "Encode":
    return Encode(exported)


class Encode:
    """A text as the model sees it in a role."""

    def __init__(self, folder: Path) -> None:
        found = artefacts.find(str(folder))
        self._manifest, self._tokenizer = found.manifest, TextTokenizer(found)

    def query(self, text: str) -> Encoded:
        return self._tokenizer.encode([text], self._manifest.query)[0]

    def document(self, text: str) -> Encoded:
        return self._tokenizer.encode([text], self._manifest.document)[0]


def test_hello_world_has_the_published_ids_and_rows(model: Colibri, encode: Encode) -> None:
    tokenizer = model.manifest.tokenizer
    assert (tokenizer.start_ids, tokenizer.end_ids, tokenizer.unigram_file) == ((START,), (END,), "unigram.npz")
    query, document = encode.query("Hello World"), encode.document("Hello World")
    assert query.ids.tolist() == [START, QUERY, HELLO, WORLD, END, *[MASK] * 27]
    assert query.attended.all()
    assert document.ids.tolist() == [START, DOCUMENT, HELLO, WORLD, END]
    assert model.encode_queries(["Hello World"]).rows.shape == (32, 128)
    assert model.encode_documents(["Hello World"]).rows.shape == (5, 128)


def test_a_comma_and_a_full_stop_at_a_word_are_no_punctuation_of_the_official_rule(encode: Encode) -> None:
    document = encode.document("Hello, World.")
    assert document.ids.tolist() == [START, DOCUMENT, HELLO, 4, WORLD, 5, END]
    assert document.keep.all()
    apart = encode.document("Hello ! World .")
    assert apart.ids[apart.keep].tolist() == [START, DOCUMENT, HELLO, WORLD, 5, END], "'▁!' and the bare '▁' go"


def test_skiplists_are_the_listed_ids(exported: Path) -> None:
    vocabulary = Tokenizer.from_str(tokenizer_json(artefacts.find(exported)))
    assert list(skiplist("stanford", vocabulary).ids) == STANFORD
    assert list(skiplist("pylate", vocabulary).ids) == PYLATE
    assert not set(STANFORD) & set(PYLATE)


@pytest.mark.parametrize("tokens", [0, 1, 28, 29, 30, 31, 300])
def test_a_query_is_laid_out_in_32_tokens(model: Colibri, encode: Encode, tokens: int) -> None:
    text = " ".join(["Hello"] * tokens)
    found, fit = encode.query(text), min(tokens, 29)
    assert found.ids.tolist() == [START, QUERY, *[HELLO] * fit, END, *[MASK] * (29 - fit)]
    assert found.truncated == tokens - fit
    assert found.keep.all()
    assert found.attended.all()
    assert model.encode_queries([text]).rows.shape == (32, 128)


@pytest.mark.parametrize("tokens", [296, 297, 298, 5000])
def test_the_marker_never_takes_a_document_beyond_its_limit(model: Colibri, encode: Encode, tokens: int) -> None:
    text = " ".join(["Hello"] * tokens)
    found, fit = encode.document(text), min(tokens, 297)
    assert found.ids.tolist() == [START, DOCUMENT, *[HELLO] * fit, END]
    assert found.truncated == tokens - fit
    assert len(model.encode_documents([text]).rows) == fit + 3


def test_the_full_size_has_the_published_parameters_and_bytes() -> None:
    shapes = tensor_shapes(Sizes())
    parameters = sum(math.prod(shape) for shape in shapes.values())
    assert (len(shapes), parameters) == (295, 559_497_216)
    assert len(header(shapes)) == 33_456
    assert len(header(shapes)) + 2 * parameters == 1_119_027_888


def test_the_layout_is_read_back_by_the_safetensors_library(tmp_path: Path) -> None:
    sizes = Sizes(layers=1, hidden=16, heads=2, intermediate=8, dim=4)
    shapes = tensor_shapes(sizes)
    write_weights(tmp_path / "model.safetensors", sizes)
    with safe_open(tmp_path / "model.safetensors", "numpy") as file:
        assert {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()} == shapes  # noqa: SIM118
        assert {file.get_slice(name).get_dtype() for name in shapes} == {"BF16"}


def test_another_width_is_another_head_over_the_same_backbone(tmp_path: Path) -> None:
    tensors = []
    for dim in (8, 4):
        sizes = Sizes(layers=1, hidden=16, heads=2, intermediate=8, dim=dim)
        write_weights(tmp_path / "model.safetensors", sizes, seed=3)
        raw = (tmp_path / "model.safetensors").read_bytes()
        start = 8 + int.from_bytes(raw[:8], "little")
        entries = json.loads(raw[8:start])
        del entries["__metadata__"]
        places = {name: entry["data_offsets"] for name, entry in entries.items()}
        tensors.append({name: raw[start + first : start + end] for name, (first, end) in places.items()})
    wide, narrow = (found.pop("linear.weight") for found in tensors)
    assert tensors[0] == tensors[1]
    assert wide[: len(narrow)] != narrow
    drawn = np.frombuffer(tensors[0]["roberta.embeddings.word_embeddings.weight"], "<u2").astype("<u4") << 16
    assert 0.49 < drawn.view("<f4").std() < 0.51
