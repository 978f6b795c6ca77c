"""`colibri prune` says what became of the artefact, and refuses what it cannot do before any work."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from colibri.cli import group
from reference import ARTEFACTS


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "known.txt"
    path.write_text("the water\nthe bird", encoding="utf-8")
    return path


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(group, ["prune", *map(str, words)])
    return done.exit_code, done.output


def test_it_says_what_is_left_and_what_was_tried(corpus: Path, tmp_path: Path) -> None:
    judged = tmp_path / "set"
    judged.mkdir()
    (judged / "corpus.jsonl").write_text('{"_id": "a", "text": "the water"}\n{"_id": "b", "text": "bird"}')
    (judged / "queries.jsonl").write_text('{"_id": "1", "text": "the water"}')
    (judged / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta\t1\n")
    code, said = run(ARTEFACTS / "tiny-random-xlmr", tmp_path / "small", "--corpus", corpus, "--judge", judged)
    assert code == 0, said
    assert "small: 176 of 335 pieces" in said
    assert "2 of 2 texts are read as before, all have 0.00 % more tokens" in said
    assert "rows of 2 of them in every graph: equal to the bit" in said
    (line,) = [line for line in said.splitlines() if line.startswith("set: nDCG@10 ")]
    assert line.split(" ")[2].rstrip(",") == line.split(" ")[4].rstrip(",")


def test_usage_is_refused_before_any_work(corpus: Path, tmp_path: Path) -> None:
    source = ARTEFACTS / "tiny-random-xlmr"
    assert run(source, tmp_path / "out") == (
        1,
        "Error: nothing says which pieces to keep; wanted --languages, --corpus or --keep\n",
    )
    assert run(source, tmp_path / "out", "--corpus", tmp_path / "none.txt")[0] == 2
    assert run(source, tmp_path / "out", "--corpus", corpus, "--judge", tmp_path)[0] == 1
    code, said = run(source, tmp_path, "--corpus", corpus)
    assert (code, "exists already" in said) == (1, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["known.txt"]


def test_a_number_that_leaves_nothing_out_is_refused(corpus: Path, tmp_path: Path) -> None:
    source = ARTEFACTS / "tiny-random-xlmr"
    for keep in (335, 1_000_000):
        code, said = run(source, tmp_path / "out", "--keep", keep)
        assert (code, said) == (
            1,
            f"Error: --keep {keep}: the artefact has 335 pieces, so nothing would be left out; wanted fewer\n",
        )
    assert not (tmp_path / "out").exists()
    code, said = run(source, tmp_path / "out", "--keep", 1_000_000, "--corpus", corpus)  # so many at most
    assert (code, "out: 176 of 335 pieces" in said) == (0, True), said
    assert "nothing was left out" not in said


def test_a_copy_is_called_one(tmp_path: Path) -> None:
    source = ARTEFACTS / "tiny-random-xlmr"
    pieces = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    texts = tmp_path / "all.jsonl"
    texts.write_text("\n".join(json.dumps({"at first": piece, "within": f"Z{piece}"}) for piece, _ in pieces))
    code, said = run(source, tmp_path / "out", "--corpus", texts)
    assert (code, "out: 335 of 335 pieces" in said) == (0, True), said
    assert "nothing was left out: all pieces are needed" in said


@pytest.mark.skipif(find_spec("wordfreq") is None, reason="wordfreq (the extra [prune]) is not installed")
def test_a_language_is_taken_however_it_is_written(tmp_path: Path) -> None:
    source = ARTEFACTS / "tiny-random-xlmr"
    said = set()
    for given in ("en", "EN,en_us"):
        code, told = run(source, tmp_path / "out", "--languages", given, "--replace")
        assert code == 0, told
        said.add(told)
    assert len(said) == 1
    code, told = run(source, tmp_path / "none", "--languages", "en,zh-TW")
    assert (code, "wanted zh, or --corpus" in told) == (1, True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("replace", [(), ("--replace",)])
@pytest.mark.parametrize(
    ("out", "said"),
    [
        (".", "is the artefact that is to be pruned"),
        ("model", "is the artefact that is to be pruned"),
        ("model/small", "lies inside the artefact that is to be pruned"),
        ("model/a/b", "lies inside the artefact that is to be pruned"),
        ("link/small", "lies inside the artefact that is to be pruned"),
        ("", "the artefact that is to be pruned lies inside it"),
    ],
)
def test_what_is_pruned_is_never_written_into_or_replaced(
    out: str, said: str, replace: tuple[str, ...], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = tmp_path / "around"
    source = Path(shutil.copytree(ARTEFACTS / "tiny-random-xlmr", around / "model"))
    shutil.copy(source / "colibri.json", around)  # so that it would be taken for an artefact, and be replaced
    (around / "link").symlink_to("model", target_is_directory=True)
    monkeypatch.chdir(source)
    before = {path: path.read_bytes() for path in around.rglob("*") if path.is_file()}
    code, told = run(source, out if out == "." else around / out, "--corpus", corpus, *replace)
    assert (code, said in told) == (1, True), told
    assert {path: path.read_bytes() for path in around.rglob("*") if path.is_file()} == before
