"""How providers are started: options by their own names, the shapes of their engines, and where they keep them. What
they do with that has only been seen of OpenVINO's (tests/openvino)."""

import ctypes
import dataclasses
import json
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from colibri import load
from colibri.artefact.finding import Artefact
from colibri.artefact.manifest import Engine
from colibri.providers import Choice, caches, nvidia
from colibri.providers.devices import Device
from colibri.providers.installed import look_for, register
from colibri.providers.known import ORDER, by_name
from colibri.providers.settings import Settings, settings_for
from colibri.providers.shapes import several_profiles
from reference import ARTEFACTS

ADA = Device("", "gpu", "NVIDIA RTX 4090", "89", {"gpu": "NVIDIA RTX 4090", "driver": "1"})


def choice(artefact: Artefact, name: str, variant: str = "portable", **facts: str) -> Choice:
    """The variant on a provider's device."""
    made, provider = artefact.manifest.variants[variant], by_name(name).execution_provider
    device = dataclasses.replace(ADA, execution_provider=provider, facts={**ADA.facts, **facts})
    return Choice(variant, made, made.graphs[0], provider, device)


def of(artefact: Artefact, name: str, cache: Path | None = None, **facts: str) -> Settings:
    return settings_for(artefact, choice(artefact, name, **facts), "1.32.0", cache)


def test_tensorrt_rtx_builds_for_queries_and_buckets_of_documents(bert: Artefact, tmp_path: Path) -> None:
    """Queries of 16 tokens, documents of up to 40. The format is that of onnxruntime's ParseProfileShapes."""
    found = of(bert, "tensorrt-rtx", tmp_path)
    assert (
        found.options["nv_profile_min_shapes"] == "input_ids:1x16,attention_mask:1x16,input_ids:1x1,attention_mask:1x1"
    )
    assert found.options["nv_profile_max_shapes"].startswith("input_ids:64x16,attention_mask:64x16,input_ids:64x40,")
    assert found.options["nv_multi_profile_enable"] == "1"
    assert found.profiles == several_profiles(bert.manifest.query, bert.manifest.document)
    assert found.names_profile
    assert found.compiles
    assert found.folder is not None
    assert Path(found.options["nv_runtime_cache_path"]).parent == found.folder


def test_an_engine_built_ahead_brings_its_own_shapes_and_is_not_kept_again(bert: Artefact, tmp_path: Path) -> None:
    profiles = several_profiles(bert.manifest.query, bert.manifest.document)[:1]
    engine = Engine(compute_capability="89", tensorrt="1.7", profiles=profiles)
    plain = choice(bert, "tensorrt-rtx")
    built = dataclasses.replace(plain, variant=dataclasses.replace(plain.variant, engine=engine))
    found = settings_for(bert, built, "1.32.0", tmp_path)
    assert found.options == {"nv_multi_profile_enable": "1"}
    assert found.profiles == profiles
    assert found.names_profile
    assert not found.compiles
    assert list(tmp_path.iterdir()) == []


def test_tensorrt_has_one_range_for_all_keeps_engines_and_timings_and_stays_strongly_typed(
    bert: Artefact, tmp_path: Path
) -> None:
    found = of(bert, "tensorrt", tmp_path)
    assert found.options["trt_profile_min_shapes"] == "input_ids:1x1,attention_mask:1x1"
    assert found.options["trt_profile_max_shapes"] == "input_ids:64x40,attention_mask:64x40"
    assert len(found.profiles) == 1
    assert not found.names_profile
    assert (found.options["trt_engine_cache_enable"], found.options["trt_timing_cache_enable"]) == ("1", "1")
    assert found.options["trt_engine_cache_path"] == found.options["trt_timing_cache_path"] == str(found.folder)
    assert "trt_fp16_enable" not in found.options, "that would give up float32 where the graph asks for it"
    long = dataclasses.replace(bert.manifest.document, max_tokens=8192)
    whole = dataclasses.replace(bert, manifest=dataclasses.replace(bert.manifest, document=long))
    assert of(whole, "tensorrt").options["trt_profile_max_shapes"] == "input_ids:1x8192,attention_mask:1x8192"


def test_cuda_computes_float32_in_float32(bert: Artefact) -> None:
    exact, half = choice(bert, "cuda"), choice(bert, "cuda")
    half = dataclasses.replace(half, variant=dataclasses.replace(half.variant, precision="float16"))
    assert settings_for(bert, exact, "1", None).options["use_tf32"] == "0"
    assert "use_tf32" not in settings_for(bert, half, "1", None).options
    assert settings_for(bert, half, "1", None).profiles == ()
    assert settings_for(bert, half, "1", None).fuses


def test_others_have_what_they_need(bert: Artefact, tmp_path: Path) -> None:
    assert of(bert, "directml").sequential
    assert of(bert, "coreml", tmp_path).options["ModelCacheDirectory"].startswith(str(tmp_path))
    assert of(bert, "webgpu").options == of(bert, "migraphx").options == {}
    assert settings_for(bert, choice(bert, "cpu"), "1", tmp_path) == Settings()


def test_a_cache_belongs_to_graph_device_driver_and_versions(bert: Artefact, tmp_path: Path) -> None:
    folders = {of(bert, "tensorrt-rtx", tmp_path).folder, of(bert, "tensorrt-rtx", tmp_path).folder}
    assert len(folders) == 1
    folders |= {
        of(bert, "tensorrt", tmp_path).folder,
        of(bert, "tensorrt-rtx", tmp_path, driver="2").folder,
        settings_for(bert, choice(bert, "tensorrt-rtx"), "1.33.0", tmp_path).folder,
    }
    file = bert.manifest.files["backbone.f32.bin"]
    files = bert.manifest.files | {"backbone.f32.bin": dataclasses.replace(file, sha256="0" * 64)}
    other = dataclasses.replace(bert, manifest=dataclasses.replace(bert.manifest, files=files))
    folders.add(of(other, "tensorrt-rtx", tmp_path).folder)
    assert len(folders) == 5
    assert {path.parent for path in folders if path} == {tmp_path}
    first = of(bert, "tensorrt-rtx", tmp_path).folder
    assert first is not None
    key = json.loads((first / "key.json").read_text(encoding="utf-8"))
    assert key["files"]["portable.onnx"] == bert.manifest.files["portable.onnx"].sha256
    assert (key["facts"]["driver"], key["onnxruntime"]) == ("1", "1.32.0")


def test_a_place_that_cannot_be_written_costs_the_cache_and_nothing_else(bert: Artefact, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = of(bert, "tensorrt", tmp_path / "file")
    assert found.folder is None
    assert "trt_engine_cache_path" not in found.options


def test_the_cache_is_where_the_system_keeps_such_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    home = caches.cache_home()
    assert home is not None
    assert home.name == "engines"
    assert caches.cache_place(False) is None
    assert caches.cache_place(str(tmp_path / "mine")) == tmp_path / "mine"


def test_a_user_without_a_home_has_no_cache_and_a_model_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(cls: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "~")
    monkeypatch.setenv("USERPROFILE", "~")
    assert caches.cache_home() is None  # not a folder of that name wherever one is
    monkeypatch.setattr(Path, "home", classmethod(homeless))
    assert caches.cache_home() is None
    assert caches.cache_place(None) is None
    assert load(ARTEFACTS / "tiny-random-bert").encode_queries(["a bird"])


def test_what_was_interrupted_is_not_kept(tmp_path: Path) -> None:

    def interrupted() -> None:
        with caches.keeping_graph(tmp_path) as place:
            place.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert caches.cached_graph(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    with caches.keeping_graph(tmp_path) as place:
        place.write_bytes(b"whole")
    kept = caches.cached_graph(tmp_path)
    assert kept is not None
    assert kept.read_bytes() == b"whole"
    with caches.keeping_graph(tmp_path) as place:  # another process was slower
        place.write_bytes(b"other")
    assert kept.read_bytes() == b"whole"


def test_what_cannot_be_loaded_is_made_again_once(tmp_path: Path) -> None:
    for may_be_kept in (True, False):
        with caches.keeping_graph(tmp_path) as place:
            place.write_bytes(b"refused")
        caches.forget_graph(tmp_path)
        assert caches.cached_graph(tmp_path) is None
        assert caches.may_keep_graph(tmp_path) == may_be_kept


class Driver:
    """NVIDIA's driver library, as far as it is asked."""

    def __init__(self, *, code: int = 0, count: int = 1) -> None:
        self._code, self._count = code, count

    def cuInit(self, flags: int) -> int:  # noqa: N802
        return self._code

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        count._obj.value = self._count
        return 0

    def cuDeviceGet(self, device: Any, number: int) -> int:  # noqa: N802
        device._obj.value = number
        return 0

    def cuDeviceGetName(self, text: Any, size: int, device: Any) -> int:  # noqa: N802
        text.value = b"NVIDIA RTX 6000 Ada"
        return 0

    def cuDriverGetVersion(self, version: Any) -> int:  # noqa: N802
        version._obj.value = 13020
        return 0

    def cuDeviceGetAttribute(self, value: Any, number: int, device: Any) -> int:  # noqa: N802
        value._obj.value = {75: 8, 76: 9}[number]
        return 0


def test_the_driver_is_asked_for_the_gpu() -> None:
    gpu = nvidia.ask(Driver())
    assert isinstance(gpu, nvidia.Gpu)
    assert (gpu.name, gpu.compute_capability) == ("NVIDIA RTX 6000 Ada", "89")
    assert "CUDA 13.2" in str(gpu)


@pytest.mark.parametrize(
    ("driver", "told"),
    [
        (Driver(code=100), "sees no GPU"),
        (Driver(count=0), "--gpus all"),
        (Driver(code=803), r"does not start \(CUDA error 803\)"),
    ],
)
def test_a_driver_without_a_gpu_says_so(driver: Driver, told: str) -> None:
    found = nvidia.ask(driver)
    assert isinstance(found, str)
    with pytest.raises(ValueError, match=told):
        raise ValueError(found)


def test_a_container_made_for_gpus_without_one_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime-gpu lists its providers wherever it is installed."""

    def none(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", none)
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    nvidia.look.cache_clear()
    try:
        here = look_for(ORDER)
    finally:
        nvidia.look.cache_clear()
    assert set(here.devices) == {"CPUExecutionProvider"}
    assert here.refused["CUDAExecutionProvider"].startswith("no NVIDIA driver is here (")
    assert "docker run --gpus all" in here.refused["CUDAExecutionProvider"]
    assert "TensorrtExecutionProvider" not in here.refused, "it is not even listed"


def test_nothing_is_listed_where_only_the_cpu_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("listed")

    monkeypatch.setattr(onnxruntime, "get_available_providers", never)
    monkeypatch.setattr(onnxruntime, "get_ep_devices", never, raising=False)
    assert list(look_for([by_name("cpu")]).devices) == ["CPUExecutionProvider"]


@pytest.mark.skipif(
    not hasattr(onnxruntime, "register_execution_provider_library"), reason="this onnxruntime takes no plugins"
)
def test_a_plugin_that_is_no_library_is_refused_with_its_reason_once(tmp_path: Path) -> None:
    asked = []

    def library() -> str:
        asked.append(1)
        return str(tmp_path / "absent.so")

    for _ in range(2):
        why = register("NoSuchExecutionProvider", library)
        assert why is not None
        assert why.startswith("its plugin cannot be loaded (")
    assert asked == [1]


def test_an_onnxruntime_without_plugins_says_which_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(onnxruntime, "register_execution_provider_library", raising=False)
    told = f"onnxruntime {onnxruntime.__version__} takes no plugins: 1.23 or newer does"
    assert register("LateExecutionProvider", lambda: "x.so") == told
