"""Rules that no graph can obey are refused when colibri.json is read, not when a text first meets them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import colibri
from colibri.artefact import finding as artefact
from colibri.errors import ArtefactError

Document = dict[str, Any]
Edit = Callable[[Callable[[Document], object]], Path]

TOO_LONG = {"mask_id": 14, "to_tokens": 65, "attended": False}
NO_SUCH_MASK = {"mask_id": 293, "to_tokens": 16, "attended": False}
UNATTENDED = {"mask_id": 14, "to_tokens": 16, "attended": False}

# tiny-random-bert: 64 positions, 293 ids, start and end and marker take 3 places, documents run without a mask.
IMPOSSIBLE: dict[str, tuple[str, Callable[[Document], object]]] = {
    "more tokens than positions": ("document.max_tokens", lambda d: d["document"].update(max_tokens=65)),
    "no room for the frame": ("document.max_tokens", lambda d: d["document"].update(max_tokens=2)),
    "a negative length": ("query.max_tokens", lambda d: d["query"].update(max_tokens=-1)),
    "expansion over the positions": ("query.expansion.to_tokens", lambda d: d["query"].update(expansion=TOO_LONG)),
    "a marker outside the vocabulary": ("document.marker_id", lambda d: d["document"].update(marker_id=293)),
    "a negative marker": ("document.marker_id", lambda d: d["document"].update(marker_id=-1)),
    "a mask outside the vocabulary": ("query.expansion.mask_id", lambda d: d["query"].update(expansion=NO_SUCH_MASK)),
    "an end outside the vocabulary": ("tokenizer.end_ids", lambda d: d["tokenizer"].update(end_ids=[293])),
    "no start, so no row for an empty text": ("tokenizer.start_ids", lambda d: d["tokenizer"].update(start_ids=[])),
    "unattended masks without a mask input": ("masked_document", lambda d: d["document"].update(expansion=UNATTENDED)),
    "a dim with two heads": ("heads", lambda d: d["heads"].append(d["heads"][0])),
    "a number that JSON does not have": ("norm_epsilon", lambda d: d["architecture"].update(norm_epsilon=float("nan"))),
    "no variants": ("variants", lambda d: d.update(variants={})),
    "a variant without providers": (
        "variants.portable.providers",
        lambda d: d["variants"]["portable"].update(providers=[]),
    ),
    "an engine of which nothing is known": (
        "variants.portable.engine",
        lambda d: d["variants"]["portable"].update(precision="engine"),
    ),
    "an engine that takes no shape": (
        "variants.portable.engine.profiles",
        lambda d: d["variants"]["portable"].update(
            precision="engine", engine={"compute_capability": "89", "tensorrt": "1.0", "profiles": []}
        ),
    ),
    "a small file in parts": (
        "files.tokenizer.json.parts_sha256",
        lambda d: d["files"]["tokenizer.json"].update(parts_sha256=["0" * 64]),
    ),
    "a large file with a part too few": (
        "files.tokenizer.json.parts_sha256",
        lambda d: d["files"]["tokenizer.json"].update(size_bytes=1 << 28, parts_sha256=["0" * 64] * 3),
    ),
    "a variant without graphs": ("variants.portable.graphs", lambda d: d["variants"]["portable"].update(graphs=[])),
}


@pytest.mark.parametrize(("path", "change"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_a_rule_that_no_graph_can_obey_is_refused(path: str, change: Callable[[Document], object], edit: Edit) -> None:
    folder = edit(change)
    with pytest.raises(ArtefactError) as caught:
        artefact.find(folder)
    assert path in str(caught.value).removeprefix(str(folder))


def test_the_longest_and_shortest_rules_are_read(edit: Edit) -> None:
    def change(document: Document) -> None:
        document["document"]["max_tokens"] = 64
        document["query"] |= {"max_tokens": 3, "expansion": {"mask_id": 292, "to_tokens": 64, "attended": False}}

    folder = edit(change)
    model = colibri.load(folder, variant="cpu-fp32")
    assert len(model.encode_documents(["water " * 100]).rows) == 64
    assert len(model.encode_queries(["water " * 100]).rows) == 64
