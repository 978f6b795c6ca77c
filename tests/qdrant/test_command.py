"""`colibri qdrant` against a scripted server that behaves: put, search, show."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from colibri import Index, StoreError, StoreUnfinished
from colibri.cli import group
from colibri.model import Colibri
from colibri.stores import QdrantStore
from scripted_server import ScriptedServer

TEXTS = {
    "berlin": "Berlin has 3.7 million inhabitants.",
    "bread": "Bread is baked from flour, water and salt.",
    "train": "The train to Hamburg leaves at noon.",
}


@pytest.fixture
def index(tmp_path: Path, mini: Colibri) -> Path:
    folder = tmp_path / "notes.index"
    with Index.open(folder, mini) as opened:
        long = " ".join(f"{text} " * 20 for text in TEXTS.values())
        made: list[dict[str, Any]] = [{"id": name, "text": text, "payload": {"n": 1}} for name, text in TEXTS.items()]
        opened.add([*made, {"id": "long", "text": long, "payload": None}])
    return folder


def run(server: ScriptedServer, *words: str, key: str = "") -> Result:
    given = ["--url", server.url, "--collection", "notes"]
    environment = {"QDRANT_API_KEY": key} if key else {}
    return CliRunner().invoke(group, ["qdrant", words[0], *given, *words[1:]], env=environment)


def test_an_index_is_sent_as_it_is_and_a_second_time_only_what_changed(
    scripted: ScriptedServer, index: Path, mini: Colibri
) -> None:
    done = run(scripted, "put", str(index))
    assert done.exit_code == 0, done.output
    assert "4 documents sent, 0 unchanged; notes holds 4 documents" in done.stdout
    assert "0 documents sent, 4 unchanged" in run(scripted, "put", str(index)).stdout
    with Index.open(index, mini) as opened:
        opened.upsert([{"id": "bread", "text": "Bread of rye.", "payload": {"n": 2}}])
        opened.add([{"id": "new", "text": "New."}])
        told = json.loads(run(scripted, "put", str(index), "--json").stdout)
        assert told == {"put": 2, "same": 3, "documents": 5, "collection": "notes"}
        store = QdrantStore(scripted.local, "notes")
        for name in ("berlin", "bread", "long", "new"):
            (here,), (there,) = opened.get(name, vectors=True), store.get(name, vectors=True)
            assert here is not None
            assert there is not None
            assert (here.text, here.payload, here.passages) == (there.text, there.payload, there.passages)
            assert here.vectors is not None
            assert there.vectors is not None
            assert there.vectors.rows == pytest.approx(here.vectors.dequantize().rows)
            assert (there.vectors.spans == here.vectors.spans).all()  # type: ignore[union-attr]
        query = mini.encode_queries(["how many people live in Berlin?"], opened.dim)
        ours, theirs = opened.search(query, explain=True), store.search(query, explain=True)
        assert [hit.id for hit in ours] == [hit.id for hit in theirs]
        assert [hit.score for hit in ours] == pytest.approx([hit.score for hit in theirs], abs=0.01)  # int8 queries
        assert [m.document for m in ours[0].passages[0].matches] == [m.document for m in theirs[0].passages[0].matches]


def test_an_interrupted_put_goes_on(scripted: ScriptedServer, index: Path, mini: Colibri) -> None:
    with Index.open(index, mini) as opened:
        store = QdrantStore(scripted.local, "notes", model=mini, batch_bytes=20_000)
        engine = store._engine
        whole, calls = engine.put, [0]

        def put(points: Any) -> None:
            calls[0] += 1
            if calls[0] == 2:
                raise StoreError("the server ended")
            whole(points)

        engine.put = put  # type: ignore[method-assign]
        with pytest.raises(StoreUnfinished):
            store.move(opened)
        there = store.count()
        assert 0 < there < 4
        moved = store.move(opened)
        assert (moved.put + moved.same, moved.same) == (4, there)
        assert store.count() == 4


def test_another_models_index_is_refused(scripted: ScriptedServer, index: Path, tmp_path: Path) -> None:
    QdrantStore(scripted.local, "notes", space_id="other", dims=64)
    done = run(scripted, "put", str(index))
    assert done.exit_code == 1
    assert "do not compare" in done.stderr
    with Index.open(tmp_path / "own", space_id="mine", dim=8) as own:
        own.add([{"id": "a", "vectors": [[1.0] * 8]}])
    done = run(scripted, "put", str(tmp_path / "own"))
    assert done.exit_code == 1
    assert "not 'mine'" in done.stderr


def test_searching(scripted: ScriptedServer, index: Path) -> None:
    run(scripted, "put", str(index))
    done = run(scripted, "search", "how many people live in Berlin?", "-k", "2", "--where", "n=1")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("1. ")
    assert "berlin" in done.stdout.splitlines()[0]
    told = json.loads(run(scripted, "search", "bread", "-k", "1", "--json", "--where", "n=1").stdout)
    assert [hit["id"] for hit in told["results"]] == ["bread"]
    words = ["how", "many", "inhabitants", "does", "Berlin", "have?"]

    def shown(*more: str) -> int:
        return sum(line[1:3] == ". " for line in run(scripted, "search", *words, *more).stdout.splitlines())

    fits = [hit["fit"] for hit in json.loads(run(scripted, "search", *words, "--json").stdout)["results"]]
    assert (len(fits), fits[0]) == (4, "likely")
    assert shown("--all") == 4
    assert 0 < shown() == 4 - fits.count("unlikely") < 4  # strangers are left out
    assert shown("--min", "likely") == fits.count("likely")
    done = run(scripted, "search", "quantum", "chromodynamics", "--min", "likely")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "nothing fits well (--min likely)" in done.stderr
    assert json.loads(run(scripted, "search", "quantum", "--json", "--min", "0.99").stdout)["results"] == []
    done = run(scripted, "search", "bread", "--screen", "32")
    assert done.exit_code == 1
    assert "screen" in done.stderr


def test_the_calls_that_it_shows_run_and_do_the_same(
    scripted: ScriptedServer, index: Path, mini: Colibri, capsys: pytest.CaptureFixture[str]
) -> None:
    run(scripted, "put", str(index))
    done = run(scripted, "show")
    assert done.exit_code == 0, done.output
    assert "documents    4" in done.stderr
    for layout in ("one", "two"):
        if layout == "two":
            QdrantStore(scripted.local, "two", model=mini, dims=[128, 64])
            words = ["qdrant", "show", "--url", scripted.url, "--collection", "two"]
            done = CliRunner().invoke(group, words)
        program = done.stdout.replace(f"QdrantClient(url={scripted.url!r})", 'QdrantClient(":memory:")')
        exec(program, {"__name__": "shown"})
        first = capsys.readouterr().out.splitlines()[0]
        assert first.endswith("Berlin has 3.7 million inhabitants.")
    assert "prefetch=models.Prefetch(" in program
    told = json.loads(run(scripted, "show", "--json").stdout)
    assert told["vectors"] == {"colibri-64": 64}
    assert told["model"] == "colibri-mini"


@pytest.mark.parametrize(
    ("url", "message"),
    [("localhost:6333", "wanted http"), ("http://user:pass@x", "QDRANT_API_KEY"), ("ftp://x", "wanted http")],
)
def test_urls_that_are_none(url: str, message: str) -> None:
    done = CliRunner().invoke(group, ["qdrant", "show", "--url", url, "--collection", "x"])
    assert done.exit_code == 1
    assert message in done.stderr
    assert "pass@" not in done.output


def test_a_server_that_is_not_there_and_a_collection_that_is_not(scripted: ScriptedServer) -> None:
    done = run(scripted, "search", "x")
    assert (done.exit_code, "no such collection" in done.stderr) == (1, True)


def test_a_key_is_sent_and_never_shown(scripted: ScriptedServer, index: Path) -> None:
    with pytest.warns(UserWarning, match="insecure"):
        done = run(scripted, "put", str(index), key="s3cret-key")
    assert done.exit_code == 0
    assert {headers.get("api-key") for headers in scripted.headers} == {"s3cret-key"}
    scripted.script = lambda method, path: "403"
    with pytest.warns(UserWarning, match="insecure"):
        refused = run(scripted, "show", key="s3cret-key")
    assert refused.exit_code == 1
    assert "403" in refused.stderr
    assert "s3cret" not in done.output + refused.output
