"""Without the extras: what is missing is named, and nothing is made."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from colibri import InputError, MissingExtra, StoreError
from colibri.stores import QdrantEdgeStore, QdrantStore


def test_qdrant_store_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    client: Any = object()
    with pytest.raises(MissingExtra, match=r"colibri-edge\[qdrant\].*: pip install "):
        QdrantStore(client, "docs", space_id="", dims=8)


@pytest.mark.skipif(find_spec("qdrant_edge") is not None, reason="qdrant-edge-py is here")
def test_edge_names_its_extra_and_leaves_no_store(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(MissingExtra, match=r"colibri-edge\[qdrant-edge\].*: pip install "):
            QdrantEdgeStore(tmp_path / "edge", space_id="", dims=8)
    assert not list((tmp_path / "edge").glob("*"))


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        ({"space_id": "mine"}, InputError, "wants their width"),
        ({"space_id": "mine", "dims": "64"}, InputError, "a width or a list"),
        ({"space_id": "mine", "dims": 6.4}, InputError, "a width or a list"),
        ({"space_id": "mine", "dims": True}, InputError, "whole numbers from 1"),
        ({"space_id": "mine", "dims": []}, InputError, "one width or several"),
        ({"space_id": "mine", "dims": 0}, InputError, "whole numbers from 1"),
        ({"space_id": "mine", "dims": [8, 8]}, InputError, "several different ones"),
        ({"space_id": "mine", "dims": 8, "model": "colibri-mini"}, InputError, "either a model or space_id"),
        ({"model": "colibri-mini", "dims": 100}, InputError, "has heads for"),
        ({"space_id": "mine", "dims": 8, "datatype": "uint8"}, InputError, "float32"),
        ({"space_id": "mine", "dims": 8, "create": False}, StoreError, "no store of Qdrant Edge"),
    ],
)
def test_what_cannot_be_opened_is_refused_before_a_process_starts(
    tmp_path: Path, words: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        QdrantEdgeStore(tmp_path / "edge", **words)
    assert not (tmp_path / "edge").exists()
