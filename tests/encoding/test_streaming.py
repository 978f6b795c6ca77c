"""Streams, stored forms, long documents, texts that fail, and asyncio."""

import asyncio
import itertools
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri.artefact import finding as artefact
from colibri.encoding.packing import Report, joined
from colibri.encoding.streamed_file import save_stream
from colibri.errors import InputError, InputTypeError, ProviderError
from colibri.model import Colibri
from colibri.tokens.tokenizer import TextTokenizer
from colibri.vectors import TokenVectors
from reference import ARTEFACTS
from rounds import rounds

TEXTS = ["the small bird", "", "water " * 90, "a\0b", "river " * 50, "Hello, World! 日本語 🐦"] * 70
Edit = Callable[[Callable[[dict[str, Any]], object]], Path]


def assert_same(found: TokenVectors, wanted: TokenVectors) -> None:
    assert found.rows.tobytes() == wanted.rows.tobytes()
    assert found.rows.dtype == wanted.rows.dtype
    assert found.starts.tolist() == wanted.starts.tolist()
    assert found.spans is not None
    assert wanted.spans is not None
    assert found.spans.tolist() == wanted.spans.tolist()
    assert found.space_id == wanted.space_id
    assert (found.scales is None) == (wanted.scales is None)
    if found.scales is not None and wanted.scales is not None:
        assert found.scales.tobytes() == wanted.scales.tobytes()


def test_chunks_end_to_end_are_what_encode_documents_gives(tiny_model: Colibri) -> None:
    chunks = list(tiny_model.stream_documents(iter(TEXTS), chunk_tokens=1_000))
    assert len(chunks) > 5
    assert all(1_000 <= len(chunk.rows) < 1_100 for chunk in chunks[:-1])
    assert [i for chunk in chunks for i in chunk.sources] == list(range(len(TEXTS)))  # type: ignore[union-attr]
    whole = tiny_model.encode_documents(TEXTS)
    assert whole.sources is None
    assert_same(joined(chunks), whole)


def test_a_stream_of_several_dims_gives_all_of_them_in_each_chunk(tiny_model: Colibri) -> None:
    dims = tiny_model.dims[:2]
    wanted = tiny_model.encode_documents(TEXTS[:50], dims)
    chunks = list(tiny_model.stream_documents(TEXTS[:50], dims, chunk_tokens=100))
    for dim in dims:
        assert_same(joined([chunk[dim] for chunk in chunks]), wanted[dim])


def test_no_texts_give_one_empty_chunk(tiny_model: Colibri) -> None:
    [chunk] = tiny_model.stream_documents(iter([]))
    assert (len(chunk), chunk.dim, str(chunk.rows.dtype)) == (0, tiny_model.dim, "float32")


def test_float16_is_float32_rounded(tiny_model: Colibri) -> None:
    for encode in (tiny_model.encode_documents, tiny_model.encode_queries):
        half, full = encode(TEXTS[:30], dtype="float16"), encode(TEXTS[:30])
        assert half.rows.dtype == np.float16
        assert half.rows.tobytes() == full.rows.astype(np.float16).tobytes()


def test_int8_is_float32_quantised(tiny_model: Colibri) -> None:
    for encode in (tiny_model.encode_documents, tiny_model.encode_queries):
        small, full = encode(TEXTS[:30], dtype="int8"), encode(TEXTS[:30])
        assert small.rows.dtype == np.int8
        assert small.scales is not None
        assert_same(small, full.quantize())


def test_a_stream_of_int8_chunks_is_the_whole_quantised_at_every_dim(tiny_model: Colibri) -> None:
    dims = tiny_model.dims[:2]
    chunks = list(tiny_model.stream_documents(TEXTS[:50], dims, chunk_tokens=100, dtype="int8"))
    assert len(chunks) > 2
    for dim, whole in tiny_model.encode_documents(TEXTS[:50], dims).items():
        assert_same(joined([chunk[dim] for chunk in chunks]), whole.quantize())
    [empty] = tiny_model.stream_documents(iter([]), dtype="int8")
    assert empty.scales is not None
    assert (str(empty.rows.dtype), empty.scales.shape) == ("int8", (0,))


def test_int8_windows_are_stored_in_one_file(model: Colibri, tmp_path: Path) -> None:
    path = tmp_path / "vectors.safetensors"
    save_stream(model.stream_documents(LONG, long_documents="windows", chunk_tokens=1, dtype="int8"), path)
    loaded = TokenVectors.load(path)
    assert_same(loaded, model.encode_documents(LONG, long_documents="windows").quantize())


_PEAK = """
import itertools, resource, sys
import colibri
model = colibri.load(sys.argv[1], workers=2)
tokens = 0
words = ("the small river bird", "water", "Hello, World!")
for vectors in model.stream_documents((f"{words[i % 3]} {i}" for i in range(int(sys.argv[2]))), chunk_tokens=4_000):
    tokens += len(vectors.rows)
print(tokens, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no module `resource`")
def test_memory_does_not_grow_with_the_number_of_documents() -> None:
    peaks, tokens = [], []
    for count in rounds((1_000, 10_000), (2_000, 20_000)):
        command = [sys.executable, "-c", _PEAK, str(ARTEFACTS / "tiny-random-bert"), str(count)]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        tokens.append(int(found[0]))
        peaks.append(int(found[1]) * (1 if sys.platform == "darwin" else 1024))
    assert tokens[1] > 9 * tokens[0]
    # Held whole, 9,000 more documents would take 12 MB of rows and as much for the rest.
    assert peaks[1] - peaks[0] < 8e6


LONG = ["the bird", "the small river bird " * 40, "water"]


def test_long_documents_are_cut_and_counted(model: Colibri) -> None:
    report = Report()
    vectors = model.encode_documents(LONG, report=report)
    assert (len(vectors), report.texts, report.truncated, report.split, report.failed) == (3, 3, 1, 0, {})
    assert report.tokens == 5 + 40 + 4


def test_long_documents_can_be_refused_before_they_are_run(model: Colibri) -> None:
    with pytest.raises(InputError, match=r"texts\[1\]: \d+ tokens more than the 40 that fit"):
        model.encode_documents(LONG, long_documents="error")


@given(count=st.integers(30, 200), overlap=st.integers(0, 35))
def test_windows_hold_every_token_and_share_what_was_asked(count: int, overlap: int, model: Colibri) -> None:
    text = " ".join(itertools.islice(itertools.cycle(["bird", "river", "water", "small"]), count))
    found = artefact.find(ARTEFACTS / "tiny-random-bert")
    rules, tokenizer = found.manifest.document, TextTokenizer(found)
    room = tokenizer.room(rules)
    [windows] = tokenizer.encode_windows([text], rules, overlap)
    pieces = [window.ids[2:-1].tolist() for window in windows]  # without start, marker and end
    places = [[tuple(span) for span in window.spans[2:-1].tolist()] for window in windows]
    words = [(at, at + len(word)) for word, at in _words(text)]
    assert places[0] == words[: len(places[0])]
    seen = len(places[0])
    for before, place in itertools.pairwise(places):
        assert place[:overlap] == before[len(before) - overlap :]
        assert place[overlap:] == words[seen : seen + len(place) - overlap]
        assert len(place) > overlap
        seen += len(place) - overlap
    assert seen == count
    assert all(len(piece) == room for piece in pieces[:-1])
    assert len(pieces[-1]) <= room


def _words(text: str) -> list[tuple[str, int]]:
    words, at = [], 0
    for word in text.split(" "):
        words.append((word, at))
        at += len(word) + 1
    return words


def test_windows_become_entries_that_know_their_text(model: Colibri) -> None:
    report = Report()
    vectors = model.encode_documents([*LONG, LONG[1]], long_documents="windows", overlap_tokens=5, report=report)
    assert vectors.sources is not None
    per_text = np.bincount(vectors.sources).tolist()
    assert per_text == [1, 5, 1, 5], "160 words, 37 in a window, 32 of them new"
    assert (np.diff(vectors.sources) >= 0).all()
    assert (report.texts, report.split, report.truncated) == (4, 2, 0)
    assert vectors.spans is not None
    spans = vectors.spans[vectors.starts[5] : vectors.starts[6]]
    assert LONG[1].rstrip().endswith(LONG[1][spans[-2][0] : spans[-2][1]])
    assert spans[:, 1].max() == len(LONG[1].rstrip())


def test_a_window_is_encoded_like_the_text_it_holds(model: Colibri) -> None:
    words = ["bird", "river", "water", "small"] * 20
    vectors = model.encode_documents([" ".join(words)], long_documents="windows", overlap_tokens=0)
    parts = [" ".join(words[first : first + 37]) for first in range(0, 80, 37)]
    assert [rows.tobytes() for rows in vectors] == [rows.tobytes() for rows in model.encode_documents(parts)]


def test_texts_that_fit_are_the_same_under_every_policy(tiny_model: Colibri) -> None:
    texts = [text for text in TEXTS[:12] if len(text) < 50]
    cut, windows, strict = (
        tiny_model.encode_documents(texts, long_documents=policy) for policy in ("truncate", "windows", "error")
    )
    assert windows.sources is None
    assert_same(windows, cut)
    assert_same(strict, cut)


@pytest.fixture
def breakable(edit: Edit) -> Colibri:
    """Its manifest promises more tokens than its graph has positions: texts over 64 tokens fail in onnxruntime."""

    def change(document: dict[str, Any]) -> None:
        document["document"]["max_tokens"] = 100
        document["architecture"]["max_positions"] = 100

    return colibri.load(edit(change), variant="cpu-fp32", workers=2)


def test_a_text_that_fails_is_named(breakable: Colibri) -> None:
    with pytest.raises(ProviderError, match=r"texts\[1\]: onnxruntime"):
        breakable.encode_documents(LONG)
    assert not [thread for thread in threading.enumerate() if thread.name == "colibri"]


def test_the_rest_is_delivered_on_request(breakable: Colibri, caplog: pytest.LogCaptureFixture) -> None:
    report = Report()
    vectors = breakable.encode_documents(LONG, on_error="skip", report=report)
    assert vectors.sources is not None
    assert vectors.sources.tolist() == [0, 2]
    assert list(report.failed) == [1]
    assert isinstance(report.failed[1], ProviderError)
    assert [rows.tobytes() for rows in vectors] == [
        rows.tobytes() for rows in breakable.encode_documents([LONG[0], LONG[2]])
    ]
    assert any(message.startswith("texts[1]: ") and "left out" in message for message in caplog.messages)


def test_what_is_no_string_can_be_left_out_as_well(model: Colibri, caplog: pytest.LogCaptureFixture) -> None:
    report = Report()
    with caplog.at_level(logging.ERROR):
        vectors = model.encode_documents(["bird", None, "water"], on_error="skip", report=report)  # type: ignore[call-overload]
    assert vectors.sources is not None
    assert vectors.sources.tolist() == [0, 2]
    assert isinstance(report.failed[1], InputTypeError)
    with pytest.raises(InputTypeError, match=r"texts\[301\]: found NoneType, wanted str"):
        list(model.stream_documents(iter(["bird"] * 301 + [None])))  # type: ignore[arg-type]


def test_all_texts_may_fail(model: Colibri) -> None:
    vectors = model.encode_documents(LONG[1:2], on_error="skip", long_documents="error")
    assert (len(vectors), vectors.rows.shape) == (0, (0, model.dim))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "float64"}, "dtype: found 'float64'"),
        ({"on_error": "ignore"}, "on_error: found 'ignore'"),
        ({"long_documents": "cut"}, "long_documents: found 'cut'"),
        ({"overlap_tokens": 37}, "overlap_tokens: found 37, wanted a whole number below the 37"),
        ({"overlap_tokens": -1}, "overlap_tokens: found -1"),
        ({"overlap_tokens": True}, "overlap_tokens: found True"),
        ({"report": {}}, "report: found dict"),
        ({"batch_size": 3}, "unknown option batch_size"),
    ],
)
def test_options_that_are_none_are_refused(options: dict[str, Any], message: str, model: Colibri) -> None:
    with pytest.raises(InputError, match=message):
        model.encode_documents(["bird"], **options)


@pytest.mark.parametrize("found", [0, -1, 1.5, True, "many", None])
def test_chunks_have_at_least_a_row(found: Any, model: Colibri) -> None:
    with pytest.raises(InputError, match="chunk_tokens"):
        model.stream_documents(["bird"], chunk_tokens=found)


@pytest.mark.parametrize("found", [0, -1, 1.5, True, "many"])
def test_there_is_at_least_one_worker(found: Any, bert: artefact.Artefact) -> None:
    with pytest.raises(InputError, match="workers"):
        colibri.load(bert.folder, workers=found)


def test_asyncio_gets_the_same_and_keeps_its_loop_free(tiny_model: Colibri) -> None:
    async def both() -> tuple[TokenVectors, TokenVectors, int]:
        turns = 0
        work = asyncio.gather(tiny_model.aencode_documents(TEXTS), tiny_model.aencode_queries(TEXTS[:9]))
        while not work.done():
            await asyncio.sleep(0)
            turns += 1
        return (*await work, turns)

    documents, queries, turns = asyncio.run(both())
    assert_same(documents, tiny_model.encode_documents(TEXTS))
    assert_same(queries, tiny_model.encode_queries(TEXTS[:9]))
    assert turns > 1


def test_a_cancelled_task_ends_its_work(tiny_model: Colibri) -> None:
    report = Report()

    async def cancel() -> None:
        task = asyncio.create_task(tiny_model.aencode_documents(TEXTS * 1_000, report=report))
        while not report.texts:
            await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancel())  # waits for the thread
    assert 0 < report.texts < len(TEXTS) * 1_000
    assert not [thread for thread in threading.enumerate() if thread.name == "colibri"]


def test_a_stream_becomes_one_file(tiny_model: Colibri, tmp_path: Path) -> None:
    path = tmp_path / "vectors.safetensors"
    save_stream(tiny_model.stream_documents(TEXTS, chunk_tokens=500), path)
    loaded, whole = TokenVectors.load(path), tiny_model.encode_documents(TEXTS)
    assert_same(loaded, whole)
    assert loaded.sources is None
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_file_keeps_whose_windows_they_are(model: Colibri, tmp_path: Path) -> None:
    path = tmp_path / "vectors.safetensors"
    save_stream(model.stream_documents(LONG, long_documents="windows", chunk_tokens=1), path)
    whole = model.encode_documents(LONG, long_documents="windows")
    loaded = TokenVectors.load(path)
    assert_same(loaded, whole)
    assert loaded.sources is not None
    assert whole.sources is not None
    assert loaded.sources.tolist() == whole.sources.tolist()


def test_a_stream_that_breaks_leaves_no_file(breakable: Colibri, tmp_path: Path) -> None:
    with pytest.raises(ProviderError):
        save_stream(breakable.stream_documents(LONG), tmp_path / "vectors.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny-random-bert"]


def test_the_command_streams_and_reports(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\n".join(LONG))
    words = ["--model", str(ARTEFACTS / "tiny-random-bert"), "--file", str(tmp_path / "texts.txt"), "--workers", "2"]
    command = [sys.executable, "-m", "colibri", "encode", *words]
    out = str(tmp_path / "out.safetensors")
    done = subprocess.run([*command, "--dtype", "float16", "--out", out], capture_output=True, text=True, check=True)
    assert "3 texts, 49 tokens, dim 48; 1 of 3 cut" in done.stderr
    assert TokenVectors.load(out).rows.dtype == np.float16
    done = subprocess.run([*command, "--long-documents", "windows"], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines] == [LONG[0].strip(), *[LONG[1]] * 5, LONG[2]]
    assert "1 of 3 became several windows" in done.stderr
    done = subprocess.run([*command, "--dtype", "int8"], capture_output=True, text=True, check=True)
    vectors = colibri.load(ARTEFACTS / "tiny-random-bert").encode_documents(LONG, dtype="int8")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["vectors"] for line in lines] == [rows.tolist() for rows in vectors]
    assert [scale for line in lines for scale in line["scales"]] == vectors.scales.tolist()  # type: ignore[union-attr]
    skipping = [*command, "--long-documents", "error", "--skip-errors", "--out", out]
    done = subprocess.run(skipping, capture_output=True, text=True, check=True)
    assert "1 of 3 failed and left out" in done.stderr
    assert TokenVectors.load(out).sources.tolist() == [0, 2]  # type: ignore[union-attr]
    done = subprocess.run([*command, "--long-documents", "error"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: texts[1]: ")
