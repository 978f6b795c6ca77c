"""The machine that a bundle is for: which wheels it takes, and which requirements hold there."""

import re
from dataclasses import dataclass

from colibri.errors import InputError

_GLIBC = range(5, 29)  # manylinux_2_5 to 2_28: onnxruntime's wheels ask for 2.28 or less
_MACOS = range(11, 15)  # onnxruntime 1.32 asks for macOS 14
_PYTHON = re.compile(r"3\.\d{1,2}")


@dataclass(frozen=True)
class Target:
    """A platform such as "linux-x86_64", and a Python such as "3.11"."""

    platform: str
    python: str

    def __post_init__(self) -> None:
        if self.platform not in _PLATFORMS:
            raise InputError(f"--platform {self.platform}: wanted one of {', '.join(_PLATFORMS)}")
        if not _PYTHON.fullmatch(self.python) or int(self.python[2:]) < 11:
            raise InputError(f"--python {self.python}: wanted 3.11 or newer, such as 3.12")

    @property
    def pip_words(self) -> list[str]:
        """Options of `pip download` that take wheels for it alone."""
        tags = _PLATFORMS[self.platform][0]
        platforms = [word for tag in tags for word in ("--platform", tag)]
        return ["--only-binary", ":all:", "--implementation", "cp", "--python-version", self.python, *platforms]

    @property
    def markers(self) -> dict[str, str]:
        """The environment that markers of requirements are held against (PEP 508)."""
        system, platform, machine, name = _PLATFORMS[self.platform][1]
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "platform_python_implementation": "CPython",
            "sys_platform": platform,
            "platform_system": system,
            "platform_machine": machine,
            "platform_release": "",
            "platform_version": "",
            "os_name": name,
        }


def _manylinux(machine: str) -> list[str]:
    return [*(f"manylinux_2_{minor}_{machine}" for minor in reversed(_GLIBC)), f"manylinux2014_{machine}"]


_PLATFORMS: dict[str, tuple[list[str], tuple[str, str, str, str]]] = {
    "linux-x86_64": (_manylinux("x86_64"), ("Linux", "linux", "x86_64", "posix")),
    "linux-aarch64": (_manylinux("aarch64"), ("Linux", "linux", "aarch64", "posix")),
    "macos-arm64": (
        [f"macosx_{major}_0_{kind}" for major in reversed(_MACOS) for kind in ("arm64", "universal2")],
        ("Darwin", "darwin", "arm64", "posix"),
    ),
    "windows-x86_64": (["win_amd64"], ("Windows", "win32", "AMD64", "nt")),
}
PLATFORMS = tuple(_PLATFORMS)
