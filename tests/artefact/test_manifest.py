"""colibri.json: what is written is read back, and whatever is not as it must be is refused by the key's path."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from colibri.artefact import manifest_file
from colibri.artefact.finding import Artefact
from colibri.artefact.hashing import PART_BYTES
from colibri.errors import ArtefactError
from colibri.model import Colibri
from reference import ARTEFACTS

Keys = tuple[str | int, ...]

# Objects whose keys are names of things; all others are dataclasses.
_FREE = re.compile(r"source\.files|variants|variants\.[^.]+\.outputs|.*\.parity|files|.*\.false_positives")
_NULLABLE = re.compile(
    r"source\.revision|architecture\.(local_)?rotary_base|architecture\.(local_window|global_every)|storage|storage\.scale"
    r"|heads\[0\]\.truncated_from|(query|document)\.(marker_id|prefix|expansion|weights_file|recorded_max_tokens)"
    r"|tokenizer\.unigram_file|.*\.(parity|engine)|cutoffs|cutoffs\.rows\[0\]\.max_weight"
)
_OTHER_TYPES: dict[type, list[object]] = {
    str: [7, ["x"]],
    int: ["7", 7.5, True],
    float: ["0.5", True],
    bool: [1, "true"],
    list: [{}, "x"],
    dict: [[], "x"],
}


def full_document() -> dict[str, Any]:
    """A colibri.json with every optional part present."""
    document: dict[str, Any] = json.loads((ARTEFACTS / "tiny-random-bert" / "colibri.json").read_text(encoding="utf-8"))
    document["format"] = "1.4"
    document["aliases"] = ["tiny"]
    document["tokenizer"]["unigram_file"] = "tokenizer.json"
    document["source"]["revision"] = "main"
    document["architecture"] |= {"rotary_base": 1e4, "local_rotary_base": 1e4, "local_window": 128, "global_every": 3}
    document["heads"][0]["truncated_from"] = 64
    for role in ("query", "document"):
        document[role] |= {"prefix": "search: ", "weights_file": "tokenizer.json", "recorded_max_tokens": 300}
        document[role]["expansion"] = {"mask_id": 14, "to_tokens": 16, "attended": False}
        document[role]["skiplist"] = {"rule": "custom", "ids": [15]}
    profile = {"role": "query", "minimum": [1, 1], "optimum": [1, 16], "maximum": [8, 32]}
    document["variants"] = {"portable": document["variants"]["portable"]}
    engine = {"compute_capability": "89", "tensorrt": "1.0", "profiles": [profile]}
    document["variants"]["portable"] |= {"precision": "engine", "engine": engine}
    document["storage"] = {"scheme": "collection-scale", "scale": 0.0078125}
    row = {"text": "x", "role": "query", "dim": 48, "row": 0, "values": [0.5, -0.5], "tolerance": 1e-4}
    document["golden"] = [row]
    cutoffs: dict[str, Any] = {"dim": 48, "min_weight": 0.5, "max_weight": 8.5, "balanced": 0.55}
    cutoffs["false_positives"] = {"0.01": 0.5, "0.001": 0.75}
    document["cutoffs"] = {"unit": "mean", "likely": "0.001", "maybe": "0.01", "source": "measured", "rows": [cutoffs]}
    document["files"]["tokenizer.json"] |= {"size_bytes": PART_BYTES + 1, "parts_sha256": ["0" * 64] * 2}
    return document


def walk(value: object, keys: Keys = ()) -> Iterator[tuple[Keys, object]]:
    """Every value below the root with its keys; of a list only the first item."""
    if keys:
        yield keys, value
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value[:1]))
    for key, item in items:
        yield from walk(item, (*keys, key))


def spell(keys: Keys) -> str:
    """The path as errors spell it: variants.portable.graphs[0].query."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def parent(document: Any, keys: Keys) -> Any:
    for key in keys[:-1]:
        document = document[key]
    return document


VALUES = {spell(keys): (keys, value) for keys, value in walk(full_document())}
FIELDS = [
    path for path, (keys, _) in VALUES.items() if isinstance(keys[-1], str) and not _FREE.fullmatch(spell(keys[:-1]))
]
OBJECTS = ["", *(path for path, (_, value) in VALUES.items() if isinstance(value, dict) and not _FREE.fullmatch(path))]
ADDED = {"parts_sha256", "composition", "folding", "cutoffs"}
"""Keys since format 1.1, 1.2, 1.3 and 1.4, which manifests of 1.0 do without."""
MISTYPED = [(path, wrong) for path, (_, value) in VALUES.items() for wrong in _OTHER_TYPES[type(value)]]


def refusal(document: object, folder: Path) -> str:
    """The message with which a document is refused."""
    path = folder / manifest_file.FILE_NAME
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(ArtefactError) as caught:
        manifest_file.read_manifest(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


def test_what_is_written_is_read_back(tiny: Artefact, mini: Colibri, tmp_path: Path) -> None:
    path = tmp_path / manifest_file.FILE_NAME
    path.write_text(json.dumps(full_document()), encoding="utf-8")
    for known in (tiny.manifest, mini.manifest, manifest_file.read_manifest(path)):
        manifest_file.write_manifest(known, path)
        assert manifest_file.read_manifest(path) == known


def test_reading_and_writing_keeps_every_byte(tiny: Artefact, tmp_path: Path) -> None:
    manifest_file.write_manifest(tiny.manifest, tmp_path / "written")
    assert (tmp_path / "written").read_bytes() == (tiny.folder / manifest_file.FILE_NAME).read_bytes()


def test_the_walk_reaches_every_class() -> None:
    # 20 dataclasses in the manifest; those that occur in several places are counted once a place.
    assert len(OBJECTS) > 20
    assert {"storage", "golden[0]", "variants.portable.engine.profiles[0]", "query.expansion"} <= set(OBJECTS)


@pytest.mark.parametrize("path", [path for path in FIELDS if VALUES[path][0][-1] not in ADDED])
def test_a_missing_key_is_refused_by_its_path(path: str, tmp_path: Path) -> None:
    keys, _ = VALUES[path]
    document = full_document()
    del parent(document, keys)[keys[-1]]
    assert f"{path}: " in refusal(document, tmp_path)


def test_a_manifest_of_an_older_minor_format_is_read_without_the_keys_added_since(tmp_path: Path) -> None:
    document = full_document() | {"format": "1.0"}
    del document["tokenizer"]["composition"]
    for key in ("folding", "lowercase"):
        document["tokenizer"].pop(key, None)
    for entry in document["files"].values():
        del entry["parts_sha256"]
    (tmp_path / manifest_file.FILE_NAME).write_text(json.dumps(document), encoding="utf-8")
    assert {
        entry.parts_sha256 for entry in manifest_file.read_manifest(tmp_path / manifest_file.FILE_NAME).files.values()
    } == {()}


@pytest.mark.parametrize("path", OBJECTS)
def test_an_unknown_key_is_refused_by_its_path(path: str, tmp_path: Path) -> None:
    document: dict[str, Any] = full_document()
    keys = VALUES[path][0] if path else ()
    target = parent(document, keys)[keys[-1]] if keys else document
    target["new_rule"] = None
    assert f"{path}.new_rule: unknown key".removeprefix(".") in refusal(document, tmp_path)


@pytest.mark.parametrize(("path", "wrong"), MISTYPED, ids=str)
def test_a_mistyped_value_is_refused_by_its_path(path: str, wrong: object, tmp_path: Path) -> None:
    keys, _ = VALUES[path]
    document = full_document()
    parent(document, keys)[keys[-1]] = wrong
    assert f"{path}: found {wrong!r}" in refusal(document, tmp_path)


@pytest.mark.parametrize("path", [path for path in VALUES if not _NULLABLE.fullmatch(path)])
def test_null_is_refused_where_a_value_is_wanted(path: str, tmp_path: Path) -> None:
    keys, _ = VALUES[path]
    document = full_document()
    parent(document, keys)[keys[-1]] = None
    assert f"{path}: found None" in refusal(document, tmp_path)


@pytest.mark.parametrize("path", [path for path in VALUES if _NULLABLE.fullmatch(path)])
def test_null_is_read_where_it_means_absent(path: str, tmp_path: Path) -> None:
    keys, _ = VALUES[path]
    document = full_document()
    parent(document, keys)[keys[-1]] = None
    if keys[-1] == "engine":  # wanted of an engine, and of nothing else
        parent(document, keys)["precision"] = "float32"
    (tmp_path / manifest_file.FILE_NAME).write_text(json.dumps(document), encoding="utf-8")
    manifest_file.read_manifest(tmp_path / manifest_file.FILE_NAME)


@pytest.mark.parametrize("found", ["1.6", "2.0", "10.0", "0.9"])
def test_another_format_is_refused_with_what_to_do(found: str, tmp_path: Path) -> None:
    message = refusal(full_document() | {"format": found, "a_newer_key": 1}, tmp_path)
    assert f"format: found {found}, this runtime reads 1.0 to 1.5" in message
    assert message.endswith("export the checkpoint again" if found == "0.9" else "upgrade colibri-edge")


NO_VERSIONS = ["", "1", "1.", "1.0.0", "one.zero", "-1.0", " 1.0", "1." + "9" * 5000, 1.0, None]


@pytest.mark.parametrize("found", NO_VERSIONS, ids=lambda found: repr(found)[:12])
def test_a_format_that_is_no_version_is_refused(found: object, tmp_path: Path) -> None:
    assert "format: found " in refusal(full_document() | {"format": found}, tmp_path)


GARBAGE = [b"", b"{", b"[]", b"null", b"7", b'"1.0"', b"\xff\xfe{}", b"[" * 100_000, b'{"format": "1.0"}\0']


@pytest.mark.parametrize("raw", GARBAGE, ids=lambda raw: repr(raw[:10]))
def test_garbage_is_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / manifest_file.FILE_NAME
    path.write_bytes(raw)
    with pytest.raises(ArtefactError, match=re.escape(str(path))):
        manifest_file.read_manifest(path)


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b", "a\\b", "", ".", "..", "nul\0", "colibri.json"])
def test_a_file_name_that_leaves_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    document = full_document()
    document["files"][name] = document["files"]["tokenizer.json"]
    assert f"files.{name}: wanted a plain file name" in refusal(document, tmp_path)


FILE_REFERENCES: list[Keys] = [
    ("tokenizer", "file"),
    ("query", "weights_file"),
    ("document", "weights_file"),
    ("variants", "portable", "graphs", 0, "query"),
    ("variants", "portable", "graphs", 0, "document"),
    ("variants", "portable", "data", 0),
]


@pytest.mark.parametrize("keys", FILE_REFERENCES, ids=spell)
@pytest.mark.parametrize("name", ["absent.bin", "../tokenizer.json", "colibri.json"])
def test_a_reference_to_an_unlisted_file_is_refused(keys: Keys, name: str, tmp_path: Path) -> None:
    document = full_document()
    parent(document, keys)[keys[-1]] = name
    assert f"{name!r} is not in files" in refusal(document, tmp_path)


HEAD_FAULTS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda document: document.update(default_dim=47), "default_dim: 47"),
    (lambda document: document.update(heads=[]), "default_dim: 48"),
    (lambda document: document["heads"].pop(), "variants.portable.outputs"),
    (lambda document: document["variants"]["portable"]["outputs"].pop("16"), "variants.portable.outputs"),
    (
        lambda document: document["variants"]["portable"]["outputs"].update({"8": "tokens_8"}),
        "variants.portable.outputs",
    ),
]


@pytest.mark.parametrize(("change", "path"), HEAD_FAULTS, ids=[path for _, path in HEAD_FAULTS])
def test_dims_heads_and_outputs_must_agree(
    change: Callable[[dict[str, Any]], object], path: str, tmp_path: Path
) -> None:
    document = copy.deepcopy(full_document())
    change(document)
    assert path in refusal(document, tmp_path)


def test_dims_are_listed_widest_first_whatever_their_order(tmp_path: Path) -> None:
    document = full_document()
    document["heads"].reverse()
    (tmp_path / manifest_file.FILE_NAME).write_text(json.dumps(document), encoding="utf-8")
    assert manifest_file.read_manifest(tmp_path / manifest_file.FILE_NAME).dims == (48, 32, 16)
