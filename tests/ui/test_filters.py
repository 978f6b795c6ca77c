"""Filters and their counts, beside plain loops over the same files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colibri.index import Index
from colibri.server import Problem
from colibri.ui.filters import counts, where_of
from colibri.ui.held import Held, held_by
from colibri.ui.messages import Filters
from rounds import rounds

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
DAYS = (0, 3, 20, 100, 400, 4000)
PATHS = ["/d/a.md", "/d/sub/b.pdf", "/d/sub/deep/c.md", "/d/sub-not/d.md", "/d/süd/é.md", "/e/f.html", "/e/g#1.jsonl"]
PATHS += ["/d/" + chr(0x10FFFF) + ".md", "/e/%_\\.md"]
KINDS = {".md": "text 1", ".pdf": "PDF 2", ".html": "zip 1, HTML 3", ".jsonl": "JSON lines 1"}
TONGUES = ("de", "de-AT", "en", "und", None)


def documents() -> list[dict[str, Any]]:
    """Files of every kind, language and age, one with two documents, and two documents of no file."""
    found: list[dict[str, Any]] = []
    for number, path in enumerate(PATHS):
        age = timedelta(days=DAYS[number % len(DAYS)], hours=1)
        file: dict[str, Any] = {"path": path, "root": path[:2], "sha256": "0"}
        file["reader"] = KINDS["." + path.rpartition(".")[2]]
        file |= {"mtime_ns": int((NOW - age).timestamp()) * 10**9, "language": TONGUES[number % len(TONGUES)]}
        file = {name: value for name, value in file.items() if value is not None}
        found.append({"id": path, "payload": {"file": file}})
        if path.endswith("jsonl"):
            found.append({"id": f"{path}#2", "payload": {"file": file}})
    found += [{"id": "note", "payload": {"lang": "x"}}, {"id": "odd", "payload": {"file": "not a mapping"}}]
    rows = np.eye(8, dtype=np.float32)[:1]
    return [one | {"vectors": rows} for one in found]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of vectors alone: nothing is encoded."""
    with Index.open(tmp_path_factory.mktemp("filters") / "i", dim=8, space_id="") as opened:
        opened.add(documents())
        yield opened


@pytest.fixture(scope="module")
def held(index: Index) -> Held:
    """What is counted."""
    return held_by(index, 1)


def keeps(document: dict[str, Any], filters: Filters, without: str = "") -> bool:
    """The definition. without: a filter that does not count."""
    file = document["payload"].get("file")
    file = file if isinstance(file, dict) else {}
    path, said = file.get("path"), file.get("language")
    kind = "no file" if path is None else file["reader"].split(", ")[-1].rpartition(" ")[0]
    language = "unknown" if said in {None, "und"} else said.partition("-")[0]
    inside = path is not None and any(path == one or path.startswith(one.rstrip("/") + "/") for one in filters.folders)
    if filters.folders and without != "folders" and not inside:
        return False
    if filters.kinds and without != "kinds" and kind not in filters.kinds:
        return False
    if filters.languages and without != "languages" and language not in filters.languages:
        return False
    if without != "times":
        changed = file.get("mtime_ns")
        for bound, sign in ((filters.since, 1), (filters.until, -1)):
            if bound is not None:
                limit = int(datetime.fromisoformat(bound).timestamp()) * 10**9
                if changed is None or (changed - limit) * sign < 0:
                    return False
    return True


def files_of(kept: list[dict[str, Any]]) -> set[str]:
    return {one["id"].partition("#2")[0] if one["id"].endswith("#2") else one["id"] for one in kept}


times = st.none() | st.sampled_from([(NOW - timedelta(days=days)).isoformat() for days in (0, 1, 10, 365, 9999)])
some = st.builds(
    Filters,
    folders=st.lists(st.sampled_from(["/d", "/d/", "/d/sub", "/e", "/", "/no", "/d/a.md", "/e/%_\\.md"]), max_size=2),
    kinds=st.lists(st.sampled_from(["text", "PDF", "HTML", "JSON lines", "no file", "magic"]), max_size=2),
    since=times,
    until=times,
    languages=st.lists(st.sampled_from(["de", "en", "unknown", "xx"]), max_size=2),
)


@given(some)
@settings(max_examples=rounds(quick=30, soak=150), deadline=None)
def test_a_filter_keeps_what_it_says(index: Index, held: Held, filters: Filters) -> None:
    where = where_of(filters, held)
    kept = [one for one in documents() if keeps(one, filters)]
    assert {found_id for found_id, _ in index.payloads(where)} == {one["id"] for one in kept}


@given(some)
@settings(max_examples=rounds(quick=30, soak=150), deadline=None)
def test_counts_are_what_a_choice_would_keep(held: Held, filters: Filters) -> None:
    found = counts(held, filters, NOW)
    every = documents()
    for name, listed in (("kinds", found.kinds), ("languages", found.languages)):
        for one in listed:
            chosen = Filters(**{field: getattr(filters, field) for field in filters.__struct_fields__})
            setattr(chosen, name, [one.value])
            kept = [document for document in every if keeps(document, chosen)]
            assert one.count == len(files_of(kept)), (name, one.value)
    base = [document for document in every if keeps(document, filters, "folders")]
    for one in found.folders:
        kept = [document for document in base if keeps(document, Filters(folders=[one.value]))]
        assert one.count == len(files_of(kept)), one.value
    dated = [document for document in every if keeps(document, filters, "times")]
    for one in found.times[:-1]:
        days = {"day": 1, "week": 7, "month": 30, "year": 365}[one.value]
        since = (NOW - timedelta(days=days)).isoformat()
        assert one.count == len(files_of([document for document in dated if keeps(document, Filters(since=since))]))


def test_folders_are_roots_and_what_lies_right_below(held: Held) -> None:
    assert [one.value for one in counts(held, Filters(), NOW).folders] == ["/d", "/d/sub", "/d/sub-not", "/d/süd", "/e"]
    below = counts(held, Filters(folders=["/d/sub"]), NOW).folders
    assert "/d/sub/deep" in {one.value for one in below}


def test_a_day_is_this_machines_and_includes_its_end(held: Held) -> None:
    where = where_of(Filters(since="2026-03-01", until="2026-03-01"), held)
    assert where is not None
    bounds = where["$and"][0]["file.mtime_ns"]
    begin = datetime(2026, 3, 1).timestamp()
    assert bounds == {"$gte": int(begin) * 10**9, "$lte": int(datetime(2026, 3, 2).timestamp()) * 10**9 - 1}


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "2026", "0000-01-01", "2026-02-30", "12:00", "2026-01-01T25:00"]
)
def test_what_is_no_time_is_refused(held: Held, text: str) -> None:
    for name in ("since", "until"):
        with pytest.raises(Problem) as refused:
            where_of(Filters(since=text) if name == "since" else Filters(until=text), held)
        assert refused.value.status == 422


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "1970-01-01", "0001-01-01T00:00:00+14:00"])
def test_the_ends_of_the_calendar_are_times(index: Index, held: Held, text: str) -> None:
    assert len(list(index.payloads(where_of(Filters(since=text), held)))) in {0, len(PATHS) + 1}


def test_ten_thousand_files_are_counted_and_paged(tmp_path: Path) -> None:
    rows = np.eye(8, dtype=np.float32)[:1]
    with Index.open(tmp_path / "i", dim=8, space_id="") as index:
        index.add(
            {
                "id": f"/f/{n:05}.txt",
                "payload": {"file": {"path": f"/f/{n:05}.txt", "reader": "text 1", "mtime_ns": n}},
                "vectors": rows,
            }
            for n in range(10_000)
        )
        held = held_by(index, 1)
        assert [(one.value, one.count) for one in counts(held, Filters(), NOW).kinds] == [("text", 10_000)]
        assert held.below("/f/00100.txt") == slice(100, 101)
