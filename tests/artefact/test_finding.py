"""Finding an artefact, and proving its files before anything is run."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri import artefact
from colibri.artefact.finding import Artefact
from colibri.errors import ArtefactError, ArtefactNotFound, InputError, InputTypeError
from colibri.index import Index
from colibri.model import Colibri
from hub_server import COMMIT, HubServer, serving

REVISION = "0123456789abcdef0123456789abcdef01234567"


def test_load_refuses_a_newer_format(edit: Callable[[Callable[[dict[str, Any]], object]], Path]) -> None:
    with pytest.raises(ArtefactError, match="upgrade colibri-edge"):
        colibri.load(edit(lambda document: document.update(format="2.0")))


def test_the_shipped_model_is_the_default() -> None:
    assert artefact.DEFAULT in artefact.shipped()
    assert artefact.find().manifest.name == artefact.DEFAULT
    assert artefact.find(artefact.DEFAULT).folder == artefact.find().folder


def test_a_shipped_name_goes_before_a_folder_of_that_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.rename(tmp_path / artefact.DEFAULT)
    monkeypatch.chdir(tmp_path)
    assert artefact.find(artefact.DEFAULT).manifest.name == artefact.find().manifest.name == artefact.DEFAULT
    assert artefact.find(f"./{artefact.DEFAULT}").manifest.name == "tiny-random-bert"


@pytest.mark.parametrize("spell", [str, Path, os.path.relpath], ids=["str", "Path", "relative"])
def test_a_folder_is_found_however_it_is_spelt(spell: Callable[[Path], Path | str], tiny: Artefact) -> None:
    found = artefact.find(spell(tiny.folder))
    assert found.manifest == tiny.manifest
    assert found.path("tokenizer.json").is_file()


def test_a_folder_that_looks_like_a_hub_id_is_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parents[1])
    assert artefact.find(f"{folder.parent.name}/{folder.name}").manifest.name == "tiny-random-bert"


def test_a_folder_without_a_manifest_is_no_artefact(tmp_path: Path) -> None:
    with pytest.raises(ArtefactNotFound, match=r"has no colibri\.json"):
        artefact.find(tmp_path)


def test_an_index_is_told_from_a_checkpoint(tmp_path: Path) -> None:
    place = tmp_path / "my index"
    Index.open(place, dim=4, space_id="test").close()
    with pytest.raises(ArtefactNotFound, match=r"is an index, not an artefact; `colibri status --index '.*my index'`"):
        artefact.find(place)


UNKNOWN = ["colibri-maxi", "no/such/folder", "./absent", "../absent", "/absent/a", "nul\0", "x" * 5000]


@pytest.mark.parametrize("name", UNKNOWN, ids=lambda name: name[:20])
def test_an_unknown_name_is_not_found(name: str) -> None:
    with pytest.raises(ArtefactNotFound, match=artefact.DEFAULT):
        artefact.find(name)


@pytest.mark.parametrize("name", [7, b"colibri-mini", ["colibri-mini"]], ids=str)
def test_a_name_of_another_type_is_refused(name: Any) -> None:
    with pytest.raises(InputTypeError, match=type(name).__name__):
        artefact.find(name)


def hub_cache(source: Path, cache: Path) -> Path:
    """Lay a folder out as huggingface_hub keeps `owner/tiny`; gives the snapshot, whose files are symbolic links."""
    repository = cache / "models--owner--tiny"
    snapshot = repository / "snapshots" / REVISION
    for made in (repository / "blobs", repository / "refs", snapshot):
        made.mkdir(parents=True)
    (repository / "refs" / "main").write_text(REVISION, encoding="utf-8")
    for path in source.iterdir():
        blob = hashlib.sha256(path.read_bytes()).hexdigest()
        shutil.copyfile(path, repository / "blobs" / blob)
        (snapshot / path.name).symlink_to(Path("..", "..", "blobs", blob))
    return snapshot


@pytest.mark.parametrize("variant", ["cpu-int8", "cpu-fp32", "portable"])
def test_a_cached_hub_id_encodes_as_its_folder_does(variant: str, tiny: Artefact, tmp_path: Path) -> None:
    snapshot = hub_cache(tiny.folder, tmp_path)
    assert artefact.find("owner/tiny", cache_dir=tmp_path).folder == snapshot
    cached = colibri.load("owner/tiny", variant=variant, cache_dir=tmp_path)
    direct = colibri.load(tiny.folder, variant=variant)
    for role in ("encode_queries", "encode_documents"):
        assert (getattr(cached, role)(["small bird"]).rows == getattr(direct, role)(["small bird"]).rows).all()


def test_a_damaged_file_of_a_cached_hub_id_is_named(bert: Artefact, tmp_path: Path) -> None:
    heads = hub_cache(bert.folder, tmp_path) / "heads.f32.bin"
    heads.write_bytes(bytes(len(heads.read_bytes())))
    with pytest.raises(ArtefactError, match=r"heads\.f32\.bin: its bytes changed"):
        colibri.load("owner/tiny", cache_dir=tmp_path)


def test_files_of_a_hub_id_are_of_one_revision_whatever_is_pushed_meanwhile(bert: Artefact, tmp_path: Path) -> None:
    snapshot = hub_cache(bert.folder, tmp_path)
    found = artefact.find("owner/tiny", cache_dir=tmp_path)
    newer = "f" * 40
    shutil.copytree(snapshot, snapshot.with_name(newer), symlinks=True)
    (tmp_path / "models--owner--tiny" / "refs" / "main").write_text(newer, encoding="utf-8")
    (snapshot / "tokenizer.json").unlink()
    (snapshot / "heads.f32.bin").unlink()
    with pytest.raises(ArtefactNotFound, match=r"(heads\.f32\.bin|tokenizer\.json) is not in the local hub cache"):
        artefact.check_files(found)
    assert artefact.find("owner/tiny", cache_dir=tmp_path).folder.name == newer


def test_a_hub_id_that_is_not_cached_is_not_found_offline(tmp_path: Path) -> None:
    with pytest.raises(ArtefactNotFound, match=r"owner/other: .*; nor is owner/other a folder here"):
        artefact.find("owner/other", cache_dir=tmp_path)


def test_a_hub_that_is_not_there_is_asked_once(tmp_path: Path) -> None:
    """Without waiting for it to come back, and without lines about that."""
    asked = []
    with socket.socket() as hub:
        hub.bind(("127.0.0.1", 0))
        hub.listen()

        def hang_up() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = hub.accept()
                    asked.append(connection.recv(4))
                    connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        code = "import sys; from colibri import artefact; artefact.find('owner/other', cache_dir=sys.argv[1])"
        environment = os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{hub.getsockname()[1]}", "HF_HUB_OFFLINE": "0"}
        child = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False, env=environment
        )
        hub.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert asked == [b"HEAD"]
    assert "ArtefactNotFound: owner/other: colibri.json is not in the local hub cache" in child.stderr
    assert "`colibri export owner/other` makes one in" in child.stderr
    assert "etrying" not in child.stderr


def test_what_is_nowhere_is_an_error_with_the_command_that_makes_it_and_where_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(ArtefactNotFound) as caught:
        colibri.load("jinaai/jina-colbert-v2", cache_dir=tmp_path)
    assert str(caught.value) == (
        "jinaai/jina-colbert-v2: colibri.json is not in the local hub cache, and the hub cannot be reached; nor is "
        "jinaai/jina-colbert-v2 a folder here, or the name, alias or source of an artefact on the search path. "
        f"`colibri export jinaai/jina-colbert-v2` makes one in {tmp_path / 'colibri' / 'models'}, and it is found "
        "under this name from then on"
    )


def test_a_revision_of_a_cached_hub_id_is_obeyed(bert: Artefact, tmp_path: Path) -> None:
    snapshot = hub_cache(bert.folder, tmp_path)
    other = "f" * 40
    shutil.copytree(snapshot, snapshot.with_name(other), symlinks=True)
    (tmp_path / "models--owner--tiny" / "refs" / "v2").write_text(other, encoding="utf-8")
    for revision, commit in ((None, REVISION), ("main", REVISION), (REVISION, REVISION), ("v2", other), (other, other)):
        found = artefact.find("owner/tiny", cache_dir=tmp_path, revision=revision, local_files_only=True)
        assert found.folder == snapshot.with_name(commit)
        artefact.check_files(found)
    with pytest.raises(
        ArtefactNotFound, match=r"local_files_only asks no hub; .*`colibri export owner/tiny --revision v9`"
    ):
        colibri.load("owner/tiny", cache_dir=tmp_path, revision="v9", local_files_only=True)


def test_an_artefact_is_of_the_commit_it_was_exported_from(
    bert: Artefact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one is never taken, whatever its name."""
    for place, commit in (("one", "a" * 40), ("two", "b" * 40)):
        made = tmp_path / place / "mine"
        shutil.copytree(bert.folder, made)
        document = json.loads((made / "colibri.json").read_text(encoding="utf-8"))
        document["source"] |= {"kind": "hub", "name": "owner/own", "revision": commit}
        (made / "colibri.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setenv("COLIBRI_MODELS", os.pathsep.join(str(tmp_path / place) for place in ("one", "two")))
    for name in ("owner/own", "mine"):
        for revision, place in ((None, "one"), ("main", "one"), ("a" * 7, "one"), ("b" * 40, "two"), ("b" * 12, "two")):
            assert artefact.find(name, revision=revision).folder == tmp_path / place / "mine"
    for revision in ("c" * 40, "a" * 6, "v1", "b" * 41):
        with pytest.raises(
            ArtefactNotFound, match=f"one/mine was made of owner/own at a{{40}}, and revision {revision} was"
        ):
            artefact.find("mine", revision=revision)
        with pytest.raises(
            ArtefactNotFound, match=f"at a{{40}}, .*`colibri export owner/own --revision {revision} OUT` makes one"
        ):
            artefact.find("owner/own", revision=revision, cache_dir=tmp_path, local_files_only=True)
    with pytest.raises(ArtefactNotFound, match="tiny-random-bert, which has no revisions"):
        artefact.find(bert.folder, revision="v1")
    with pytest.raises(ArtefactNotFound, match="revision v1 was asked for; leave it out"):
        artefact.find(revision="v1")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"revision": ""}, InputTypeError),
        ({"revision": 3}, InputTypeError),
        ({"revision": "../../etc"}, InputError),
        ({"revision": "/etc"}, InputError),
        ({"revision": "a b"}, InputError),
        ({"revision": "a\0"}, InputError),
        ({"revision": "main~1"}, InputError),
        ({"token": 3}, InputTypeError),
        ({"token": ""}, InputError),
        ({"local_files_only": 1}, InputTypeError),
        ({"local_files_only": "yes"}, InputTypeError),
    ],
)
def test_words_about_the_hub_that_are_none_are_refused(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(given))):
        artefact.find("owner/other", **given)


def online(server: HubServer, cache: Path, code: str) -> subprocess.CompletedProcess[str]:
    """A fresh process, whose hub that is."""
    environment = {**os.environ, "HF_ENDPOINT": server.endpoint, "HF_HOME": str(cache / "home"), "HF_HUB_OFFLINE": "0"}
    environment.pop("HF_TOKEN", None)
    start = "import colibri; from colibri.errors import ArtefactNotFound\n"
    return subprocess.run(
        [sys.executable, "-c", start + code], capture_output=True, text=True, check=False, env=environment
    )


def test_a_token_opens_what_is_not_public_and_is_shown_nowhere(bert: Artefact, tmp_path: Path) -> None:
    with serving(HubServer({"owner/own": bert.folder}, tokens={"owner/own": "hf_secret"})) as server:
        refused = online(server, tmp_path, "colibri.load('owner/own', token='hf_wrong')")
        assert "ArtefactNotFound: owner/own: colibri.json: 401" in refused.stderr
        asked = len(server.asked)
        cached = online(server, tmp_path, "colibri.load('owner/own', token='hf_secret', local_files_only=True)")
        assert "local_files_only asks no hub" in cached.stderr
        assert len(server.asked) == asked
        code = (
            "import logging; logging.basicConfig(level=0); from colibri import artefact\n"
            f"found = artefact.find('owner/own', token='hf_secret', revision={COMMIT!r}); print(found)\n"
            f"print(colibri.load('owner/own', token='hf_secret', revision={COMMIT!r}).score('bird', ['a bird']))"
        )
        done = online(server, tmp_path, code)
        assert done.returncode == 0, done.stderr
        assert "hf_secret" not in done.stdout + done.stderr
        asked = len(server.asked)
        again = online(server, tmp_path, f"colibri.load('owner/own', revision={COMMIT!r}, local_files_only=True)")
        assert again.returncode == 0, again.stderr
        assert len(server.asked) == asked
        other = online(server, tmp_path, "colibri.load('owner/own', token='hf_secret', revision='v2')")
        assert "RevisionNotFound" in other.stderr or "Revision Not Found" in other.stderr
        assert "hf_secret" not in refused.stderr + cached.stderr + other.stderr


def test_a_folder_without_a_manifest_asks_no_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owner" / "checkpoint").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtefactNotFound, match=r"has no colibri\.json; `colibri export owner/checkpoint OUT` makes"):
        artefact.find("owner/checkpoint")


def test_a_hub_id_of_which_a_file_is_not_cached_is_not_found_offline(bert: Artefact, tmp_path: Path) -> None:
    (hub_cache(bert.folder, tmp_path) / "tokenizer.json").unlink()
    with pytest.raises(ArtefactNotFound, match=r"owner/tiny: tokenizer\.json is not in the local hub cache"):
        colibri.load("owner/tiny", cache_dir=tmp_path)


def test_of_a_hub_id_only_the_files_of_the_variant_are_wanted(bert: Artefact, tmp_path: Path) -> None:
    snapshot = hub_cache(bert.folder, tmp_path)
    for unused in ("backbone.f32.bin", "cpu-fp32.onnx", "cpu-fp32.query.onnx", "portable.onnx"):
        (snapshot / unused).unlink()
    assert colibri.load("owner/tiny", variant="cpu-int8", cache_dir=tmp_path).encode_queries(["small bird"])
    with pytest.raises(ArtefactNotFound, match="cpu-fp32"):
        colibri.load("owner/tiny", variant="cpu-fp32", cache_dir=tmp_path)


_ENCODE_AS_NOBODY = """
import os, sys
import colibri
# Everything is imported while the interpreter's own files can be read: they may be root's alone.
colibri.load(sys.argv[1]).rerank("small bird", ["a house", "the river"])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
assert "HOME" not in os.environ and not os.access(sys.argv[1], os.W_OK)
print(len(colibri.load(sys.argv[1]).rerank("small bird", ["a house", "the river"])))
"""


def test_a_read_only_artefact_serves_an_unprivileged_user_without_a_home(tiny: Artefact) -> None:
    # tmp_path lies below a folder that only its owner may enter.
    with tempfile.TemporaryDirectory() as place:
        copied = shutil.copytree(tiny.folder, Path(place) / "artefact")
        for path, mode in ((Path(place), 0o755), (copied, 0o555), *((file, 0o444) for file in copied.iterdir())):
            path.chmod(mode)
        command = [sys.executable, "-c", _ENCODE_AS_NOBODY, str(copied)]
        environment = {name: value for name, value in os.environ.items() if name != "HOME"}
        child = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
        copied.chmod(0o755)
    assert (child.stdout, child.stderr, child.returncode) == ("2\n", "", 0)


def test_an_artefact_is_what_load_needs_and_no_more(tiny: Artefact) -> None:
    variant = tiny.manifest.variants["cpu-fp32"]
    names = tiny.files_to_run(variant, variant.graphs[0])
    graphs = {variant.graphs[0].query, variant.graphs[0].document}
    assert set(names) == {"tokenizer.json", "backbone.f32.bin", "heads.f32.bin", *graphs}
    sizes = [tiny.manifest.files[name].size_bytes for name in names]
    assert sizes == sorted(sizes)


def test_a_loaded_model_says_what_it_is(model: Colibri) -> None:
    assert repr(model) == "Colibri('tiny-random-bert', dim=48, variant='cpu-fp32', provider='cpu')"
