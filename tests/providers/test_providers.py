"""Which graph runs where: a pure choice, tried with machines that are not here."""

import dataclasses
import sys
from pathlib import Path

import pytest

import colibri
from colibri import providers
from colibri.artefact.finding import Artefact
from colibri.artefact.manifest import Engine, Manifest, Profile
from colibri.errors import InputError, MissingExtra, ProviderError
from colibri.machine import install_command
from colibri.providers import CPU, Choices, choices, choose
from colibri.providers.devices import Device, Here, cpu
from colibri.providers.known import ORDER, known_provider

CUDA = "CUDAExecutionProvider"
RTX, WEBGPU = "NvTensorRTRTXExecutionProvider", "WebGpuExecutionProvider"


def changed(manifest: Manifest, name: str, **changes: object) -> Manifest:
    """The manifest with one variant changed."""
    variant = dataclasses.replace(manifest.variants[name], **changes)  # type: ignore[arg-type]
    return dataclasses.replace(manifest, variants=manifest.variants | {name: variant})


def with_gpu_first(manifest: Manifest) -> Manifest:
    """The manifest with `portable` once more, as the preferred variant `gpu`."""
    gpu = dataclasses.replace(manifest.variants["portable"], providers=("Rtx", CUDA, CPU))
    return dataclasses.replace(manifest, variants={"gpu": gpu, **manifest.variants})


@pytest.mark.parametrize(
    ("features", "graph"),
    [
        ({"avx512_vnni", "avx2"}, "cpu-int8.s8.onnx"),
        ({"avx_vnni", "avx2"}, "cpu-int8.s8.onnx"),
        ({"neon"}, "cpu-int8.s8.onnx"),
        ({"avx2"}, "cpu-int8.s8a7.onnx"),
        (set(), "cpu-int8.u8.onnx"),
        ({"something_new"}, "cpu-int8.u8.onnx"),
    ],
)
def test_of_the_graphs_that_are_right_here_the_fastest_runs(features: set[str], graph: str, tiny: Artefact) -> None:
    choice = choose(tiny.manifest, None, features, [CPU], "1.20.0")
    assert (choice.variant_name, choice.graph.document, choice.provider) == ("cpu-int8", graph, CPU)


def test_an_artefact_of_before_runs_its_graph_for_every_processor(bert: Artefact) -> None:
    older = tuple(g for g in bert.manifest.variants["cpu-int8"].graphs if g.any_cpu_feature != ("avx2",))
    manifest = changed(bert.manifest, "cpu-int8", graphs=older)
    assert choose(manifest, None, {"avx2"}, [CPU], "1.20.0").graph.document == "cpu-int8.u8.onnx"


@pytest.mark.parametrize("name", ["cpu-int8", "cpu-fp32", "portable"])
def test_a_named_variant_is_taken(name: str, tiny: Artefact) -> None:
    choice = choose(tiny.manifest, name, [], [CPU], "1.20.0")
    assert (choice.variant_name, choice.variant) == (name, tiny.manifest.variants[name])


def test_an_unknown_variant_is_refused_with_those_there_are(tiny: Artefact) -> None:
    with pytest.raises(InputError, match=r"variant 'fp8': tiny-random-\w+ has cpu-int8, cpu-fp32, portable"):
        choose(tiny.manifest, "fp8", [], [CPU], "1.20.0")


def test_the_first_variant_that_can_run_is_taken(bert: Artefact) -> None:
    for manifest in (
        changed(bert.manifest, "cpu-int8", providers=(CUDA,)),
        changed(bert.manifest, "cpu-int8", minimum_onnxruntime="9.0"),
        changed(bert.manifest, "cpu-int8", graphs=bert.manifest.variants["cpu-int8"].graphs[:1]),
    ):
        assert choose(manifest, None, {"avx2"}, [CPU], "1.20.0").variant_name == "cpu-fp32"


def test_a_named_variant_is_never_replaced_by_another(bert: Artefact) -> None:
    manifest = changed(bert.manifest, "cpu-int8", providers=(CUDA,))
    with pytest.raises(ProviderError, match="cannot run here: cuda: not installed here") as caught:
        choose(manifest, "cpu-int8", [], [CPU], "1.20.0")
    assert "cpu-fp32" not in str(caught.value)


def test_the_best_provider_there_is_runs_it(bert: Artefact) -> None:
    manifest = changed(bert.manifest, "portable", providers=(CUDA, CPU))
    assert choose(manifest, "portable", [], [CPU, CUDA], "1.20.0").provider == CUDA
    assert choose(manifest, "portable", [], [CPU], "1.20.0").provider == CPU


@pytest.mark.parametrize(
    ("available", "variant", "provider"),
    [([CPU], "cpu-int8", CPU), ([CUDA, CPU], "gpu", CUDA), (["Azure", CPU], "cpu-int8", CPU)],
)
def test_a_variant_for_accelerators_is_taken_unnamed_only_where_there_is_one(
    available: list[str], variant: str, provider: str, bert: Artefact
) -> None:
    manifest = with_gpu_first(bert.manifest)
    choice = choose(manifest, None, [], available, "1.20.0")
    assert (choice.variant_name, choice.provider) == (variant, provider)
    named = choose(manifest, "gpu", [], available, "1.20.0")
    assert (named.variant_name, named.provider) == ("gpu", provider)


@pytest.mark.parametrize(
    ("provider", "unnamed"), [(CUDA, "portable"), ("MIGraphXExecutionProvider", "portable"), (WEBGPU, "cpu-int8")]
)
def test_what_is_made_for_the_cpu_runs_elsewhere_unnamed_only_where_that_is_surely_faster(
    provider: str, unnamed: str, bert: Artefact
) -> None:
    manifest = changed(bert.manifest, "portable", providers=(CPU, provider))
    assert choose(manifest, None, [], [provider, CPU], "1.24.0").variant_name == unnamed
    assert choose(manifest, "portable", [], [provider, CPU], "1.24.0").provider == provider
    here = Here.named("1.24.0", [provider, CPU])
    asked = choices(manifest, [], here, provider=known_provider(provider).name).found
    assert [(choice.variant_name, choice.provider) for choice in asked] == [("portable", provider)]


def test_providers_are_taken_in_one_order_whatever_the_manifests(bert: Artefact) -> None:
    backwards = (CPU, *(one.execution_provider for one in reversed(ORDER) if one.execution_provider != CPU))
    half = dataclasses.replace(bert.manifest.variants["portable"], providers=(*backwards[1:], CPU))
    manifest = dataclasses.replace(
        bert.manifest, variants={"cpu-int8": bert.manifest.variants["cpu-int8"], "half": half}
    )
    left = [one.execution_provider for one in ORDER]
    taken = []
    while left:
        choice = choose(manifest, None, [], left, "1.24.0")
        taken.append((known_provider(choice.provider).name, choice.variant_name))
        left.remove(choice.provider)
    assert [name for name, _ in taken] == [
        *("tensorrt-rtx", "tensorrt", "cuda", "migraphx", "coreml", "directml", "webgpu", "openvino", "cpu")
    ]
    assert {variant for name, variant in taken if name != "cpu"} == {"half"}
    assert taken[-1] == ("cpu", "cpu-int8")


def test_an_engine_is_taken_unnamed_where_the_gpu_is_one_it_was_built_for(bert: Artefact) -> None:
    profile = Profile(role="query", minimum=(1, 1), optimum=(1, 8), maximum=(4, 64))
    engine = Engine(compute_capability="89,120", tensorrt="1.7", profiles=(profile,))
    portable = bert.manifest.variants["portable"]
    built = dataclasses.replace(portable, precision="engine", providers=(RTX,), engine=engine)
    half = dataclasses.replace(portable, providers=(RTX, CPU))
    manifest = dataclasses.replace(bert.manifest, variants={"tensorrt": built, "gpu-fp16": half})

    def on(capability: str | None, variant: str | None = None) -> Choices:
        gpu = Device(RTX, "gpu", "an RTX", capability)
        return choices(manifest, [], Here("1.24.0", {RTX: gpu, CPU: cpu()}), variant_name=variant)

    assert on("89").found[0].variant_name == "tensorrt"
    assert on("86").found[0].variant_name == "gpu-fp16"
    told = "tensorrt-rtx: tensorrt is an engine for compute capability 89,120, this GPU has 86"
    assert on("86").reasons == (told,)
    assert on("86", "tensorrt").found == ()
    assert on(None).found[0].variant_name == "gpu-fp16"
    assert on(None, "tensorrt").found[0].variant_name == "tensorrt"


def test_an_artefact_for_accelerators_only_says_how_the_cpu_would_run_it(bert: Artefact) -> None:
    manifest = with_gpu_first(bert.manifest)
    manifest = dataclasses.replace(manifest, variants={"gpu": manifest.variants["gpu"]})
    with pytest.raises(ProviderError) as caught:
        choose(manifest, None, [], [CPU], "1.20.0")
    assert str(caught.value) == (
        "tiny-random-bert cannot run here: cuda: not installed here; Rtx: not installed here; "
        "cpu: gpu is made for accelerators; the CPU runs it only when asked for 'gpu' by name"
    )


def test_an_engine_is_run_only_when_named_and_where_its_provider_is(bert: Artefact) -> None:
    profile = Profile(role="query", minimum=(1, 1), optimum=(1, 8), maximum=(4, 64))
    engine = Engine(compute_capability="89,120", tensorrt="1.7", profiles=(profile,))
    variant = dataclasses.replace(
        bert.manifest.variants["portable"], precision="engine", providers=("Rtx",), engine=engine
    )
    manifest = dataclasses.replace(bert.manifest, variants={"tensorrt": variant, **bert.manifest.variants})
    assert choose(manifest, None, [], ["Rtx", CPU], "1.24.0").variant_name == "cpu-int8"
    assert choose(manifest, "tensorrt", [], ["Rtx", CPU], "1.24.0").provider == "Rtx"
    with pytest.raises(ProviderError, match="Rtx: not installed here"):
        choose(manifest, "tensorrt", [], [CPU], "1.24.0")
    manifest = dataclasses.replace(manifest, variants={"tensorrt": variant})
    with pytest.raises(
        ProviderError, match=r"tensorrt is an engine for compute capability 89,120, run only when named"
    ):
        choose(manifest, None, [], ["Rtx", CPU], "1.24.0")


@pytest.mark.parametrize("version", ["1.20.0", "1.20", "1.32.0", "2.0.0", "1.20.0.dev20250101", "1.21.0+cpu", "10.0"])
def test_a_new_enough_onnxruntime_is_taken(version: str, bert: Artefact) -> None:
    assert choose(bert.manifest, None, [], [CPU], version).variant_name == "cpu-int8"


@pytest.mark.parametrize("version", ["1.19.2", "1.9.0", "0.99", "1.2"])
def test_an_old_onnxruntime_is_refused_with_what_is_wanted(version: str, bert: Artefact) -> None:
    with pytest.raises(ProviderError, match=rf"portable wants onnxruntime 1\.20 or newer, here is {version}"):
        choose(bert.manifest, "portable", [], [CPU], version)


def test_every_reason_is_given_when_nothing_can_run(bert: Artefact) -> None:
    manifest = changed(bert.manifest, "cpu-int8", graphs=bert.manifest.variants["cpu-int8"].graphs[:1])
    manifest = changed(manifest, "cpu-fp32", minimum_onnxruntime="9.0")
    manifest = changed(manifest, "portable", providers=(CUDA, "Other"))
    with pytest.raises(ProviderError) as caught:
        choose(manifest, None, {"avx2"}, [CPU], "1.20.0")
    assert str(caught.value) == (
        "tiny-random-bert cannot run here: cuda: not installed here; Other: not installed here; "
        "cpu: cpu-int8 wants one of the CPU features avx512_vnni, avx_vnni, neon; "
        "cpu-fp32 wants onnxruntime 9.0 or newer, here is 1.20.0"
    )


def test_cpu_features_are_names_that_manifests_use() -> None:
    assert providers.cpu_features() <= {"avx512_vnni", "avx_vnni", "neon", "avx2"}


def test_an_onnxruntime_is_here() -> None:
    assert providers.runtime_distributions()
    providers.require_onnxruntime()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, the only one that Python sees."""
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def install(site: Path, distribution: str) -> None:
    """Put a distribution that owns the module `onnxruntime` there, as pip records it."""
    (site / "onnxruntime").mkdir(exist_ok=True)
    (site / "onnxruntime" / "__init__.py").touch()
    info = site / f"{distribution.replace('-', '_')}-1.32.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.32.0\n", encoding="utf-8")
    (info / "top_level.txt").write_text("onnxruntime\n", encoding="utf-8")


@pytest.mark.parametrize("distribution", ["onnxruntime", "onnxruntime-gpu"])
def test_one_onnxruntime_is_as_it_should_be(distribution: str, site: Path) -> None:
    install(site, distribution)
    assert providers.require_onnxruntime() is None
    assert providers.runtime_distributions() == [distribution]


@pytest.mark.parametrize("other", ["onnxruntime-gpu", "onnxruntime-openvino", "ort-nightly"])
def test_two_onnxruntimes_are_warned_of_with_the_remedy(other: str, site: Path) -> None:
    install(site, "onnxruntime")
    install(site, other)
    warning = providers.require_onnxruntime()
    assert warning is not None
    assert warning.startswith(f"onnxruntime and {other} are installed together")
    assert f"pip uninstall onnxruntime {other}" in warning
    assert install_command("cpu") in warning


def test_loading_a_model_beside_two_onnxruntimes_warns(bert: Artefact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "require_onnxruntime", lambda: "two of them")
    with pytest.warns(RuntimeWarning, match="two of them"):
        colibri.load(bert.folder)


@pytest.mark.usefixtures("site")
def test_no_onnxruntime_is_an_error_that_names_the_extra() -> None:
    with pytest.raises(MissingExtra, match=r"no onnxruntime \(colibri-edge\[cpu\]\): pip install "):
        providers.require_onnxruntime()


def test_files_left_by_an_uninstalled_onnxruntime_are_told_from_one(site: Path) -> None:
    (site / "onnxruntime" / "capi").mkdir(parents=True)
    with pytest.raises(MissingExtra, match="left-over files"):
        providers.require_onnxruntime()
