"""TokenVectors on disk: read back whole or not at all."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from colibri.errors import ArtefactError
from colibri.vectors import TokenVectors
from reference import read_safetensors

DTYPES = ("float32", "float16", "int8", "uint8")


def random_arrays(lengths: list[int], dim: int, dtype: str) -> list[NDArray[Any]]:
    rng = np.random.default_rng([*lengths, dim])
    low, high = {"int8": (-127, 127), "uint8": (0, 255)}.get(dtype, (-1, 1))
    return [rng.uniform(low, high, (length, dim)).astype(dtype) for length in lengths]


def filled(dtype: str = "float32") -> TokenVectors:
    """Three texts of 2, 0 and 3 rows with every optional part; an odd number of bytes where rows are int8."""
    packed = TokenVectors.from_arrays(random_arrays([2, 0, 3], 7, dtype))
    spans = np.arange(10, dtype=np.int32).reshape(5, 2)
    return TokenVectors(packed.rows, packed.starts, spans, np.linspace(0, 1, 5, dtype=np.float32), "some-space")


def assert_same(found: TokenVectors, wanted: TokenVectors) -> None:
    for name in ("rows", "starts", "spans", "weights"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert ours.dtype == theirs.dtype
            assert np.array_equal(ours, theirs)
    assert found.space_id == wanted.space_id


ragged = st.tuples(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 9), st.sampled_from(DTYPES))


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_saved_is_loaded(dtype: str, mmap: bool, tmp_path: Path) -> None:
    for vectors in (filled(dtype), TokenVectors.from_arrays(random_arrays([1], 3, dtype))):
        vectors.save(tmp_path / "vectors")
        assert_same(TokenVectors.load(tmp_path / "vectors", mmap=mmap), vectors)
    assert [path.name for path in tmp_path.iterdir()] == ["vectors"]


@given(case=ragged, mmap=st.booleans())
def test_anything_saved_is_loaded(case: tuple[list[int], int, str], mmap: bool, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "any-vectors"
    vectors = TokenVectors.from_arrays(random_arrays(*case), space_id="ß\n")
    vectors.save(str(path))
    assert_same(TokenVectors.load(str(path), mmap=mmap), vectors)


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_loaded_arrays_are_aligned_for_kernels(dtype: str, mmap: bool, tmp_path: Path) -> None:
    filled(dtype).save(tmp_path / "vectors")
    loaded = TokenVectors.load(tmp_path / "vectors", mmap=mmap)
    assert loaded.spans is not None
    assert loaded.weights is not None
    for array in (loaded.rows, loaded.starts, loaded.spans, loaded.weights):
        assert array.flags.aligned
        assert array.flags.c_contiguous


def test_a_memory_map_cannot_be_written_to(tmp_path: Path) -> None:
    filled().save(tmp_path / "vectors")
    loaded = TokenVectors.load(tmp_path / "vectors", mmap=True)
    with pytest.raises(ValueError, match="read-only"):
        loaded.rows[0, 0] = 1


def test_the_file_is_one_that_any_safetensors_reader_opens(tmp_path: Path) -> None:
    vectors = TokenVectors.from_arrays(random_arrays([2, 3], 7, "float32"))
    vectors.save(tmp_path / "vectors")
    tensors = read_safetensors(tmp_path / "vectors")
    assert np.array_equal(tensors["rows"], vectors.rows)
    assert np.array_equal(tensors["starts"], vectors.starts)


def test_slices_and_big_endian_rows_are_saved_as_what_they_mean(tmp_path: Path) -> None:
    wide = np.arange(40, dtype=np.float32).reshape(10, 4)
    vectors = TokenVectors(wide[::2, 1:3].astype(">f4"), np.array([0, 5]))
    vectors.save(tmp_path / "vectors")
    assert np.array_equal(TokenVectors.load(tmp_path / "vectors").rows, wide[::2, 1:3])


def test_saving_replaces_the_file_at_once_or_not_at_all(tmp_path: Path) -> None:
    filled().save(tmp_path / "vectors")
    mapped = TokenVectors.load(tmp_path / "vectors", mmap=True)
    TokenVectors.from_arrays([np.ones((9, 9), np.float32)]).save(tmp_path / "vectors")
    assert_same(mapped, filled())
    with pytest.raises(OSError, match="absent"):
        filled().save(tmp_path / "absent" / "vectors")


def test_a_link_stays_a_link_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "vectors")
    for _ in range(2):  # first there is nothing at its end
        filled().save(tmp_path / "link")
        assert (tmp_path / "link").is_symlink()
        assert_same(TokenVectors.load(tmp_path / "real" / "vectors"), filled())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """`--out /dev/null` as root must not make a file of the device."""
    os.mkfifo(tmp_path / "pipe")
    filled().save(tmp_path / "vectors")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        filled().save(tmp_path / "pipe")
        assert (tmp_path / "pipe").is_fifo()
        assert os.read(reader, 1 << 16) == (tmp_path / "vectors").read_bytes()
    finally:
        os.close(reader)


def test_threads_that_save_to_one_path_leave_one_whole_file(tmp_path: Path) -> None:
    versions = [TokenVectors.from_arrays([np.full((999, 64), i, np.float32)]) for i in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: versions[i % 8].save(tmp_path / "vectors"), range(80)))
    loaded = TokenVectors.load(tmp_path / "vectors")
    assert_same(loaded, versions[int(loaded.rows[0, 0])])
    assert [path.name for path in tmp_path.iterdir()] == ["vectors"]


@given(cut=st.integers(0, 2000))
def test_a_truncated_file_is_refused(cut: int, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "truncated-vectors"
    filled("int8").save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: cut % len(whole)])
    for mmap in (False, True):
        with pytest.raises(ArtefactError, match="truncated-vectors: cannot be read as token vectors"):
            TokenVectors.load(path, mmap=mmap)


def with_header(header: object) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(64)


def with_entry(dtype: str, shape: list[int], offsets: list[int]) -> bytes:
    metadata = {"format": "colibri-token-vectors-1", "space_id": ""}
    return with_header({"__metadata__": metadata, "rows": {"dtype": dtype, "shape": shape, "data_offsets": offsets}})


GARBAGE = {
    "nothing": b"",
    "zeros": bytes(100),
    "noise": bytes(range(256)) * 4,
    "a vast header": b"\xff" * 100,
    "nested brackets": (90_000).to_bytes(8, "little") + b"[" * 90_000,
    "a list": with_header([]),
    "no format": with_header({}),
    "other safetensors": with_header({"__metadata__": {"format": "pt"}}),
    "metadata that is no object": with_header({"__metadata__": 7}),
    "no arrays": with_header({"__metadata__": {"format": "colibri-token-vectors-1"}}),
    "no starts": with_entry("F32", [1, 1], [0, 4]),
    "an unknown dtype": with_entry("F8", [1, 1], [0, 4]),
    "offsets outside": with_entry("F32", [1, 9], [0, 999]),
    "offsets reversed": with_entry("F32", [1, 1], [8, 4]),
    "offsets missing": with_entry("F32", [1, 1], []),
    "another shape": with_entry("F32", [1, 9], [0, 4]),
    "half a number": with_entry("F32", [1, 1], [0, 3]),
}


@pytest.mark.parametrize("raw", GARBAGE.values(), ids=GARBAGE.keys())
def test_a_file_of_another_kind_is_refused(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "vectors").write_bytes(raw)
    for mmap in (False, True):
        with pytest.raises(ArtefactError, match="cannot be read as token vectors"):
            TokenVectors.load(tmp_path / "vectors", mmap=mmap)


def test_a_file_that_is_not_there_is_a_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        TokenVectors.load(tmp_path / "absent")
