"""The `colibri` command as a user meets it: output, exit codes, wrong inputs, interruption."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import colibri
from colibri.cli import extras as doctors_extras
from colibri.cli import group, options
from colibri.machine import install_command, physical_cores
from colibri.providers import ORDER, hardware

TINY = str(Path(__file__).parents[1] / "artefacts" / "tiny-random-xlmr")
QUESTION = "how many people live in Berlin?"
DOCUMENTS = ["Bread is baked.", "Berlin has 3.7 million inhabitants.", "A volcano sleeps under the ice."]


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(group, list(arguments), input=stdin)


def command(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "colibri", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_rerank_prints_the_best_document_first() -> None:
    done = command("rerank", QUESTION, *DOCUMENTS)
    assert done.returncode == 0, done.stderr
    scores, texts = zip(*(line.strip().split("  ", 1) for line in done.stdout.splitlines()), strict=True)
    assert texts[0] == DOCUMENTS[1]
    assert [float(score) for score in scores] == sorted(map(float, scores), reverse=True)
    assert done.stderr == ""


def test_json_holds_what_the_library_says() -> None:
    done = run("rerank", QUESTION, *DOCUMENTS, "--model", TINY, "--dim", "16", "--top-n", "2", "--json")
    answer = json.loads(done.stdout)
    ranked = colibri.load(TINY, dim=16).rerank(QUESTION, DOCUMENTS, top_n=2)
    assert answer["dim"] == 16
    assert answer["query"] == QUESTION
    assert answer["results"] == [{"index": r.index, "score": r.score, "document": r.document} for r in ranked]


@pytest.mark.parametrize("how", ["file", "stdin", "dash"])
def test_documents_come_one_a_line_without_blank_lines(how: str, tmp_path: Path) -> None:
    text = "\ufeff" + "\n\n".join(DOCUMENTS) + "\n  \n"
    (tmp_path / "texts").write_text(text, encoding="utf-8")
    where = {"file": ["--file", str(tmp_path / "texts")], "stdin": ["--file", "-"], "dash": ["-"]}[how]
    done = run("rerank", "x", *where, "--model", TINY, "--json", stdin=text.encode())
    assert sorted(r["document"] for r in json.loads(done.stdout)["results"]) == sorted(DOCUMENTS)


@pytest.mark.parametrize(
    ("documents", "more", "workers"),
    [([*DOCUMENTS], [], 1), (["bird " * 500], [], physical_cores()), ([*DOCUMENTS], ["--workers", "3"], 3)],
)
def test_a_few_short_documents_have_one_session(documents: list[str], more: list[str], workers: int) -> None:
    done = run("rerank", QUESTION, *documents, "--model", TINY, *more)
    assert done.exit_code == 0, done.output
    assert options._KEPT[-1]._encoder.workers == workers


ROWS = [
    {"id": "bread", "text": "bread and\nsalt", "payload": {"lang": "en"}},
    {"text": "a bird"},
    {"id": "haus", "text": "ein Haus", "payload": None},
]


@pytest.mark.parametrize("how", ["file", "stdin", "dash"])
def test_rerank_takes_lines_of_json_with_id_and_payload(tmp_path: Path, how: str) -> None:
    lines = "\n".join(json.dumps(row) for row in ROWS).encode() + b"\n\n"
    (tmp_path / "rows.jsonl").write_bytes(lines)
    words = {"file": ["--file", str(tmp_path / "rows.jsonl")], "stdin": ["--file", "-"], "dash": ["-"]}[how]
    done = run("rerank", "bread", *words, "--model", TINY, "--json", "-k", "3", stdin=lines)
    assert done.exit_code == 0, done.stderr
    results = {one["index"]: one for one in json.loads(done.stdout)["results"]}
    scores = {i: results[i].pop("score") for i in results}
    assert results == {
        0: {"index": 0, "document": "bread and\nsalt", "id": "bread", "payload": {"lang": "en"}},
        1: {"index": 1, "document": "a bird"},
        2: {"index": 2, "document": "ein Haus", "id": "haus"},
    }
    shown = run("rerank", "bread", *words, "--model", TINY, stdin=lines).stdout.splitlines()
    assert len(shown) == 3
    assert f"{scores[0]:7.3f}  bread  bread and salt" in shown
    assert f"{scores[1]:7.3f}  a bird" in shown


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"text": "x"}', "{"], "document 2: not JSON"),
        (['{"text": "x"}', "[1]"], "document 2: found list, wanted an object with a text"),
        (['{"text": "x", "title": "y"}'], "document 1: unknown field title; there is id, text, payload"),
        (['{"text": "x", "id": 5}'], "document 1: id is 5, wanted a string"),
        (['{"text": "x", "payload": "y"}'], 'document 1: payload is "y", wanted an object'),
        (['{"text": "x"}', '{"id": "a"}'], "document 2: text is null, wanted a string"),
        (['{"text": "x", "payload": {"a": NaN}}'], "document 1: not JSON"),
        (['{"text": "x", "payload": {"a": [-1e999]}}'], "document 1: not JSON"),
    ],
)
def test_a_line_of_json_that_is_no_document_is_named(lines: list[str], said: str) -> None:
    done = run("rerank", "x", "-", "--model", TINY, stdin="\n".join(lines).encode())
    assert (done.exit_code, f"stdin: {said}" in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("line", ['{"level": "info"}', "{x}", '["text"]', '{"text": 5}'])
def test_lines_that_only_look_like_json_are_texts(line: str) -> None:
    done = run("rerank", "x", "-", "--model", TINY, "--json", stdin=f"{line}\nb".encode())
    assert {one["document"] for one in json.loads(done.stdout)["results"]} == {line, "b"}


@pytest.mark.parametrize("how", [["rerank", "x"], ["encode"]])
def test_lines_end_where_lines_end_and_nowhere_else(how: list[str], tmp_path: Path) -> None:
    within = "\x0b \x0c \x1c \x1d \x1e \x85 \u2028 \u2029"
    texts = [f"{mark} of {within} four" for mark in ("one", "two", "three", "four")]
    (tmp_path / "texts").write_bytes("{}\n{}\r\n{}\r{}".format(*texts).encode())
    done = run(*how, "--file", str(tmp_path / "texts"), "--model", TINY, *(["--json"] if how[0] == "rerank" else []))
    answers = [json.loads(line) for line in done.stdout.split("\n") if line]
    if how[0] == "rerank":
        assert sorted(one["document"] for one in answers[0]["results"]) == sorted(texts)
    else:
        assert [one["text"] for one in answers] == texts


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["rerank", "x"], 1, "no texts"),
        (["rerank", "x", "doc", "--file", "-"], 1, "not both"),
        (["rerank", "x", "--file", "no-such-file"], 1, "no-such-file: cannot be read"),
        (["rerank", "x", "--file", "-"], 1, "stdin: holds no text"),
        (["rerank", "x", "doc", "--dim", "17"], 1, "48, 32, 16"),
        (["rerank", "x", "doc", "--variant", "gpu"], 1, "cpu-int8, cpu-fp32, portable"),
        (["rerank", "x", "doc", "--top-n", "0"], 2, "--top-n"),
        (["rerank"], 2, "QUERY"),
        (["encode", "x", "--as", "poem"], 2, "poem"),
        (["encode", "x", "--out", "no-such-folder/x.safetensors"], 1, "its folder does not exist"),
        (["no-such-command"], 2, "no-such-command"),
    ],
)
def test_wrong_use_is_explained(arguments: list[str], code: int, message: str) -> None:
    model = ["--model", TINY] if code == 1 else []
    done = run(*arguments, *model, stdin="")
    assert done.exit_code == code
    assert message in done.stderr
    assert done.stdout == ""


def test_an_unknown_model_is_named_with_what_there_is() -> None:
    done = run("rerank", "x", "doc", "--model", "nothing-here")
    assert done.exit_code == 1
    assert "nothing-here: no such artefact" in done.stderr


def test_text_that_is_not_utf8_is_refused_with_the_place() -> None:
    done = run("rerank", "x", "-", "--model", TINY, stdin=b"good\nb\xffd")
    assert done.exit_code == 1
    assert "not UTF-8 at byte 6" in done.stderr


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
@pytest.mark.parametrize("command", ["rerank", "encode"])
def test_utf16_is_refused_and_not_read_with_a_zero_beside_each_letter(command: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / "texts"
    path.write_bytes("Bread is baked.\nWater is wet.\n".encode(codec))
    done = run(command, *(["x"] if command == "rerank" else []), "--file", str(path), "--model", TINY)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {path}: ")
    assert "save it as UTF-8" in done.stderr


def test_encode_writes_vectors_that_load_again(tmp_path: Path) -> None:
    out = tmp_path / "v.safetensors"
    done = run("encode", *DOCUMENTS, "--model", TINY, "--out", str(out))
    assert done.exit_code == 0, done.stderr
    assert done.stdout == ""
    expected = colibri.load(TINY).encode_documents(DOCUMENTS)
    loaded = colibri.TokenVectors.load(out)
    np.testing.assert_array_equal(loaded.rows, expected.rows)
    assert loaded.space_id == expected.space_id
    assert [path.name for path in tmp_path.iterdir()] == ["v.safetensors"]


def test_encode_prints_one_json_object_a_text_with_spans() -> None:
    done = run("encode", "water", "people of", "--as", "query", "--model", TINY)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    expected = colibri.load(TINY).encode_queries(["water", "people of"])
    assert [entry["text"] for entry in entries] == ["water", "people of"]
    for entry, rows in zip(entries, expected, strict=True):
        np.testing.assert_allclose(entry["vectors"], rows, atol=1e-7)
        assert len(entry["spans"]) == len(rows)


def test_info_says_licence_dims_roles_and_parity(tmp_path: Path) -> None:
    text = run("info").stdout
    for word in ("colibri-mini", "MIT", "128 (default)", "96", "64", "'query: '", "cpu-int8", "on average"):
        assert word in text
    assert json.loads(run("info", TINY, "--json").stdout)["name"] == "tiny-random-xlmr"
    assert "licence       unknown  No licence was recorded" in run("info", TINY).stdout
    assert "commercial" not in run("info", TINY).stdout
    manifest = Path(TINY, "colibri.json").read_text(encoding="utf-8")
    (tmp_path / "colibri.json").write_text(manifest.replace('"unknown"', '"CC-BY-NC-4.0"'), encoding="utf-8")
    assert "CC-BY-NC-4.0  (NOT for commercial use)" in run("info", str(tmp_path)).stdout


def test_verify_finds_a_changed_byte(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(TINY, copy)
    assert run("verify", str(copy)).exit_code == 0
    weights = copy / "backbone.int8.bin"
    data = bytearray(weights.read_bytes())
    data[1000] ^= 1
    weights.write_bytes(data)
    done = run("verify", str(copy))
    assert done.exit_code == 1
    assert "backbone.int8.bin: its bytes changed" in done.stderr


def test_doctor_says_what_would_run_and_why() -> None:
    report = json.loads(run("doctor", "--json").stdout)
    assert report["would_run"]["variant"] == "cpu-int8"
    because = {
        "cpu-int8.s8.onnx": r"(avx512_vnni|avx_vnni|neon)(, avx_vnni)?",
        "cpu-int8.s8a7.onnx": "avx2; faster ones want avx512_vnni or avx_vnni or neon",
        "cpu-int8.u8.onnx": "runs on any CPU; faster ones want avx2 or avx512_vnni or avx_vnni or neon",
    }
    assert re.fullmatch(because[report["would_run"]["graph"]], report["would_run"]["because"])
    assert "CPUExecutionProvider" in report["onnxruntime"]["providers"]
    assert report["problems"] == []
    assert report["reading_files"].startswith("in a process of its own; its memory is ")
    assert "all well" in run("doctor").stdout


def test_doctor_names_every_extra_its_state_and_the_command() -> None:
    found = json.loads(run("doctor", "--json").stdout)["extras"]
    assert sorted(found) == sorted(metadata.metadata("colibri-edge").get_all("Provides-Extra", []))
    shown = run("doctor").stdout
    for name, facts in found.items():
        assert facts["command"].endswith(install_command(name))
        lacking = f", lacks {', '.join(facts['lacks'])}: {facts['command']}" if facts["lacks"] else ""
        assert f" {name:<12} {facts['state']}{lacking}\n" in shown
        assert (facts["state"] == "installed") == (not facts["lacks"])
    assert found["cpu"]["state"] == "installed"


def test_an_extra_may_be_here_in_part_or_in_place_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = {"some": ("json", "no_such.module"), "none": ("no_such",), "all": ("json",), "gpu": ("onnxruntime-gpu",)}
    monkeypatch.setattr(doctors_extras, "EXTRAS", needs)
    found = doctors_extras.extras()
    assert [facts["state"] for facts in found.values()][:3] == ["partly installed", "not installed", "installed"]
    assert found["some"]["lacks"] == ["no_such.module"]
    if found["gpu"]["lacks"]:
        assert found["gpu"]["command"] == f"pip uninstall onnxruntime, then {install_command('gpu')}"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems are taken to have a GPU")
def test_doctor_has_one_line_for_gpus_where_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(hardware, "_DEVICES", tmp_path)
    states = json.loads(run("doctor", "--json").stdout)["providers"]
    absent = [one.name for one in ORDER if one.gpu and states[one.name].startswith("not installed")]
    lines = run("doctor").stdout.splitlines()
    wanted = f"{', '.join(absent)}: not installed, and no GPU is seen here; --json says how"
    assert [line for line in lines if absent[0] in line] == [f"{'':<14} for GPUs     {wanted}"]
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri" / "renderD128").touch()
    lines = run("doctor").stdout.splitlines()
    assert all(any(line[15:].startswith(f"{name:<12} not installed; ") for line in lines) for name in absent)


def test_doctor_fails_for_a_damaged_artefact(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(TINY, copy)
    (copy / "tokenizer.json").unlink()
    done = run("doctor", str(copy))
    assert done.exit_code == 1
    assert "tokenizer.json: missing" in done.stdout


def test_every_command_has_help_with_an_example_or_its_exit_code() -> None:
    listed = run("--help").stdout
    for name in ("rerank", "encode", "info", "verify", "doctor", "export", "build-mini"):
        assert name in listed
        assert run(name, "--help").exit_code == 0
    assert "colibri rerank" in run("rerank", "--help").stdout


def test_version_is_the_packages() -> None:
    assert colibri.__version__ in run("--version").stdout


def test_a_closed_pipe_ends_the_command_quietly() -> None:
    many = [str(i) for i in range(2000)]
    words = [sys.executable, "-m", "colibri", "encode", *many, "--model", TINY]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read().decode()
        process.wait(timeout=60)
    assert "Traceback" not in errors
    assert "Error" not in errors


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("words", [["info"], ["rerank", "x", "doc", "--model", TINY], ["doctor", "--json"]])
def test_output_that_cannot_be_written_is_one_line_and_exit_code_1(words: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "colibri", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "Error: standard output: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="SIGINT is sent otherwise on Windows")
def test_ctrl_c_stops_at_once_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "many.txt").write_text(("word " * 12 + "\n") * 6000, encoding="utf-8")
    words = ["encode", "--file", str(tmp_path / "many.txt"), "--out", str(tmp_path / "out.safetensors")]
    with subprocess.Popen([sys.executable, "-m", "colibri", *words], stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        shown = process.stderr.read(200)  # several states of the progress bar: encoding is under way
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read().decode()
        assert process.wait(timeout=30) == 130
    assert b"encoding" in shown
    assert rest.rstrip().endswith("interrupted")
    assert "Traceback" not in rest
    assert [path.name for path in tmp_path.iterdir()] == ["many.txt"]
