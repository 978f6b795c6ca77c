"""The execution providers Colibri knows, best first, and what there is to say about each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from colibri import machine
from colibri.errors import InputError

CPU = "CPUExecutionProvider"
AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class Known:
    """An execution provider of ONNX Runtime."""

    name: str
    """What `provider=` takes."""
    execution_provider: str
    """ONNX Runtime's name, which manifests use."""
    extra: str = ""
    """Of this package, which brings it; else `brought` says all."""
    brought: str = ""
    """What to type instead of, or beside, the extra, for pip."""
    instead: str = ""
    """Distributions to uninstall first: they overwrite each other."""
    where: str = ""
    """Systems that have it, if few do."""
    plugin: str | None = None
    """Module of the package that has it as a plugin (onnxruntime's plugin EP interface)."""
    gpu: bool = True
    """Whether it is of use only where there is a GPU."""
    nvidia: bool = False
    """Whether it needs NVIDIA's driver."""
    profiles: Literal["several", "one", "none"] = "none"
    """How many ranges of shapes it builds its engine for."""
    compiles: bool = False
    """Whether what it compiles a graph to is kept as an EPContext model."""
    any_variant: bool = False
    """Whether it is surely faster than the CPU with a variant that was made for the CPU. Others may be graphics on the
    same chip, or slow with shapes that change, so they run such a variant only when named."""
    fuses: bool = True
    """Whether it runs node by node, so that onnxruntime's own fusions help; others want the graph as it was written."""

    @property
    def install(self) -> str:
        """What brings it here."""
        first = f"pip uninstall {self.instead}, then " if self.instead else ""
        brought = machine.install_command(self.extra, more=self.brought) if self.extra else self.brought
        return first + brought + self.where


ORDER = (
    Known(
        name="tensorrt-rtx",
        execution_provider="NvTensorRTRTXExecutionProvider",
        extra="cpu",
        brought="onnxruntime-ep-nv-tensorrt-rtx",
        plugin="onnxruntime_ep_nv_tensorrt_rtx",
        nvidia=True,
        any_variant=True,
        profiles="several",
        compiles=True,
        fuses=False,
    ),
    Known(
        name="tensorrt",
        execution_provider="TensorrtExecutionProvider",
        extra="gpu",
        brought="tensorrt",
        instead="onnxruntime",
        nvidia=True,
        any_variant=True,
        # Its session stays on the first of several profiles (onnxruntime pull request 31624, open in September 2026).
        profiles="one",
        fuses=False,
    ),
    Known(
        name="cuda",
        execution_provider="CUDAExecutionProvider",
        extra="gpu",
        brought="'onnxruntime-gpu[cuda,cudnn]'",
        instead="onnxruntime",
        nvidia=True,
        any_variant=True,
    ),
    Known(
        name="migraphx",
        execution_provider="MIGraphXExecutionProvider",
        brought="pip install onnxruntime-migraphx",
        instead="onnxruntime",
        where=" (AMD, Linux)",
        any_variant=True,
        fuses=False,
    ),
    Known(
        name="coreml",
        execution_provider="CoreMLExecutionProvider",
        extra="cpu",
        where=" on macOS",
        fuses=False,
    ),
    Known(
        name="directml",
        execution_provider="DmlExecutionProvider",
        brought="pip install onnxruntime-directml",
        instead="onnxruntime",
        where=" (Windows)",
    ),
    Known(
        name="webgpu",
        execution_provider="WebGpuExecutionProvider",
        extra="cpu",
        brought="onnxruntime-ep-webgpu",
        plugin="onnxruntime_ep_webgpu",
    ),
    Known(
        name="openvino",
        execution_provider="OpenVINOExecutionProvider",
        extra="cpu",
        brought="onnxruntime-ep-openvino",
        plugin="onnxruntime_ep_openvino",
        gpu=False,
        compiles=True,
        fuses=False,
    ),
    Known(name="cpu", execution_provider=CPU, extra="cpu", gpu=False, any_variant=True),
)
"""Best first."""

_BY_NAME = {known.name: known for known in ORDER}
_BY_EXECUTION_PROVIDER = {known.execution_provider: known for known in ORDER}

NAMES = (AUTO, *_BY_NAME)
"""What `provider=` takes."""


def by_name(name: str) -> Known:
    """The provider that a user means: by our name or by onnxruntime's. Raises InputError with those there are."""
    found = _BY_NAME.get(name) or _BY_EXECUTION_PROVIDER.get(name)
    if found is None:
        raise InputError(f"provider {name!r}: wanted one of {', '.join(NAMES)}")
    return found


def known_provider(execution_provider: str) -> Known:
    """What is known of an execution provider; a manifest may name one that is none of ours."""
    other = Known(name=execution_provider, execution_provider=execution_provider, brought="an onnxruntime that has it")
    return _BY_EXECUTION_PROVIDER.get(execution_provider, other)


def in_order(execution_providers: Iterable[str]) -> list[Known]:
    """Each once, best first: ours in our order, strangers before the CPU."""
    given = dict.fromkeys(execution_providers)
    ours = [one for one in ORDER if one.execution_provider in given]
    strangers = [known_provider(name) for name in given if name not in _BY_EXECUTION_PROVIDER]
    return [*(one for one in ours if one.name != "cpu"), *strangers, *(one for one in ours if one.name == "cpu")]
