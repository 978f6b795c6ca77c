"""Write a bundle: wheels, artefacts, requirements with hashes, and the installer."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from colibri import artefact as artefacts
from colibri.artefact import Artefact, check_files, file_sha256
from colibri.errors import ExportError
from colibri_export.bundle.target import Target
from colibri_export.bundle.wheels import Wheel, fetch, own_wheel
from colibri_export.folders import partial_folder

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Bundled:
    """What was written: wheels, bytes of all files, and the SHA-256 of SHA256SUMS, to be compared by another way."""

    wheels: tuple[Wheel, ...]
    bytes: int
    sha256: str


def bundle(
    out: Path,
    target: Target,
    *,
    extras: Sequence[str] = ("cpu",),
    models: Sequence[Artefact] = (),
    wheel: Path | None = None,
    replace: bool = False,
) -> Bundled:
    """Write the folder `out` that installs Colibri on `target` without a network.

    extras   of Colibri
    models   artefacts that are found by name there, beside what comes along with the wheel
    wheel    of Colibri, or a checkout of it; None: where this copy came from
    replace  whether an existing bundle may be replaced

    Raises ExportError where a wheel cannot be had or `out` is in the way, ArtefactError for a damaged artefact.
    """
    if out.exists() and not (replace and (out / SUMS).is_file()):
        raise ExportError(f"{out}: exists already; choose another folder, or --replace where it is a bundle")
    source = wheel or came_from()
    for model in models:
        check_files(model)
    with partial_folder(out, replace) as folder:
        (folder / "wheels").mkdir()
        (folder / "artefacts").mkdir()
        wheels = fetch(own_wheel(source, folder / "wheels"), extras, target, folder / "wheels")
        lines = [f"{one.name}=={one.version} --hash=sha256:{file_sha256(one.path)}" for one in wheels]
        (folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "PYTHON").write_text(f"{target.python}\n", encoding="utf-8")
        shutil.copyfile(Path(__file__).with_name("installer.py"), folder / "install.py")
        for model in models:
            _copy(model, folder / "artefacts" / model.manifest.name)
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        sums = "".join(f"{file_sha256(path)}  {name}\n" for name, path in sorted(files.items()))
        (folder / SUMS).write_text(sums, encoding="utf-8", newline="\n")
        size = sum(path.stat().st_size for path in files.values()) + len(sums)
    return Bundled(tuple(wheels), size, hashlib.sha256(sums.encode()).hexdigest())


def came_from() -> Path:
    """The checkout or wheel that this copy was installed from (PEP 610). Raises ExportError where it is gone."""
    try:
        origin = json.loads(metadata.distribution("colibri-edge").read_text("direct_url.json") or "{}")
        path = Path(unquote(urlsplit(str(origin["url"])).path))
    except (metadata.PackageNotFoundError, LookupError, ValueError):
        raise ExportError("nothing says which wheel this copy was installed from; wanted --wheel FILE") from None
    if not path.exists():
        raise ExportError(f"{path}: this copy was installed from it, and it is gone; wanted --wheel FILE")
    return path


def _copy(model: Artefact, folder: Path) -> None:
    folder.mkdir()
    for name in (artefacts.FILE_NAME, *model.manifest.files):
        shutil.copyfile(model.path(name), folder / name)
