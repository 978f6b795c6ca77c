"""A platform's wheel from a pure one, with a library of a few bytes; `run.py wheels` makes and tests the real ones."""

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from colibri.errors import InputError
from colibri.scoring.library import file_name
from colibri_kernels.targets import TARGETS, target
from colibri_kernels.wheels import FOLDER, MOST_BYTES, platform_wheel, pure_wheel

ABOUT = "colibri_edge-0.1.0.dist-info"
WHEEL = "Wheel-Version: 1.0\nGenerator: hatchling 1.27.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def written(folder: Path, **more: str) -> Path:
    """A small pure wheel."""
    path = folder / "colibri_edge-0.1.0-py3-none-any.whl"
    files = {"colibri/__init__.py": "", f"{ABOUT}/METADATA": "Name: colibri-edge\n", f"{ABOUT}/WHEEL": WHEEL} | more
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, f"{ABOUT}/RECORD": "".join(f"{each},,\n" for each in files)}.items():
            wheel.writestr(name, text)
    return path


def libraries(folder: Path, size: int = 1000) -> Path:
    """What stands for every target's library."""
    for name in TARGETS:
        (folder / file_name(name)).write_bytes(bytes(size))
        (folder / f"{name}.json").write_text("{}")
    return folder


@pytest.mark.parametrize("name", TARGETS)
def test_a_wheel_gets_its_library_its_tags_and_a_record_of_all(name: str, tmp_path: Path) -> None:
    made = platform_wheel(written(tmp_path), target(name), libraries(tmp_path), tmp_path / "out")
    assert made.name == f"colibri_edge-0.1.0-py3-none-{'.'.join(target(name).tags)}.whl"
    assert list((tmp_path / "out").iterdir()) == [made]
    with zipfile.ZipFile(made) as wheel:
        own = [f"{FOLDER}/{file_name(name)}", f"{FOLDER}/{name}.json"]
        kept = ["colibri/__init__.py", f"{ABOUT}/METADATA", f"{ABOUT}/WHEEL"]
        assert wheel.namelist() == [*kept, *own, f"{ABOUT}/RECORD"]
        said = wheel.read(f"{ABOUT}/WHEEL").decode().splitlines()
        assert said[:2] == WHEEL.splitlines()[:2]
        assert said[2:] == ["Root-Is-Purelib: false", *(f"Tag: py3-none-{tag}" for tag in target(name).tags)]
        lines = wheel.read(f"{ABOUT}/RECORD").decode().splitlines()
        assert lines[-1] == f"{ABOUT}/RECORD,,"
        for line in lines[:-1]:
            path, digest, size = line.rsplit(",", 2)
            data = wheel.read(path)
            found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={found}", len(data))


def test_what_no_wheel_can_be_made_of_is_refused(tmp_path: Path) -> None:
    pure, linux = written(tmp_path), target("linux-x86_64")
    with pytest.raises(InputError, match=r"linux-x86_64\.so is not there: python -m colibri_kernels build"):
        platform_wheel(pure, linux, tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="wanted 1000000 at most"):
        platform_wheel(pure, linux, libraries(tmp_path, MOST_BYTES), tmp_path / "out")
    made = platform_wheel(pure, linux, libraries(tmp_path), tmp_path / "out")
    with pytest.raises(InputError, match="wanted a wheel of any platform"):
        platform_wheel(made, linux, tmp_path, tmp_path / "again")
    with pytest.raises(InputError, match="wanted a wheel without libraries"):
        platform_wheel(written(tmp_path, **{f"{FOLDER}/stray.so": ""}), linux, tmp_path, tmp_path / "stray")
    with pytest.raises(InputError, match="holds 0 wheels for any platform"):
        pure_wheel(tmp_path / "out")
    with pytest.raises(InputError, match="there are linux-x86_64, linux-aarch64"):
        target("plan9-x86_64")
