"""Checkpoints by hub id: from a cache laid out as the client lays it out, and from a hub on 127.0.0.1."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from colibri.artefact.finding import find
from colibri.cli import group
from colibri.errors import ExportError, MissingExtra
from colibri_export.hub_source import Hub, is_hub_id, locate, locate_metadata
from hub_server import COMMIT, HubServer, etag, lay_out_cache, serving
from reference import GOLDEN

# In a checkpoint's repository and never wanted: pickles, code, other people's exports.
UNWANTED = (
    "pytorch_model.bin",
    "rust_model.pt",
    "modeling_bert.py",
    "onnx/model.onnx",
    "README.md",
    "data/config.json",
)


def drop(snapshot: Path, name: str) -> None:
    (snapshot / name).unlink()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("jinaai/jina-colbert-v2", True),
        ("a/b.c_d", True),
        ("a", False),
        ("./a/b", False),
        ("../b", False),
        ("/a/b", False),
        ("a/b/c", False),
        ("a\\b", False),
        ("", False),
    ],
)
def test_what_is_a_hub_id(text: str, wanted: bool) -> None:
    assert is_hub_id(text) is wanted


def test_a_folder_of_that_name_comes_before_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owner" / "tiny").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    found = locate("owner/tiny", hub=Hub())
    assert (found.path, found.source) == (Path("owner/tiny"), None)


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_cached_repository_is_its_snapshot_and_says_its_commit(
    revision: str | None, bert: Path, tmp_path: Path
) -> None:
    snapshot = lay_out_cache(tmp_path, "owner/tiny", bert)
    found = locate("owner/tiny", revision, hub=Hub(cache_dir=tmp_path))
    assert found.path == snapshot
    assert found.source is not None
    assert (found.source.kind, found.source.name, found.source.revision) == ("hub", "owner/tiny", COMMIT)


def test_what_is_not_cached_is_refused_offline(bert: Path, tmp_path: Path) -> None:
    lay_out_cache(tmp_path, "owner/tiny", bert)
    for repo, revision in (("owner/other", None), ("owner/tiny", "v2"), ("owner/tiny", "f" * 40)):
        with pytest.raises(
            ExportError, match=rf"{repo}.*: not in the local hub cache, and offline nothing is downloaded"
        ):
            locate(repo, revision, hub=Hub(offline=True, cache_dir=tmp_path))
    with pytest.raises(ExportError, match="without --offline and HF_HUB_OFFLINE, or give a folder"):
        locate("owner/other", hub=Hub(offline=True, cache_dir=tmp_path))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_snapshot_without_a_file_is_refused_offline(name: str, bert: Path, tmp_path: Path) -> None:
    drop(lay_out_cache(tmp_path, "owner/tiny", bert), name)
    with pytest.raises(ExportError, match=rf"owner/tiny at {COMMIT}: no {name} in the local hub cache; run it once"):
        locate("owner/tiny", hub=Hub(offline=True, cache_dir=tmp_path))


def test_a_repository_of_pickles_is_refused_with_the_reason(bert: Path, tmp_path: Path) -> None:
    snapshot = lay_out_cache(tmp_path, "owner/tiny", bert)
    (snapshot / "model.safetensors").rename(snapshot / "pytorch_model.bin")
    with pytest.raises(ExportError, match=r"only pickles \(pytorch_model\.bin\).* wanted model\.safetensors"):
        locate("owner/tiny", hub=Hub(cache_dir=tmp_path))


def test_every_shard_that_the_index_names_must_be_there(bert: Path, tmp_path: Path) -> None:
    snapshot = lay_out_cache(tmp_path, "owner/tiny", bert)
    (snapshot / "model.safetensors").rename(snapshot / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index = snapshot / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": shards}), encoding="utf-8")
    with pytest.raises(ExportError, match=r"no model-00002-of-00002\.safetensors in the local hub cache"):
        locate("owner/tiny", hub=Hub(cache_dir=tmp_path))
    index.write_text(json.dumps({"weight_map": {"a": shards["a"]}}), encoding="utf-8")
    assert locate("owner/tiny", hub=Hub(cache_dir=tmp_path)).path == snapshot
    index.write_text("[]", encoding="utf-8")
    with pytest.raises(ExportError, match="wanted weight_map"):
        locate("owner/tiny", hub=Hub(cache_dir=tmp_path))


@pytest.mark.parametrize("modules", ['{"path": "1_Dense"}', '[{"path": "../1_Dense"}]', '[{"path": 3}]', "[7]", "x"])
def test_modules_that_lead_elsewhere_are_refused(modules: str, bert: Path, tmp_path: Path) -> None:
    (lay_out_cache(tmp_path, "owner/tiny", bert) / "modules.json").write_text(modules, encoding="utf-8")
    with pytest.raises(ExportError, match=r"modules\.json"):
        locate("owner/tiny", hub=Hub(cache_dir=tmp_path))


@pytest.fixture
def repository(bert: Path, tmp_path: Path) -> Path:
    """A checkpoint with all that a hub repository holds beside it, and a Dense module."""
    folder = shutil.copytree(bert, tmp_path / "repository")
    for name in UNWANTED:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"1/0")
    (folder / "1_Dense").mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copy(folder / name, folder / "1_Dense" / name)
    (folder / "1_Dense" / "pytorch_model.bin").write_bytes(b"1/0")
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Dense", "type": "pylate.models.Dense.Dense"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    return folder


@pytest.fixture
def server(repository: Path) -> Iterator[HubServer]:
    with serving(HubServer({"owner/tiny": repository, "owner/gated": repository}, gated={"owner/gated"})) as running:
        yield running


def online(server: HubServer, cache: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """locate() in a process of its own: the client reads its endpoint once, and these tests' own is offline."""
    code = """
import sys
from pathlib import Path
from colibri.errors import ExportError, MissingExtra
from colibri_export.hub_source import Hub, locate
try:
    print(locate(*sys.argv[2:], hub=Hub(cache_dir=Path(sys.argv[1]))).path)
except ExportError as error:
    sys.exit(str(error))
"""
    environment = {**os.environ, "HF_ENDPOINT": server.endpoint, "HF_HOME": str(cache / "home"), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-c", code, str(cache), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_only_safetensors_tokenizer_and_metadata_are_downloaded(server: HubServer, tmp_path: Path) -> None:
    done = online(server, tmp_path, "owner/tiny")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    dense = {"1_Dense/config.json", "1_Dense/model.safetensors"}
    assert here == dense | {"artifact.metadata", "config.json", "model.safetensors", "modules.json", "tokenizer.json"}
    assert server.files_fetched() == here
    assert not [path for _, path, _ in server.asked if "agent" in path or "telemetry" in path]
    for revision, requests in (("main", ["revision"]), (COMMIT, [])):
        server.asked.clear()
        again = online(server, tmp_path, "owner/tiny", revision)
        assert again.stdout == done.stdout
        assert server.files_fetched() == set(), "all of it was cached"
        assert [path.split("/")[4] for _, path, _ in server.asked] == requests, "and a commit does not change"


def test_a_download_goes_on_where_another_process_stopped(server: HubServer, repository: Path, tmp_path: Path) -> None:
    weights = repository / "model.safetensors"
    blobs = tmp_path / "models--owner--tiny" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{etag(weights)}.colibri-partial").write_bytes(weights.read_bytes()[:1000])
    done = online(server, tmp_path, "owner/tiny")
    assert done.returncode == 0, done.stderr
    assert ("GET", f"owner/tiny/resolve/{COMMIT}/model.safetensors", "bytes=1000-") in server.asked
    assert (Path(done.stdout.strip()) / "model.safetensors").read_bytes() == weights.read_bytes()
    assert not list(blobs.glob("*partial"))


def test_a_damaged_part_is_found_and_not_kept(server: HubServer, repository: Path, tmp_path: Path) -> None:
    partial = tmp_path / "models--owner--tiny" / "blobs" / f"{etag(repository / 'model.safetensors')}.colibri-partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 1000)
    done = online(server, tmp_path, "owner/tiny")
    assert done.returncode == 1
    assert "owner/tiny: model.safetensors arrived damaged" in done.stderr
    assert online(server, tmp_path, "owner/tiny").returncode == 0


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["owner/none"], "owner/none: no such folder here, and no such repository on the hub http://127.0.0.1:"),
        (["owner/none"], "HF_ENDPOINT=URL"),
        (["owner/tiny", "v9"], "owner/tiny at v9: the repository has no such branch, tag or commit"),
        (["owner/gated"], "owner/gated: gated; accept its terms at http://127.0.0.1:"),
    ],
)
def test_what_the_hub_refuses_is_said(words: list[str], wanted: str, server: HubServer, tmp_path: Path) -> None:
    done = online(server, tmp_path, *words)
    assert done.returncode == 1
    assert wanted in done.stderr
    assert "Traceback" not in done.stderr


def test_of_pickles_nothing_is_downloaded(server: HubServer, repository: Path, tmp_path: Path) -> None:
    for weights in repository.rglob("*.safetensors"):
        weights.unlink()
    done = online(server, tmp_path, "owner/tiny")
    assert done.returncode == 1
    assert "owner/tiny: only pickles (1_Dense/pytorch_model.bin, pytorch_model.bin, rust_model.pt)" in done.stderr
    assert not [name for name in server.files_fetched() if name.endswith((".bin", ".pt"))]


def test_when_the_hub_cannot_be_reached_the_cache_serves(server: HubServer, bert: Path, tmp_path: Path) -> None:
    server.endpoint = "http://127.0.0.1:9"  # the discard port: nobody listens
    snapshot = lay_out_cache(tmp_path, "owner/tiny", bert)
    assert online(server, tmp_path, "owner/tiny").stdout == f"{snapshot}\n"
    refused = online(server, tmp_path, "owner/other")
    assert "owner/other: not in the local hub cache, and the hub cannot be reached" in refused.stderr
    for way in (
        "reached at http://127.0.0.1:9 ",
        "HF_ENDPOINT=URL",
        "HF_HUB_OFFLINE=1",
        "a folder with its config.json",
    ):
        assert way in refused.stderr


def test_export_by_hub_id_makes_the_artefact_and_records_the_commit(
    server: HubServer, repository: Path, tmp_path: Path
) -> None:
    (repository / "modules.json").unlink()
    environment = {**os.environ, "HF_ENDPOINT": server.endpoint, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    environment["XDG_DATA_HOME"] = str(tmp_path)
    command = [sys.executable, "-m", "colibri", "export", "owner/tiny", "--variants", "cpu-fp32"]
    for words in ([], ["again", "--offline"]):
        server.asked.clear()
        done = subprocess.run(
            [*command, *words], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        source = find(tmp_path / (words[0] if words else "colibri/models/tiny")).manifest.source
        assert (source.kind, source.name, source.revision) == ("hub", "owner/tiny", COMMIT)
        assert set(source.files) == {"config.json", "model.safetensors"}
        assert bool(server.asked) is not bool(words)


def test_facts_that_a_repository_does_not_say_are_asked_for_before_its_weights_are_downloaded(
    server: HubServer, repository: Path, tmp_path: Path
) -> None:
    (repository / "artifact.metadata").unlink()
    environment = {**os.environ, "HF_ENDPOINT": server.endpoint, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-m", "colibri", "export", "owner/tiny", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert "the marker of queries (--query-marker TEXT)" in done.stderr
    assert "config.json" in server.files_fetched()
    assert not [name for name in server.files_fetched() if name.endswith(".safetensors")]


def test_a_head_comes_from_a_sibling_repository(tmp_path: Path) -> None:
    # The sibling's backbone has the same bytes; its head is a matrix of its own (tests/golden/README.md).
    for repo, folder in (("owner/jina", "tiny-random-jina"), ("owner/jina-32", "tiny-random-jina-32")):
        lay_out_cache(tmp_path, repo, GOLDEN / folder)
    words = ["export", "owner/jina", str(tmp_path / "out"), "--head", "32=owner/jina-32", "--cache-dir", str(tmp_path)]
    done = CliRunner().invoke(group, [*words, "--variants", "cpu-fp32"])
    assert done.exit_code == 0, done.output
    made = find(tmp_path / "out").manifest
    assert [(head.dim, head.truncated_from) for head in made.heads] == [(48, None), (32, None)]
    assert made.source.name == "owner/jina"


def test_without_the_hubs_client_a_hub_id_names_the_extra_and_a_folder_does_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for located in (locate, locate_metadata):
        with pytest.raises(MissingExtra, match=r"owner/tiny: there is no huggingface_hub .*colibri-edge\[hub\]\): pip"):
            located("owner/tiny", hub=Hub())
    assert locate(str(tmp_path), hub=Hub()).path == tmp_path
    assert locate_metadata(str(tmp_path), hub=Hub()) == tmp_path
