"""What NVIDIA's driver says of the first GPU, asked through its own library: nothing needs to be installed for that."""

import ctypes
import functools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of cuda.h
_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE
_DRIVER = Path("/proc/driver/nvidia/version")
_IN_A_CONTAINER = "in a container: start it with `docker run --gpus all` and NVIDIA's container toolkit"


@dataclass(frozen=True)
class Gpu:
    """The first NVIDIA GPU."""

    name: str
    compute_capability: str
    """Such as "89"."""
    driver: str

    def __str__(self) -> str:
        return f"{self.name} (compute capability {self.compute_capability}, driver {self.driver})"


@functools.cache
def look() -> Gpu | str:
    """The GPU, or why there is none. Asked once a process: where there is a driver, it starts."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        return ask(ctypes.CDLL(name))
    except OSError:
        return f"no NVIDIA driver is here ({name} is not found; {_IN_A_CONTAINER})"


def ask(cuda: Any) -> Gpu | str:
    """What a loaded driver library answers (CUDA driver API: cuInit, cuDeviceGet and others)."""
    code = cuda.cuInit(0)
    count = ctypes.c_int(0)
    if code == 0:
        code = cuda.cuDeviceGetCount(ctypes.byref(count))
    if code == _NO_DEVICE or (code == 0 and count.value == 0):
        return f"NVIDIA's driver sees no GPU ({_IN_A_CONTAINER})"
    device = ctypes.c_int(0)
    if code == 0:
        code = cuda.cuDeviceGet(ctypes.byref(device), 0)
    if code:
        return f"NVIDIA's driver does not start (CUDA error {code})"
    text = ctypes.create_string_buffer(256)
    cuda.cuDeviceGetName(text, len(text), device)
    version = ctypes.c_int(0)
    cuda.cuDriverGetVersion(ctypes.byref(version))
    capability = f"{_attribute(cuda, _MAJOR, device)}{_attribute(cuda, _MINOR, device)}"
    return Gpu(text.value.decode("utf-8", "replace"), capability, _driver(version.value))


def _attribute(cuda: Any, number: int, device: ctypes.c_int) -> int:
    value = ctypes.c_int(0)
    cuda.cuDeviceGetAttribute(ctypes.byref(value), number, device)
    return value.value


def _driver(cuda_version: int) -> str:
    """The driver's own version where the system tells (Linux), and the CUDA version it brings, such as 13020."""
    try:
        words = _DRIVER.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        words = []
    own = next((word for word in words if word[0].isdigit() and "." in word), None)
    cuda = f"CUDA {cuda_version // 1000}.{cuda_version % 1000 // 10}"
    return f"{own}, {cuda}" if own else cuda
