"""Documents get other ids, and keep their rows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri import Index, InputError
from store_contract import DIM, SPACE, document, rows

NAMES = [f"d{i}" for i in range(6)]


def keep(_: str, payload: dict[str, object] | None) -> dict[str, object] | None:
    return payload


def held(index: Index) -> dict[str, int]:
    return {stored.id: (stored.payload or {})["n"] for stored in index.documents(vectors=True)}


def test_names_are_swapped_in_a_ring_and_rows_stay(store: Index) -> None:
    store.add([document(i, text=f"text {i}") for i in range(4)])
    ring = {"d0": "d1", "d1": "d2", "d2": "d0"}
    assert store.rename(ring, keep) == 3
    assert held(store) == {"d0": 2, "d1": 0, "d2": 1, "d3": 3}
    (hit,) = store.search(rows(2, 3), k=1)
    assert (hit.id, hit.text) == ("d0", "text 2")
    assert store.verify().clean


def test_a_document_under_the_new_id_is_replaced_and_payloads_change(store: Index) -> None:
    store.add([document(i) for i in range(3)])
    assert store.rename({"d0": "d2", "absent": "x"}, lambda old, payload: {"was": old, **(payload or {})}) == 1
    assert held(store) == {"d1": 1, "d2": 0}
    assert store.get("d2")[0].payload == {"was": "d0", "n": 0}  # type: ignore[union-attr]
    assert store.verify().clean


def test_two_of_one_new_id_and_what_no_id_can_be_are_refused_and_nothing_changes(store: Index) -> None:
    store.add([document(i) for i in range(3)])
    for names in ({"d0": "x", "d1": "x"}, {"d0": ""}, {"d0": "\ud800"}):
        with pytest.raises(InputError):
            store.rename(names, keep)
    with pytest.raises(InputError):
        store.rename({"d0": "y", "d1": "z"}, lambda old, _: {"n": float("nan")} if old == "d1" else {})
    assert held(store) == {"d0": 0, "d1": 1, "d2": 2}


@given(
    made=st.sets(st.sampled_from(NAMES)),
    names=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(
        lambda names: len(set(names.values())) == len(names)
    ),
)
def test_renaming_is_a_dicts(made: set[str], names: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    with Index.open(tmp_path_factory.mktemp("renamed") / "index", dim=DIM, space_id=SPACE) as store:
        store.add([document(int(name[1:])) for name in sorted(made)])
        moved = {old: new for old, new in names.items() if old in made}
        wanted = {name: int(name[1:]) for name in made if name not in moved and name not in moved.values()}
        wanted |= {new: int(old[1:]) for old, new in moved.items()}
        assert store.rename(names, keep) == len(moved)
        assert held(store) == wanted
        assert store.verify().clean


def test_a_note_stays_with_the_folder(store: Index, place: Path, tmp_path: Path) -> None:
    assert store.note("folders") is None
    store.set_note("folders", lambda before: {"before": before, "ü": [1, None]})
    store.add([document(1)])
    with Index.open(place, create=False) as other:
        assert other.note("folders") == {"before": None, "ü": [1, None]}
        other.set_note("folders", lambda before: [before["ü"]])
        assert other.verify().clean
    assert store.note("folders") == [[1, None]]
    store.repair()
    assert store.note("folders") == [[1, None]]
    store.export(tmp_path / "out")
    with Index.open(tmp_path / "copy", dim=DIM, space_id=SPACE) as copy:
        copy.import_(tmp_path / "out")
        assert copy.note("folders") is None
    store.set_note("folders", lambda _: None)
    assert store.note("folders") is None


def test_a_damaged_note_is_found_dropped_and_costs_nothing_else(store: Index) -> None:
    store.add([document(1)])
    store.set_note("a", lambda _: 1)
    store.set_note("b", lambda _: 2)
    with store._core.writing() as transaction:
        transaction.connection.execute("UPDATE meta SET value = '3' WHERE name = 'note.a'")
    assert not store.verify().clean
    store.repair()
    assert store.verify().clean
    assert (store.note("a"), store.note("b")) == (None, 2)
    assert held(store) == {"d1": 1}
