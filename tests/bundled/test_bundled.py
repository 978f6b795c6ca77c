"""A bundle of the real wheels, installed in a network namespace without a network, ranks documents there.

`run.py test-bundle` runs this, and nothing else does: pip fetches the wheels from where it is set up to.
"""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = f"linux-{platform.machine()}"
NO_NETWORK = ["unshare", "--map-root-user", "--net"]
_INTERFACES = "print([line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]])"


def without_pip_settings() -> dict[str, str]:
    """As on the other machine: pip is set up to nothing, and no path leads back to this checkout."""
    dropped = ("PIP_", "PYTHON", "VIRTUAL_ENV", "COLIBRI_", "XDG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def offline(*words: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = [*NO_NETWORK, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=without_pip_settings(), cwd=cwd)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of this checkout for this machine, with [cpu]."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        pytest.skip("no network namespaces here")
    if subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace can be had here (unshare --map-root-user --net)")
    out = tmp_path_factory.mktemp("bundle") / "out"
    words = ["--platform", HERE, "--python", "{}.{}".format(*sys.version_info), "--extras", "cpu"]
    done = subprocess.run(
        [sys.executable, "-m", "colibri", "bundle", str(out), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    return out


def test_a_namespace_has_no_way_out(bundle: Path) -> None:
    assert offline(sys.executable, "-c", _INTERFACES, cwd=bundle).stdout == "['lo']\n"


def test_one_bit_of_the_largest_wheel_and_nothing_is_installed(bundle: Path, tmp_path: Path) -> None:
    wheel = max((bundle / "wheels").iterdir(), key=lambda path: path.stat().st_size)
    at = wheel.stat().st_size // 2
    with wheel.open("r+b") as file:
        file.seek(at)
        right = file.read(1)[0]
        try:
            file.seek(at)
            file.write(bytes([right ^ 1]))
            file.flush()
            done = offline(sys.executable, bundle / "install.py", tmp_path / "installed", cwd=tmp_path)
        finally:
            file.seek(at)
            file.write(bytes([right]))
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"nothing is installed: missing, changed or not listed in SHA256SUMS: wheels/{wheel.name}"
    )
    assert not (tmp_path / "installed").exists()


def test_installed_without_a_network_it_ranks_documents_without_one(bundle: Path, tmp_path: Path) -> None:
    home = tmp_path / "installed"
    done = offline(sys.executable, bundle / "install.py", home, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(f"installed: {home / 'bin' / 'colibri'}")
    found = offline(home / "bin" / "python", "-c", "import colibri; print(colibri.__file__)", cwd=tmp_path)
    assert found.stdout.startswith(str(home))
    asked = ["how many people live in Berlin?", "Bread is baked.", "Berlin has 3.7 million inhabitants."]
    ranked = offline(home / "bin" / "colibri", "rerank", *asked, cwd=tmp_path)
    assert ranked.returncode == 0, ranked.stderr
    print(ranked.stdout)
    assert "million inhabitants" in ranked.stdout.splitlines()[0]
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    print(f"{sum(path.stat().st_size for path in files) / 1e6:.1f} MB in {len(files):,} files, pip among them")
