"""Token offsets as they are stored: any come back, in a byte a token or half of one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import colibri
from colibri import StoreDamaged, TokenVectors
from colibri.index import RowKind
from colibri.index.storage.token_spans import all_unpacked, packed, unpacked

KINDS: tuple[RowKind, ...] = ("int8", "int4")
ANY = st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), max_size=30)
USUAL = st.lists(st.tuples(st.integers(-5, 18), st.integers(0, 18), st.booleans()), max_size=30)


def of_text(steps: list[tuple[int, int, bool]]) -> list[tuple[int, int]]:
    """Spans from gaps and lengths; of a token that stands for no text (0, 0)."""
    found, end = [], 0
    for gap, length, none in steps:
        if none:
            found.append((0, 0))
        else:
            start = max(0, end + gap)
            end = start + length
            found.append((start, end))
    return found


def nibbles(spans: list[tuple[int, int]]) -> list[int]:
    """What stands for offsets beside int4 rows, four bits after four bits, by the definition in plain loops."""
    found, reach = [], 0
    for start, end in spans:
        gap, length = start - reach, end - start
        if (start, end) == (0, 0):
            found.append(13)
            continue
        reach = end
        if gap == 0 and 1 <= length <= 5:
            found.append(length - 1)
        elif gap == 1 and 1 <= length <= 8:
            found.append(4 + length)
        elif -3 <= gap <= 12 and 0 <= length <= 15:
            found += [14, gap + 3, length]
        else:
            found.append(15)
            for number in (gap, length):
                for byte in number.to_bytes(4, "little", signed=True):
                    found += [byte % 16, byte // 16]
    return found


def spans_of(spans: list[tuple[int, int]]) -> np.ndarray:
    return np.array(spans, np.int32).reshape(-1, 2)


@pytest.mark.parametrize("kind", KINDS)
@given(spans=ANY | USUAL.map(of_text))
def test_any_spans_come_back(kind: RowKind, spans: list[tuple[int, int]]) -> None:
    data = packed(spans_of(spans), None, kind)
    found, more = unpacked(data, len(spans))
    assert more is None
    assert found is not None
    np.testing.assert_array_equal(found, spans_of(spans))
    if data and len(data) > 1:
        with pytest.raises(StoreDamaged):
            unpacked(data[:-1], len(spans))
        with pytest.raises(StoreDamaged):
            unpacked(data + b"\0", len(spans))
        with pytest.raises(StoreDamaged):
            unpacked(data, len(spans) + 2)
    assert packed(None, None, kind) is None
    assert unpacked(None, 3) == (None, None)


@given(USUAL.map(of_text) | ANY)
def test_beside_int4_rows_they_are_the_definitions(spans: list[tuple[int, int]]) -> None:
    data = packed(spans_of(spans), None, "int4")
    assert data is not None
    assert data[0] == 0xFF
    found = [four for byte in data[1:] for four in (byte % 16, byte // 16)]
    wanted = nibbles(spans)
    assert found[: len(wanted)] == wanted
    assert found[len(wanted) :] in ([], [0])


@given(ANY | USUAL.map(of_text))
def test_beside_int8_rows_nothing_begins_as_those_do(spans: list[tuple[int, int]]) -> None:
    data = packed(spans_of(spans), None, "int8")
    assert data is not None
    assert data[:1] != b"\xff"


@pytest.mark.parametrize("kind", KINDS)
@given(spans=ANY.filter(len) | USUAL.filter(len).map(of_text), data=st.data())
def test_any_further_spans_come_back(kind: RowKind, spans: list[tuple[int, int]], data: st.DataObject) -> None:
    place = st.tuples(st.integers(0, len(spans) - 1), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
    listed = sorted(data.draw(st.lists(place, min_size=1, max_size=20)))
    kept = packed(spans_of(spans), np.array(listed, np.int32), kind)
    found, more = unpacked(kept, len(spans))
    assert found is not None
    assert more is not None
    assert (found.tolist(), sorted(map(tuple, more.tolist()))) == (spans_of(spans).tolist(), listed)
    assert (np.diff(more[:, 0]) >= 0).all()
    assert kept is not None
    for wrong in (kept[:-1], kept + b"\0"):
        with pytest.raises(StoreDamaged):
            unpacked(wrong, len(spans))
    for tokens in (len(spans) - 1, len(spans) + 1):
        with pytest.raises(StoreDamaged):
            unpacked(kept, tokens)


@given(st.binary(max_size=40), st.integers(0, 9))
def test_any_bytes_are_spans_or_refused(data: bytes, tokens: int) -> None:
    for each in (data, b"\xf2" + data, b"\xff" + data):
        try:
            spans, more = unpacked(each, tokens)
        except StoreDamaged:
            continue
        assert spans is not None
        assert spans.shape == (tokens, 2)
        assert more is None or ((more[:, 0] >= 0) & (more[:, 0] < tokens)).all()


@pytest.mark.parametrize(("kind", "most"), [("int8", 2.3), ("int4", 1.8)])
def test_places_of_pooled_tokens_take_two_bytes_or_less(kind: RowKind, most: float, mini_spans: TokenVectors) -> None:
    found = mini_spans.pooled(2)
    assert found.spans is not None
    assert found.more_spans is not None
    data = packed(found.spans, found.more_spans, kind)
    assert data is not None
    assert len(data) <= most * (len(found.spans) + len(found.more_spans)) + 2


def test_spans_of_a_text_take_a_byte_a_token_or_six_tenths(mini_spans: TokenVectors) -> None:
    assert mini_spans.spans is not None
    for kind, most in zip(KINDS, (1.1, 0.6), strict=True):
        data = packed(mini_spans.spans, None, kind)
        assert data is not None
        assert len(data) <= most * len(mini_spans.spans)


@pytest.fixture(scope="module")
def mini_spans() -> TokenVectors:
    parts = [f"Part {i}. The bird number {i} sings, and nobody knows why." for i in range(40)]
    return colibri.load().encode_documents(["\n\n".join(parts)])


@given(
    several=st.lists(
        st.tuples(st.sampled_from(KINDS), st.one_of(st.none(), ANY, USUAL.map(of_text)), st.booleans()), max_size=8
    )
)
def test_many_at_once_are_what_each_is_alone(
    several: list[tuple[RowKind, list[tuple[int, int]] | None, bool]],
) -> None:
    passages = []
    for kind, spans, pooled in several:
        rows = None if spans is None else spans_of(spans)
        beside = np.array([[0, 3, 5]], np.int32) if pooled and spans else None
        passages.append((packed(rows, beside, kind), 0 if spans is None else len(spans)))
    found = all_unpacked(passages)
    assert len(found) == len(passages)
    for (own, further), (data, tokens) in zip(found, passages, strict=True):
        alone, further_alone = unpacked(data, tokens)
        assert (own is None, further is None) == (alone is None, further_alone is None)
        if own is not None:
            assert own.dtype == np.int32
            np.testing.assert_array_equal(own, alone)
        if further is not None:
            np.testing.assert_array_equal(further, further_alone)


def test_damage_among_many_is_found() -> None:
    whole = packed(spans_of([(0, 3), (4, 9)]))
    assert whole is not None
    for damaged in (whole[:-1], whole + b"\x13", b"\xf0" + whole, b""):
        with pytest.raises(StoreDamaged, match="token offsets"):
            all_unpacked([(whole, 2), (damaged, 2), (whole, 2)])
