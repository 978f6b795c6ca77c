"""Documents as points' payloads, and back."""

import json
import uuid
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri import Document
from colibri.errors import StoreDamaged
from colibri.stores.points import Found, payloads, point_id, restored, token_spans
from colibri.vectors import Span

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)
ANY_TEXT = st.text(st.characters(), max_size=40)  # lone surrogates too


def found(payload: dict[str, Any]) -> Found:
    return Found("x", 0.0, json.loads(json.dumps(payload)))


@given(text=st.one_of(st.none(), ANY_TEXT), payload=st.one_of(st.none(), st.dictionaries(ANY_TEXT, JSON, max_size=4)))
def test_text_and_payload_come_back_and_any_server_reads_them(text: str | None, payload: dict[str, Any] | None) -> None:
    document = Document(id="d", text=text, payload=payload)
    spans = [Span(0, len(text or "") // 2), Span(len(text or "") // 2, len(text or ""))]
    first, second = payloads(document, spans, [None, None], "space", keep_text=True)
    assert restored(found(first)) == (text, payload)
    for one in (first, second):
        json.dumps(one, ensure_ascii=False).encode()
        numbers = [value for value in walk(one) if isinstance(value, int) and not isinstance(value, bool)]
        assert all(-(1 << 63) <= number < 1 << 63 for number in numbers)
    assert "document" not in second["_colibri"]
    assert restored(found(payloads(document, spans, [None, None], "", keep_text=False)[0])) == (None, payload)


def walk(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [one for inner in value.values() for one in walk(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in walk(inner)]
    return [value]


def test_the_users_fields_lie_at_top_level_and_ours_under_one() -> None:
    document = Document(id="d", text="eins zwei", payload={"lang": "de", "n": [1]})
    first, second = payloads(document, [Span(0, 4), Span(5, 9)], [None, None], "s" * 64, keep_text=True)
    assert {name: first[name] for name in first if name != "_colibri"} == {"lang": "de", "n": [1]}
    assert first["_colibri"]["text"] == "eins"
    assert first["_colibri"]["document"] == "eins zwei"
    assert (second["_colibri"]["passage"], second["_colibri"]["of"], second["_colibri"]["text"]) == (1, 2, "zwei")
    assert first["_colibri"]["space"] == "s" * 16


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), min_size=1, max_size=50))
def test_tokens_characters_come_back(pairs: list[tuple[int, int]]) -> None:
    given_spans = np.array(pairs, np.int32)
    (payload,) = payloads(Document(id="d"), [Span(0, 0)], [given_spans], "", keep_text=True)
    back = token_spans(found(payload), len(pairs))
    assert back is not None
    assert (back == given_spans).all()
    with pytest.raises(StoreDamaged):
        token_spans(found(payload), len(pairs) + 1)


@pytest.mark.parametrize("packed", ["", "no base64!", "AAAA", 7])
def test_offsets_that_are_none_are_told(packed: Any) -> None:
    with pytest.raises(StoreDamaged, match="'d'"):
        token_spans(found({"_colibri": {"id": "d", "spans": packed}}), 3)


def test_ids_of_points_are_uuids_that_never_change() -> None:
    assert point_id("d1", 0) == "6d29af19-d4fe-5248-8afc-b0a2603c28f0"
    assert uuid.UUID(point_id("x\ud800", 5)).version == 5
    assert len({point_id("a", 0), point_id("a", 1), point_id("a0", 0), point_id('a", 0', 0)}) == 4
