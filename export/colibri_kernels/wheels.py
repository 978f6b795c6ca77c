"""From the pure wheel to one wheel a platform: the same files, the platform's library and what it is, and new tags."""

import base64
import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path

from colibri.errors import InputError
from colibri.scoring.library import file_name
from colibri_kernels.targets import Target

FOLDER = "colibri/scoring/libraries"
MOST_BYTES = 1_000_000
"""What kernels may add to a wheel."""
_EPOCH = (2020, 2, 2, 0, 0, 0)  # hatchling's: the same sources give the same bytes


def platform_wheel(pure: Path, target: Target, libraries: Path, out: Path) -> Path:
    """Write the wheel of a target into a folder. Returns its path.

    pure       a wheel for any platform, which holds no library
    libraries  where `library.build` left the target's

    Raises InputError when the wheel is not pure, or the library is missing or larger than MOST_BYTES.
    """
    added = {f"{FOLDER}/{name}": _bytes(libraries / name) for name in (file_name(target.name), f"{target.name}.json")}
    if sum(map(len, added.values())) > MOST_BYTES:
        raise InputError(
            f"{target.name}: kernels of {sum(map(len, added.values()))} bytes, wanted {MOST_BYTES} at most"
        )
    name, version, python, abi, platform = pure.stem.split("-")
    if platform != "any":
        raise InputError(f"{pure.name}: wanted a wheel of any platform, to make one of {target.name}")
    made = out / f"{name}-{version}-{python}-{abi}-{'.'.join(target.tags)}.whl"
    out.mkdir(parents=True, exist_ok=True)
    unfinished = made.with_suffix(".partial")
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(pure) as source, zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as written:
        record = []
        for info in source.infolist():
            data = source.read(info)
            if info.filename.startswith(f"{FOLDER}/"):
                raise InputError(f"{pure.name} holds {info.filename}: wanted a wheel without libraries")
            if info.filename == f"{about}/RECORD":
                continue
            if info.filename == f"{about}/WHEEL":
                data = _of_platform(data.decode(), [f"{python}-{abi}-{tag}" for tag in target.tags]).encode()
            record.append(_put(written, info, data))
        for path, data in added.items():
            info = zipfile.ZipInfo(path, _EPOCH)
            info.external_attr, info.compress_type = 0o100644 << 16, zipfile.ZIP_DEFLATED
            record.append(_put(written, info, data))
        info = zipfile.ZipInfo(f"{about}/RECORD", _EPOCH)
        info.external_attr, info.compress_type = 0o100644 << 16, zipfile.ZIP_DEFLATED
        written.writestr(info, "".join(record) + f"{about}/RECORD,,\n")
    return unfinished.replace(made)


def pure_wheel(path: Path) -> Path:
    """The wheel at a path, or the only one for any platform in a folder. Raises InputError when there is not one."""
    if not path.is_dir():
        return path
    found = sorted(path.glob("*-any.whl"))
    if len(found) != 1:
        raise InputError(
            f"{path} holds {len(found)} wheels for any platform, wanted one: pip wheel --no-deps -w {path} ."
        )
    return found[0]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} is not there: python -m colibri_kernels build --target all") from None


def _of_platform(wheel: str, tags: Iterable[str]) -> str:
    """The file WHEEL (PEP 427) of a wheel that holds machine code."""
    kept = [line for line in wheel.splitlines() if line and not line.startswith(("Tag:", "Root-Is-Purelib:"))]
    return "\n".join([*kept, "Root-Is-Purelib: false", *(f"Tag: {tag}" for tag in tags)]) + "\n"


def _put(wheel: zipfile.ZipFile, info: zipfile.ZipInfo, data: bytes) -> str:
    """Write a file; returns its line in RECORD."""
    wheel.writestr(info, data)
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{info.filename},sha256={digest},{len(data)}\n"
