"""How each provider is started with a graph: its options, its caches, and the shapes its engine is for.

What has never run (see docs/gpu.md) follows the providers' own sources and documents, named at each line.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from colibri.artefact import Artefact, Profile
from colibri.machine import why_no_home
from colibri.providers import caches, shapes
from colibri.providers.choice import Choice
from colibri.providers.known import CPU, known_provider

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a session is started with besides its graph.

    options        of the provider
    profiles       the shapes its engine takes; empty: any
    names_profile  whether each run says which profile it needs
    folder         where compiled graphs are kept; None: nowhere
    compiles       whether the session keeps its compiled model there (an EPContext model of onnxruntime's); other
                   providers keep their files themselves
    fuses          whether onnxruntime may fuse operators before the provider sees them
    sequential     whether onnxruntime must not plan memory patterns (DirectML)
    """

    options: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[Profile, ...] = ()
    names_profile: bool = False
    folder: Path | None = None
    compiles: bool = False
    fuses: bool = False
    sequential: bool = False


def settings_for(artefact: Artefact, choice: Choice, version: str, cache: Path | None) -> Settings:
    """For what was chosen. version: of onnxruntime. cache: the folder of all compiled graphs; None: keep none."""
    if choice.provider == CPU:
        return Settings()
    provider = known_provider(choice.provider)
    engine = choice.variant.engine
    profiles: tuple[Profile, ...] = ()
    if engine is not None:
        profiles = engine.profiles
    elif choice.graph.masked_document and choice.graph.masked_query:
        roles = artefact.manifest.query, artefact.manifest.document
        made = {"several": shapes.several_profiles, "one": shapes.one}.get(provider.profiles)
        profiles = made(*roles) if made else ()
    options = _options(provider.name, choice, profiles)
    folder = None
    keeps = engine is None and (provider.compiles or bool(_cache_options(provider.name, Path())))
    if cache is None and keeps and caches.cache_home() is None:
        log.warning("%s; compiled graphs are not kept, unless engine_cache or XDG_CACHE_HOME says where", why_no_home())
    if cache is not None and choice.device is not None and engine is None:
        folder = caches.cache_folder(artefact, choice, options, version, cache)
    if folder is not None:
        options |= _cache_options(provider.name, folder)
    return Settings(
        options=options,
        profiles=profiles,
        names_profile=provider.profiles == "several" and bool(profiles),
        folder=folder,
        compiles=provider.compiles and engine is None,
        fuses=provider.fuses,
        sequential=provider.name == "directml",
    )


def _options(name: str, choice: Choice, profiles: tuple[Profile, ...]) -> dict[str, str]:
    if name == "tensorrt-rtx":
        # NVIDIA/TensorRT-RTX-EP-ABI, src/tensorrt_rtx_provider_options.h. Without several profiles, the first serves
        # all; an engine that was built ahead has its own.
        ours = {} if choice.variant.engine is not None or not profiles else shapes.options("nv", profiles)
        return ours | ({"nv_multi_profile_enable": "1"} if profiles else {})
    if name == "tensorrt":
        # Never trt_fp16_enable: without it the network is strongly typed (tensorrt_execution_provider.cc), so that what
        # the graph keeps in float32 (norms, softmax, the residual stream) stays so.
        return shapes.options("trt", profiles) if profiles else {}
    if name == "cuda":
        # Float32 is float32: TF32 has 10 bits of mantissa. An arena that doubles would take what others need.
        exact = {"use_tf32": "0"} if choice.variant.precision == "float32" else {}
        return exact | {"arena_extend_strategy": "kSameAsRequested"}
    if name == "coreml":
        return {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"}
    if name == "openvino" and choice.device is not None and choice.device.handles:
        # By default it computes float32 graphs in bfloat16 where the CPU has AMX: rows differed by 0.0075, with this by
        # 3e-7 (tests/openvino). The plugin takes it by the name of its device.
        device = choice.device.facts.get("ov_device", "CPU")
        return {"load_config": json.dumps({device: {"EXECUTION_MODE_HINT": "ACCURACY"}})}
    return {}


def _cache_options(name: str, folder: Path) -> dict[str, str]:
    """For providers that keep files themselves."""
    if name == "tensorrt-rtx":
        return {"nv_runtime_cache_path": str(folder / "kernels")}
    if name == "tensorrt":
        return {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(folder),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(folder),
        }
    if name == "coreml":
        return {"ModelCacheDirectory": str(folder)}
    return {}
