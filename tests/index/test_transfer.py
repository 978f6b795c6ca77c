"""An index goes out as plain files and comes back the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colibri import Document, Index, InputError, StoreDamaged, TokenVectors
from colibri.index.upkeep import transfer
from store_contract import DIM, SPACE, document, rows


@pytest.fixture
def full(store: Index) -> Index:
    spans = np.array([[0, 2], [3, 5], [0, 0]], np.int32)
    book = TokenVectors.from_arrays([rows(seed, 2) for seed in range(5)])
    store.add(
        [
            *(document(seed, text=f"text {seed}") for seed in range(20)),
            Document(id="spans", text="ab cd", vectors=TokenVectors(rows(3), np.array([0, 3]), spans=spans)),
            Document(id="book\x00\ue000", vectors=book),
            document(70, text="\ud800 lone", payload=None),
        ]
    )
    store.delete(["d3", "d4"])
    return store


def contents(index: Index) -> list[Any]:
    return [
        (s.id, s.text, s.payload, s.passages, s.vectors and (s.vectors.rows.tolist(), s.vectors.starts.tolist()))
        for s in index.documents(vectors=True)
    ]


@pytest.mark.parametrize("file_tokens", [5, 1 << 20])
def test_out_and_back(full: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_tokens: int) -> None:
    monkeypatch.setattr(transfer, "_FILE_TOKENS", file_tokens)
    assert full.export(tmp_path / "out") == 21
    with Index.open(tmp_path / "back", dim=DIM, space_id=SPACE) as back:
        assert back.import_(tmp_path / "out") == 21
        assert contents(back) == contents(full)
        assert back.search(rows(1), k=30) == full.search(rows(1), k=30)
        assert back.verify().clean
        with pytest.raises(InputError, match="is there already"):
            back.import_(tmp_path / "out")
        assert back.import_(tmp_path / "out", replace=True) == 21
        assert back.count() == 21


def test_any_reader_of_safetensors_and_json_has_it(full: Index, tmp_path: Path) -> None:
    full.export(tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / "documents.jsonl").read_text("utf-8").splitlines()]
    vectors = TokenVectors.load(tmp_path / "out" / "vectors-000001.safetensors")
    assert sum(len(line["passages"]) for line in lines) == len(vectors)
    place = next(i for i, line in enumerate(lines) if line["id"] == "d7")
    np.testing.assert_allclose(vectors.dequantize()[place], np.asarray(document(7).vectors), atol=0.5 / 127)


def test_an_empty_index_goes_out(store: Index, tmp_path: Path) -> None:
    assert store.export(tmp_path / "out") == 0
    assert store.import_(tmp_path / "out") == 0


def test_nothing_is_overwritten(full: Index, tmp_path: Path) -> None:
    full.export(tmp_path / "out")
    with pytest.raises(InputError, match="is there already"):
        full.export(tmp_path / "out")


def test_damage_is_not_exported(full: Index, place: Path, tmp_path: Path) -> None:
    with (place / "segments" / "000001.rows").open("r+b") as file:
        file.write(b"\x7f")
    with Index.open(place) as index, pytest.raises(StoreDamaged):
        index.export(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob("*.partial")) + list(tmp_path.glob(".*.partial"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda out: (out / "index.json").unlink(),
        lambda out: (out / "index.json").write_text("[]", "utf-8"),
        lambda out: (out / "documents.jsonl").unlink(),
        lambda out: (out / "documents.jsonl").write_text("{}\n", "utf-8"),
        lambda out: (out / "documents.jsonl").open("a", encoding="utf-8").write("{}\n"),
        lambda out: (out / "vectors-000001.safetensors").write_bytes(b"x"),
        lambda out: (out / "vectors-000001.safetensors").unlink(),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_broken_exports_are_refused_and_add_nothing(
    full: Index, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    full.export(tmp_path / "out")
    damage(tmp_path / "out")
    with Index.open(tmp_path / "back", dim=DIM, space_id=SPACE) as back:
        with pytest.raises(InputError):
            back.import_(tmp_path / "out")
        assert back.count() == 0


def test_another_space_is_refused(full: Index, tmp_path: Path) -> None:
    full.export(tmp_path / "out")
    with Index.open(tmp_path / "back", dim=DIM, space_id="another") as back, pytest.raises(InputError, match="space"):
        back.import_(tmp_path / "out")
