"""Fetch the wheels of a package with all that it needs on another machine."""

import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from colibri.errors import ExportError
from colibri_export.bundle.target import Target

_OWN = "colibri-edge"


@dataclass(frozen=True)
class Wheel:
    """What a wheel says of itself."""

    path: Path
    name: str
    version: str
    requires: tuple[Requirement, ...]


def read_wheel(path: Path) -> Wheel:
    """Its name, version and requirements. Raises ExportError for what is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            said = HeaderParser().parsestr(archive.read(member).decode("utf-8"))
        requires = tuple(Requirement(line) for line in said.get_all("Requires-Dist") or [])
        return Wheel(path, canonicalize_name(said["Name"]), said["Version"], requires)
    except (OSError, ValueError, StopIteration, zipfile.BadZipFile, TypeError) as error:
        raise ExportError(f"{path}: cannot be read as a wheel ({error!r})") from error


def own_wheel(source: Path, folder: Path) -> Path:
    """The wheel of Colibri itself, in `folder`: `source`, copied, or built of it where it is a checkout.

    Raises ExportError for what is neither, or is of another package.
    """
    if source.is_dir():
        _pip(["wheel", "--no-deps", "--wheel-dir", str(folder), str(source)])
    elif source.suffix == ".whl" and source.is_file():
        (folder / source.name).write_bytes(source.read_bytes())
    else:
        raise ExportError(f"{source}: no wheel and no checkout of Colibri; wanted --wheel FILE")
    (made,) = folder.glob("*.whl")
    if (found := read_wheel(made).name) != _OWN:
        raise ExportError(f"{source}: is {found}; wanted a wheel, or a checkout, of {_OWN}")
    return made


def fetch(own: Path, extras: Iterable[str], target: Target, folder: Path) -> list[Wheel]:
    """Fetch all that `own` with these extras needs on the target, into `folder`, where `own` lies; all wheels by name.

    pip holds markers (`; python_version < "3.14"`) against the Python that runs it, so what they say of the target is
    asked here, of every wheel, until nothing is missing. Raises ExportError where pip finds no wheel for the target.
    """
    extras = sorted(set(extras))
    known = {extra for line in read_wheel(own).requires for extra in _extras_of(line)}
    if unknown := set(extras) - known:
        raise ExportError(
            f"{own.name} has no extra {', '.join(sorted(unknown))}; wanted some of {', '.join(sorted(known))}"
        )
    words = [str(own) + (f"[{','.join(extras)}]" if extras else "")]
    for _ in range(10):  # each round goes one requirement deeper, of those that pip did not see
        _pip(["download", "--dest", str(folder), "--find-links", str(folder), *target.pip_words, *words])
        wheels = sorted((read_wheel(path) for path in folder.glob("*.whl")), key=lambda wheel: wheel.name)
        words = sorted({str(needed) for needed in _missing(wheels, read_wheel(own).name, extras, target)})
        if not words:
            return list(_needed(wheels, read_wheel(own).name, extras, target))
    raise ExportError(f"{', '.join(words)}: still missing after ten rounds of pip")


def _extras_of(requirement: Requirement) -> list[str]:
    marker = str(requirement.marker or "").replace("'", '"')
    return [part.split('"')[1] for part in marker.split("extra == ")[1:]]


def _holds(requirement: Requirement, extras: Sequence[str], target: Target) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({**target.markers, "extra": extra}) for extra in (*extras, ""))


def _missing(wheels: list[Wheel], own: str, extras: Sequence[str], target: Target) -> Iterator[Requirement]:
    """Requirements that hold on the target and that no wheel satisfies, without their markers."""
    there = {wheel.name: wheel for wheel in wheels}
    asked, left = set[tuple[str, tuple[str, ...]]](), [(own, tuple(extras))]
    while left:
        name, wanted = left.pop()
        if (name, wanted) in asked:
            continue
        asked.add((name, wanted))
        for requirement in there[name].requires:
            if not _holds(requirement, wanted, target):
                continue
            needed = there.get(canonicalize_name(requirement.name))
            if needed is None or not requirement.specifier.contains(Version(needed.version), prereleases=True):
                plain = Requirement(str(requirement))
                plain.marker = None
                yield plain
            else:
                left.append((needed.name, tuple(sorted(requirement.extras))))


def _needed(wheels: list[Wheel], own: str, extras: Sequence[str], target: Target) -> Iterator[Wheel]:
    """Those that something needs on the target; what pip fetched for this machine's markers alone is removed."""
    there = {wheel.name: wheel for wheel in wheels}
    reached, left = set[str](), [(own, tuple(extras))]
    seen = set[tuple[str, tuple[str, ...]]]()
    while left:
        one = left.pop()
        if one in seen:
            continue
        seen.add(one)
        reached.add(one[0])
        left += [
            (canonicalize_name(requirement.name), tuple(sorted(requirement.extras)))
            for requirement in there[one[0]].requires
            if _holds(requirement, one[1], target)
        ]
    for wheel in wheels:
        if wheel.name in reached:
            yield wheel
        else:
            wheel.path.unlink()


def _pip(words: Sequence[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.startswith("ERROR")]
        raise ExportError(f"pip {words[0]} failed: {' '.join(said) or done.stderr.strip()[-500:]}")
