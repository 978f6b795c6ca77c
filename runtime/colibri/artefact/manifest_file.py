"""colibri.json on disk: written, read, and refused where its format or its facts are none that this runtime knows."""

import dataclasses
import json
import re
from pathlib import Path

from colibri.artefact.manifest import Manifest
from colibri.artefact.rules import ROLES, check
from colibri.artefact.typed_json import parse_typed
from colibri.errors import ArtefactError

FILE_NAME = "colibri.json"
FORMAT = (1, 5)  # a new minor adds keys (older files stay readable), a new major changes their meaning

_FORMAT_NUMBERS = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})")


def read_manifest(path: Path) -> Manifest:
    """Read and check a colibri.json. Raises ArtefactError, naming the key, when anything is not as it must be."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ArtefactError(f"{path}: cannot be read as JSON ({error})") from error
    try:
        _check_format(document)
        manifest: Manifest = parse_typed(Manifest, document, "")
        check(manifest, FILE_NAME)
    except ArtefactError as error:
        raise ArtefactError(f"{path}: {error}") from None
    return manifest


def needed_format(manifest: Manifest) -> str:
    """The oldest format, from 1.2, that can say all of it: older runtimes then read what they could follow."""
    if manifest.tokenizer.file == "tokenizer.rules.json":
        return "1.5"
    if manifest.cutoffs is not None:
        return "1.4"
    roles = any(manifest.role(name).drop_start_rows for name in ROLES)
    tokenizer = manifest.tokenizer.lowercase or manifest.tokenizer.folding != "none"
    told = manifest.golden_scores or any(row.source for row in manifest.golden)
    return "1.3" if roles or tokenizer or told else "1.2"


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a colibri.json that `read` returns unchanged, with the keys that its format knows."""
    document = dataclasses.asdict(manifest)
    minor = int(manifest.format.partition(".")[2])
    if minor < 4:
        del document["cutoffs"]
    if minor < 3:
        del document["golden_scores"], document["tokenizer"]["lowercase"], document["tokenizer"]["folding"]
        for part in (document["query"], document["document"]):
            del part["drop_start_rows"]
        for row in document["golden"]:
            del row["source"]
    text = json.dumps(document, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _check_format(document: object) -> None:
    found = document.get("format") if isinstance(document, dict) else None
    numbers = _FORMAT_NUMBERS.fullmatch(found) if isinstance(found, str) else None
    if numbers is None:
        raise ArtefactError(f'format: found {found!r}, wanted "major.minor"')
    major, minor = int(numbers[1]), int(numbers[2])
    if major != FORMAT[0] or minor > FORMAT[1]:
        remedy = "upgrade colibri-edge" if (major, minor) > FORMAT else "export the checkpoint again"
        raise ArtefactError(
            f"format: found {found}, this runtime reads {FORMAT[0]}.0 to {FORMAT[0]}.{FORMAT[1]}; {remedy}"
        )
