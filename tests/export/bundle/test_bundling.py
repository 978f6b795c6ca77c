"""A bundle installs what it holds, without a network, and nothing where a byte of it changed."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from colibri.artefact import find
from colibri.errors import ArtefactError, ExportError, InputError
from colibri_export.bundle.bundling import Bundled, bundle
from colibri_export.bundle.target import PLATFORMS, Target
from colibri_export.bundle.wheels import read_wheel
from reference import ARTEFACTS
from rounds import rounds

HERE = Target("linux-x86_64", "{}.{}".format(*sys.version_info))
VERIFY = 'import sys\nprint("verified", *sys.argv[2:])\n'


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: tuple[str, ...] = (),
    tag: str = "py3-none-any",
    files: dict[str, str] | None = None,
) -> Path:
    """A wheel with these files, or one module of its name; its extras are those that its requirements name."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    extras = sorted({line.split("extra == '")[1].split("'")[0] for line in requires if "extra == '" in line})
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Provides-Extra: {extra}" for extra in extras] + [f"Requires-Dist: {line}" for line in requires]
    contents = {f"{name}.py": ""} if files is None else dict(files)
    contents |= {f"{info}/METADATA": "\n".join(lines) + "\n"}
    contents |= {f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n"}
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in contents.items():
            archive.writestr(zipfile.ZipInfo(member), text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The one place that pip looks in: wheels of a package called as ours, and of what it needs."""
    folder = tmp_path_factory.mktemp("wheels") / "index"
    make_wheel(
        folder,
        "colibri_edge",
        requires=(
            "base>=1",
            "runner>=2; extra == 'cpu'",
            "old; python_version < '3.11' and extra == 'cpu'",
            "colour; sys_platform == 'win32'",
            "newest; python_version >= '3.14'",
        ),
        files={"colibri/__init__.py": "", "colibri/__main__.py": VERIFY, "colibri/artefacts/note.txt": "here"},
    )
    make_wheel(folder, "base", requires=("deep[more]",))
    make_wheel(folder, "deep", requires=("bottom; extra == 'more'",))
    make_wheel(folder, "bottom", requires=("colour; sys_platform == 'win32'",))
    make_wheel(folder, "colour", requires=("ink",))
    make_wheel(folder, "ink")
    make_wheel(folder, "newest")
    make_wheel(folder, "runner", "1.0")
    make_wheel(folder, "runner", "2.1", tag="cp311-cp311-manylinux_2_28_x86_64")
    make_wheel(folder, "runner", "2.2", tag="cp312-cp312-manylinux_2_28_x86_64")
    make_wheel(folder, "runner", "2.3", tag="cp311-cp311-win_amd64")
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            patch.delenv(name)
        for name, value in settings.items():
            patch.setenv(name, value)
        yield folder


def made(index: Path, out: Path, target: Target = HERE, extras: tuple[str, ...] = ()) -> tuple[Bundled, set[str]]:
    found = bundle(out, target, extras=extras, wheel=next(index.glob("colibri_edge-*")))
    there = {path.name for path in (out / "wheels").iterdir()}
    assert there == {wheel.path.name for wheel in found.wheels}
    return found, {f"{wheel.name}-{wheel.version}" for wheel in found.wheels}


MORE = [
    (Target("linux-x86_64", "3.11"), ("cpu",), {"runner-2.1"}),
    (Target("linux-x86_64", "3.14"), (), {"newest-1.0"}),
]
BASE = {"colibri-edge-1.0", "base-1.0", "deep-1.0", "bottom-1.0"}


def test_wheels_are_those_that_the_target_needs_whatever_python_runs_pip(index: Path, tmp_path: Path) -> None:
    assert made(index, tmp_path / "here")[1] == BASE
    windows, there = Target("windows-x86_64", "3.11"), {"runner-2.3", "colour-1.0", "ink-1.0"}
    assert made(index, tmp_path / "windows", windows, ("cpu",))[1] == {*BASE, *there}
    for target, extras, there in rounds([], MORE):
        assert made(index, tmp_path / target.platform / target.python, target, extras)[1] == {*BASE, *there}


def test_what_cannot_be_had_is_told_and_leaves_no_folder(index: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"pip download failed: .*runner"):
        made(index, tmp_path / "out", Target("macos-arm64", "3.11"), ("cpu",))
    with pytest.raises(ExportError, match="no extra gpu; wanted some of cpu"):
        made(index, tmp_path / "out", HERE, ("gpu",))
    with pytest.raises(ExportError, match="no wheel and no checkout"):
        bundle(tmp_path / "out", HERE, wheel=tmp_path / "none.whl")
    with pytest.raises(ExportError, match=r"is ink; wanted a wheel, or a checkout, of colibri-edge"):
        bundle(tmp_path / "out", HERE, wheel=next(index.glob("ink-*")))
    with pytest.raises(ExportError, match="no wheel and no checkout"):
        bundle(tmp_path / "out", HERE, wheel=Path(__file__))
    (tmp_path / "bad.whl").write_bytes(b"no zip")
    with pytest.raises(ExportError, match="cannot be read as a wheel"):
        read_wheel(tmp_path / "bad.whl")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.whl"]


@pytest.mark.parametrize(("platform", "python"), [("amiga", "3.11"), ("linux-x86_64", "2.7"), ("linux-x86_64", "3.9")])
def test_a_machine_that_is_none_is_refused(platform: str, python: str) -> None:
    with pytest.raises(InputError, match="wanted"):
        Target(platform, python)
    assert "linux-x86_64" in PLATFORMS


def test_a_damaged_artefact_is_not_bundled(index: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(ARTEFACTS / "tiny-random-bert", tmp_path / "damaged")
    (folder / "heads.f32.bin").write_bytes(b"")
    with pytest.raises(ArtefactError, match="heads"):
        bundle(tmp_path / "out", HERE, models=[find(folder)], wheel=next(index.glob("colibri_edge-*")))
    assert not (tmp_path / "out").exists()


def test_only_a_bundle_is_replaced(index: Path, tmp_path: Path) -> None:
    wheel = next(index.glob("colibri_edge-*"))
    (tmp_path / "mine").mkdir()
    for replace in (False, True):
        with pytest.raises(ExportError, match="exists already"):
            bundle(tmp_path / "mine", HERE, extras=(), wheel=wheel, replace=replace)
    first, _ = made(index, tmp_path / "out")
    again = bundle(tmp_path / "out", HERE, extras=(), wheel=wheel, replace=True)
    assert again.sha256 == first.sha256


@pytest.fixture(scope="module")
def bundled(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with an artefact."""
    source, out = find(ARTEFACTS / "tiny-random-bert"), tmp_path_factory.mktemp("bundled") / "out"
    bundle(out, HERE, extras=(), models=[source], wheel=next(index.glob("colibri_edge-*")))
    return out


@pytest.fixture
def carried(bundled: Path, tmp_path: Path) -> Path:
    """It, carried to another place."""
    return shutil.copytree(bundled, tmp_path / "carried")


def install(carried: Path, target: Path, *before: str, **more: str) -> "subprocess.CompletedProcess[str]":
    # There pip is set up to nothing.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")} | more
    command = [*before, sys.executable, str(carried / "install.py"), str(target)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=more.get("PYTHONPATH")
    )


def test_it_installs_where_there_is_no_network(carried: Path, tmp_path: Path) -> None:
    namespace = ["unshare", "-rn"]
    tried = shutil.which("unshare") and subprocess.run([*namespace, "true"], capture_output=True, check=False)
    if not tried or tried.returncode:
        pytest.skip("no network namespace can be had here (unshare -rn)")
    # What lies around there is neither taken for a package of the bundle nor run.
    around = tmp_path / "around"
    (around / "base-1.0.dist-info").mkdir(parents=True)
    (around / "base-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: base\nVersion: 1.0\n")
    (around / "colibri.py").write_text("raise SystemExit('another colibri')")
    done = install(carried, tmp_path / "installed", *namespace, PYTHONPATH=str(around))
    assert done.returncode == 0, done.stderr
    assert "verified tiny-random-bert" in done.stdout
    (package,) = (tmp_path / "installed").rglob("site-packages/colibri")
    copied = find(package / "artefacts" / "tiny-random-bert")
    assert copied.manifest == find(ARTEFACTS / "tiny-random-bert").manifest
    assert (package / "artefacts" / "note.txt").is_file()
    assert (package.parent / "base.py").is_file()


@pytest.mark.skipif(not rounds([], [1]), reason="soak: seconds for the same steps once more")
def test_a_bundle_without_models_may_lose_its_empty_folder(index: Path, tmp_path: Path) -> None:
    made(index, tmp_path / "out")
    (tmp_path / "out" / "artefacts").rmdir()
    done = install(tmp_path / "out", tmp_path / "installed")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("installed: ")


MODEL = "artefacts/tiny-random-bert"


def _flip(path: Path, at: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def _added(path: Path, data: bytes = b"") -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def _linked(path: Path) -> None:
    """The same bytes, by way of a place outside."""
    outside = path.parents[2] / "outside"
    path.rename(outside)
    path.symlink_to(outside)


# How each harms the folder, and what is named.
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit of a wheel": (lambda folder: _flip(next((folder / "wheels").glob("base-*")), 40), "wheels/base-1.0-py3-"),
    "one more wheel": (lambda folder: _added(folder / "wheels" / "evil-1.0-py3-none-any.whl"), "wheels/evil-1.0-"),
    "one wheel less": (lambda folder: next((folder / "wheels").glob("deep-*")).unlink(), "wheels/deep-1.0-py3-"),
    "a link for a wheel": (lambda folder: _linked(next((folder / "wheels").glob("deep-*"))), "wheels/deep-1.0-py3-"),
    "a link to another folder": (
        lambda folder: (folder / "artefacts" / "evil").symlink_to(ARTEFACTS / "tiny-random-xlmr"),
        "artefacts/evil",
    ),
    "a link to nothing": (lambda folder: (folder / "wheels" / "gone").symlink_to("none"), "wheels/gone"),
    "a pipe": (lambda folder: os.mkfifo(folder / "artefacts" / "pipe"), "artefacts/pipe"),
    "the installer's Python": (lambda folder: (folder / "PYTHON").write_text("3.12\n"), "PYTHON"),
    "a requirement": (lambda folder: _flip(folder / "requirements.txt"), "requirements.txt"),
    "the installer": (lambda folder: _flip(folder / "install.py", 5), "install.py"),
    "a bit of a model": (lambda folder: _flip(folder / MODEL / "heads.f32.bin"), f"{MODEL}/heads.f32.bin"),
    "a model's file less": (lambda folder: (folder / MODEL / "tokenizer.json").unlink(), f"{MODEL}/tokenizer.json"),
    "a model's file more": (lambda folder: _added(folder / MODEL / "new.onnx", b"x"), f"{MODEL}/new.onnx"),
    "a model less": (lambda folder: shutil.rmtree(folder / MODEL), f"{MODEL}/colibri.json"),
    "a model more": (lambda folder: _added(folder / "artefacts" / "evil" / "colibri.json"), "artefacts/evil/"),
    "a hash": (lambda folder: _flip(folder / "SHA256SUMS"), "PYTHON"),
    "what stands between hash and name": (lambda folder: _flip(folder / "SHA256SUMS", 64), "PYTHON"),
    "a name": (lambda folder: _flip(folder / "SHA256SUMS", 66), "PYTHON"),
    "no text": (lambda folder: (folder / "SHA256SUMS").write_bytes(b"\xff\x00"), "PYTHON"),
    "no hashes": (lambda folder: (folder / "SHA256SUMS").write_bytes(b""), "PYTHON"),
    "no file of hashes": (lambda folder: (folder / "SHA256SUMS").unlink(), "PYTHON"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_on_the_way_is_named_and_nothing_is_installed(what: str, carried: Path, tmp_path: Path) -> None:
    change, named = CHANGES[what]
    change(carried)
    done = install(carried, tmp_path / "installed")
    assert done.returncode == 1
    said = "nothing is installed: missing, changed or not listed in SHA256SUMS: "
    assert done.stderr.startswith(said), done.stderr
    assert any(name.startswith(named) for name in done.stderr.removeprefix(said).split(", ")), done.stderr
    assert not (tmp_path / "installed").exists()


def test_another_python_is_told_before_anything_is_installed(carried: Path, tmp_path: Path) -> None:
    sums = (carried / "SHA256SUMS").read_text(encoding="utf-8")
    old = hashlib.sha256((carried / "PYTHON").read_bytes()).hexdigest()
    (carried / "PYTHON").write_text("3.99\n", encoding="utf-8")
    new = hashlib.sha256((carried / "PYTHON").read_bytes()).hexdigest()
    (carried / "SHA256SUMS").write_text(sums.replace(old, new), encoding="utf-8")
    done = install(carried, tmp_path / "installed")
    assert (done.returncode, "is for Python 3.99" in done.stderr) == (1, True)
    assert not (tmp_path / "installed").exists()
