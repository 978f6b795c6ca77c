"""Programs that PyInstaller froze: library and command, as one folder and as one file. `run.py test-frozen` runs it.

Two analyses make four programs (build.spec): the library's without numba, as one would ship them, the command's with.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import pdf_writer

pytest.importorskip("PyInstaller")

HERE = Path(__file__).parent
# The tests have scores from NumPy; a program decides for itself.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "COLIBRI_KERNEL"}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the four programs; COLIBRI_FROZEN names one that is there already."""
    if made := os.environ.get("COLIBRI_FROZEN"):
        return Path(made)
    scratch = tmp_path_factory.mktemp("frozen")
    words: list[str | Path] = [
        "--noconfirm",
        "--log-level",
        "ERROR",
        "--distpath",
        scratch / "dist",
        "--workpath",
        scratch / "work",
    ]
    command = [sys.executable, "-m", "PyInstaller", *words, HERE / "build.spec"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(scratch / "work")
    for path in sorted((scratch / "dist").iterdir()):
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        print(f"{path.name}: {sum(file.stat().st_size for file in files) / 1e6:.0f} MB")
    return scratch / "dist"


def program(dist: Path, name: str, form: str) -> str:
    return str(dist / (f"{name}-one" if form == "one file" else f"{name}/{name}"))


@pytest.mark.parametrize("form", ["one folder", "one file"])
def test_the_library_reads_ranks_and_keeps_an_index(dist: Path, form: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>Seven gulls are birds", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "Eight"}', encoding="utf-8")
    words = [program(dist, "library", form), str(tmp_path / "a.html"), str(tmp_path / "b.jsonl")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300, cwd="/", env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["frozen"] is True
    assert answer["read"] == ["Seven gulls are birds", "Eight"]
    assert answer["best"] == "Berlin has 3.7 million inhabitants."
    assert (answer["found"], answer["clean"]) == ("Seven gulls are birds", True)
    assert answer["matches"] > 0
    assert answer["synced"] == [2, 4]
    assert (answer["kernel"], answer["why"]) == ("numpy", "numba is not installed")


@pytest.mark.parametrize("form", ["one folder", "one file"])
def test_the_command_does_what_it_does_unfrozen(dist: Path, form: str, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        command = [program(dist, "command", form), *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path, env=ENVIRONMENT
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    ranked = run("rerank", "how many people live in Berlin?", "Bread is baked.", "Berlin has 3.7 million inhabitants.")
    assert "million inhabitants" in ranked.splitlines()[0]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "birds.html").write_text("<p>A colibri is a small bird.", encoding="utf-8")
    (tmp_path / "notes" / "page.pdf").write_bytes(pdf_writer.document(pdf_writer.lines("Twelve pelicans")))
    assert "2 files indexed" in run("index", "notes", "--into", "notes.index")
    assert "A colibri is a small bird" in run("search", "which bird is small?", "--index", "notes.index")
    assert "page.pdf" in run("search", "pelicans", "--index", "notes.index", "-k", "1")
    if form == "one file":
        return  # the rest is the same code, and each start unpacks it all
    report = json.loads(run("doctor", "--json"))
    assert "frozen by PyInstaller" in report["python"]
    assert report["problems"] == []
    assert report["would_run"]["variant"] == "cpu-int8"
    assert report["scoring"]["kernel"] != "numpy"
    assert all(version != "not installed" for version in report["packages"].values())
    assert {report["extras"][name]["state"] for name in ("cpu", "files", "server")} == {"installed"}
    assert "program frozen again" in report["extras"]["tensorrt"]["command"]
    assert "--keys-file" in run("serve", "--help")
    assert "colibri-mini" in run("models")  # a command by entry point
    assert run("warmup", "--kind", "int8").split()[1].rstrip(",") == report["scoring"]["kernel"]


def test_the_frozen_command_serves(dist: Path, tmp_path: Path) -> None:
    command = [program(dist, "command", "one folder"), "serve", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path
    ) as server:
        assert server.stdout is not None
        try:
            url = server.stdout.readline().partition(" ")[0]
            body = json.dumps({"model": "colibri-mini", "query": "a bird?", "documents": ["Bread.", "A bird sings."]})
            headers = {"Content-Type": "application/json"}
            request = urllib.request.Request(f"{url}/v1/rerank", body.encode(), headers)
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert json.load(answer)["results"][0]["index"] == 1
            server.send_signal(signal.SIGTERM)
            assert server.wait(60) == 0
        finally:
            server.kill()
