"""Which execution providers ONNX Runtime has here: its own, and those of plugin packages, registered once a process."""

import contextlib
import functools
import io
import re
import threading
from collections.abc import Collection
from importlib import import_module, util
from typing import Any

import onnxruntime

from colibri.artefact import Manifest
from colibri.providers import nvidia
from colibri.providers.choice import Choices, choices, require, wanted_providers
from colibri.providers.devices import Device, Here, Kind, cpu
from colibri.providers.hardware import cpu_features, runtime_distributions
from colibri.providers.known import AUTO, CPU, Known

_PREFERRED: tuple[Kind, ...] = ("gpu", "cpu", "npu")  # an NPU wants shapes that never change
_PATHS = {"library_path"}  # of metadata: says where, not what

_lock = threading.Lock()
_refused: dict[str, str | None] = {}


def look_for(wanted: Collection[Known]) -> Here:
    """What there is of the wanted providers, and the CPU. Where only the CPU is wanted, nothing is listed or loaded."""
    devices = {CPU: cpu()}
    refused: dict[str, str] = {}
    others = [known for known in wanted if known.execution_provider != CPU]
    if not others:
        return Here(onnxruntime.__version__, devices)
    names = {known: _registered_name(known, refused) for known in others}
    available = set(onnxruntime.get_available_providers())
    listed = onnxruntime.get_ep_devices() if hasattr(onnxruntime, "get_ep_devices") else []  # not before 1.22
    for known, name in names.items():
        handles = [one for one in listed if one.ep_name == name]
        if known.execution_provider in refused or not (handles or name in available or _is_plugin(known)):
            continue
        gpu = nvidia.look() if known.nvidia else None
        if isinstance(gpu, str):
            refused[known.execution_provider] = gpu
        elif handles:
            devices[known.execution_provider] = _device(name, handles, gpu)
        elif _is_plugin(known):
            refused[known.execution_provider] = "its plugin found no device that it can use"
        else:
            devices[known.execution_provider] = _built_in(known, gpu)
    return Here(onnxruntime.__version__, devices, refused)


@functools.cache
def preload(execution_provider: str) -> str:
    """Load CUDA's libraries, and TensorRT's where it is wanted, from NVIDIA's own Python packages, where those are:
    onnxruntime-gpu does not do that by itself. Says which are missing, and what brings them; "" where none is."""
    said = io.StringIO()
    if execution_provider == "TensorrtExecutionProvider" and util.find_spec("tensorrt") is not None:
        with contextlib.suppress(ImportError, OSError):  # then onnxruntime says what it lacks
            import_module("tensorrt")
    if hasattr(onnxruntime, "preload_dlls"):  # from 1.21 on
        with contextlib.redirect_stdout(said):
            onnxruntime.preload_dlls()
    missing = re.findall(r"Failed to load ([^:\s]+)", said.getvalue())
    if not missing:
        return ""
    brings = "pip install 'onnxruntime-gpu[cuda,cudnn]'"
    return f"of CUDA's libraries {', '.join(missing)} cannot be loaded: {brings}, or install CUDA and cuDNN"


def best_choices(manifest: Manifest, variant_name: str | None = None, provider: str = AUTO) -> Choices:
    """What could run an artefact here, best first, and why the rest cannot; at least one. Raises as `choices` and
    `require` do."""
    here = look_for(wanted_providers(manifest, variant_name, provider))
    made = choices(manifest, cpu_features(), here, variant_name=variant_name, provider=provider)
    return require(manifest, made, provider, installed)


def installed() -> str:
    """What is installed, for messages: the distributions of onnxruntime and what they list."""
    names = ", ".join(name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    owners = " and ".join(runtime_distributions()) or "onnxruntime"
    return f"{owners} {onnxruntime.__version__} ({names})"


def _is_plugin(known: Known) -> bool:
    return known.plugin is not None and util.find_spec(known.plugin) is not None


def _registered_name(known: Known, refused: dict[str, str]) -> str:
    """What onnxruntime calls the provider, after its plugin, if there is one, was registered."""
    if not _is_plugin(known):
        return known.execution_provider
    assert known.plugin is not None
    plugin = import_module(known.plugin)
    name: str = plugin.get_ep_name()
    why = register(name, plugin.get_library_path)
    if why is not None:
        refused[known.execution_provider] = why
    return name


def register(name: str, library: Any) -> str | None:
    """Register a plugin's library, once a process: None, or why that failed.

    library: says where the file is. onnxruntime refuses a second registration, so whoever else did it is asked first.
    """
    with _lock:
        if name not in _refused:
            _refused[name] = _register(name, library)
        return _refused[name]


def _register(name: str, library: Any) -> str | None:
    if not hasattr(onnxruntime, "register_execution_provider_library"):
        return f"onnxruntime {onnxruntime.__version__} takes no plugins: 1.23 or newer does"
    if any(one.ep_name == name for one in onnxruntime.get_ep_devices()):
        return None
    try:
        onnxruntime.register_execution_provider_library(name, library())
    except Exception as error:  # onnxruntime's classes have no common public one; a plugin may raise its own
        if "already registered" in str(error):
            return None
        return f"its plugin cannot be loaded ({' '.join(str(error).split())})"
    return None


def _device(name: str, handles: list[Any], gpu: nvidia.Gpu | None) -> Device:
    """The best device of a plugin's: it is given one, since several would share out a graph among them."""
    handle = min(handles, key=lambda one: _PREFERRED.index(_kind(one)))
    metadata = {**dict(handle.device.metadata), **dict(handle.ep_metadata)}
    facts = {key: value for key, value in metadata.items() if key not in _PATHS}
    facts |= {"vendor": handle.device.vendor, "device": f"{handle.device.vendor_id}:{handle.device.device_id}"}
    kind = _kind(handle)
    described = metadata.get("FULL_DEVICE_NAME") or metadata.get("Description") or f"{handle.device.vendor} {kind}"
    if gpu is not None:
        facts["gpu"], described = str(gpu), str(gpu)
    return Device(name, kind, described.strip(), gpu.compute_capability if gpu else None, facts, (handle,))


def _kind(handle: Any) -> Kind:
    kinds: dict[str, Kind] = {"GPU": "gpu", "NPU": "npu"}
    return kinds.get(handle.device.type.name, "cpu")


def _built_in(known: Known, gpu: nvidia.Gpu | None) -> Device:
    name = known.execution_provider
    if gpu is not None:
        return Device(name, "gpu", str(gpu), gpu.compute_capability, {"gpu": str(gpu)})
    if known.name == "openvino":  # its own default device
        return Device(name, "cpu", "CPU")
    return Device(name)
