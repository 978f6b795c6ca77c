"""Parity: a graph for some processors that is too far from float32 is left out, one for all of them is an error."""

import dataclasses
import logging
import shutil
from pathlib import Path

import onnx
import pytest

from colibri.artefact import Artefact
from colibri.artefact import finding as artefact
from colibri.artefact.manifest import FileEntry, Graph
from colibri.errors import ExportError
from colibri_export.verify import measure
from reference import ARTEFACTS

TINY = "tiny-random-xlmr"


def with_a_bad_graph(tmp_path: Path, *, features: tuple[str, ...]) -> Artefact:
    """A tiny artefact whose cpu-int8 has before its last graph another one, which says the same of every token."""
    found = artefact.find(shutil.copytree(ARTEFACTS / TINY, tmp_path / TINY))
    variant = found.manifest.variants["cpu-int8"]
    *others, last = variant.graphs
    model = onnx.load(found.path(last.document), load_external_data=False)
    for node in model.graph.node:
        if node.op_type == "LayerNormalization":
            next(attribute for attribute in node.attribute if attribute.name == "epsilon").f = 1e9
    path = found.folder / "bad.onnx"
    path.write_bytes(model.SerializeToString())
    bad = dataclasses.replace(last, query=path.name, document=path.name, any_cpu_feature=features)
    size = path.stat().st_size
    files = {**found.manifest.files, path.name: FileEntry(size_bytes=size, sha256="")}
    changed = dataclasses.replace(variant, graphs=(*others, bad, last), size_bytes=variant.size_bytes + size)
    variants = found.manifest.variants | {"cpu-int8": changed}
    return Artefact(found.folder, dataclasses.replace(found.manifest, variants=variants, files=files))


def without_parity(graphs: tuple[Graph, ...]) -> list[Graph]:
    return [dataclasses.replace(graph, parity=None) for graph in graphs]


def test_a_graph_for_some_processors_that_misses_is_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = with_a_bad_graph(tmp_path, features=("avx2",))
    with caplog.at_level(logging.WARNING, "colibri_export"):
        found = measure(made, made, "cpu-fp32").variants["cpu-int8"]
    before = artefact.find(ARTEFACTS / TINY).manifest.variants["cpu-int8"]
    assert without_parity(found.graphs) == without_parity(before.graphs)
    assert found.size_bytes == before.size_bytes
    assert found.graphs[-1].parity is not None
    [told] = caplog.messages
    assert told.startswith("cpu-int8 (bad.onnx) is too far from float32: dim ")
    assert told.endswith("this graph is left out, and cpu-int8.u8.onnx runs in its place")


def test_a_variant_without_a_graph_for_every_processor_misses_as_a_whole(tmp_path: Path) -> None:
    made = with_a_bad_graph(tmp_path, features=())
    variant = made.manifest.variants["cpu-int8"]
    only = dataclasses.replace(variant, graphs=variant.graphs[:-1])
    manifest = dataclasses.replace(made.manifest, variants=made.manifest.variants | {"cpu-int8": only})
    with pytest.raises(ExportError, match=r"cpu-int8 \(bad\.onnx\) is too far from float32"):
        measure(dataclasses.replace(made, manifest=manifest), made, "cpu-fp32")
