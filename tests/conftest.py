"""How often hypothesis tries, no network, and Ctrl-C that works.

`pytest --hypothesis-profile=soak` tries 500 examples a property instead of 20.
"""

import os
import signal
import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Read once, when huggingface_hub is first imported: no test may ask the network for anything.
os.environ["HF_HUB_OFFLINE"] = "1"

# No artefact of whoever runs the tests is found by name.
for name in ("COLIBRI_MODELS", "COLIBRI_ALIAS"):
    os.environ.pop(name, None)
os.environ["XDG_DATA_HOME"] = os.path.join(tempfile.gettempdir(), "colibri-tests-have-no-data")  # noqa: PTH118

# Nor is their own index touched, or their configuration read: tests of that say where both are.
os.environ["COLIBRI_INDEX"] = ".colibri-index"
os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_DATA_HOME"]
os.environ.pop("COLIBRI_CONFIG", None)

# Scores come from NumPy here, however much a run of tests has scored; kernels are tested in processes of their own.
# Nor from what was compiled ahead, wherever these tests run and whatever folder whoever runs them has named for their
# own programs: test_library.py names what it built, with a kernel of it, where it has tests of scores run in a process.
if os.environ.setdefault("COLIBRI_KERNEL", "numpy") == "numpy":
    os.environ["COLIBRI_KERNEL_LIBRARIES"] = os.devnull
os.environ.setdefault("COLIBRI_KERNEL_LIBRARIES", os.devnull)

# Shells start background jobs with Ctrl-C ignored, and children inherit that; tests of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("quick", deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("quick"), max_examples=500)
settings.register_profile("few", settings.get_profile("quick"), max_examples=10)
settings.load_profile("quick")

pytest_plugins = ["artefact_fixtures"]

# Whole files that take longest, in this order; begun first, no worker is left alone with one of them at the end.
# Kernels come first: test_library.py, well behind, finds in numba's cache what they compiled.
LONGEST = (
    "scoring/test_kernels.py",
    "scoring/test_engine.py",
    "export/test_colibri_mini.py",
    "scoring/test_library.py",
    "files/test_bounds.py",
    "files/test_folder_command.py",
    "export/test_xlmr_tokenizer.py",
    "export/test_command.py",
    "server/test_memory.py",
    "files/test_room.py",
    "server/test_load.py",
    "ui/test_changing.py",
    "export/test_jina_colbert.py",
    "files/follow/test_follower.py",
    "files/follow/test_live.py",
)

NAMED = {Path(__file__).parent / name for name in ("bundled", "corpus", "old_sqlite")}

# Folders with an environment of their own: run.py's test-openvino, test-optimum, test-clients, test-deploy,
# test-compat, test-frameworks, test-qdrant, test-ray, test-ui, test-mcp and wheels fail if what they need is not there.
_ELSEWHERE = {"optimum_door": "torch", "openvino": "onnxruntime_ep_openvino", "clients": "haystack"}
_ELSEWHERE |= {"compat_torch": "torch", "compat_packages": "fastembed", "deploy": "kubernetes_validate"}
_ELSEWHERE |= {
    "frameworks/haystack": "haystack",
    "frameworks/langchain": "langchain_core",
    "frameworks/llama_index": "llama_index",
    "qdrant": "qdrant_edge",
    "bulk": "ray",
    "ui_browser": "playwright",
    "assistant_clients": "mcp_types",
    "wheels": "ziglang",
}
collect_ignore = [folder for folder, module in _ELSEWHERE.items() if find_spec(module) is None]


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes by their beginning and size: packed ones tell the second of their making, in which workers differ."""
    return f"{val[:4]!r}, {len(val)} bytes" if isinstance(val, bytes) and len(val) > 4 else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test has an id of its own: xdist knows tests by their ids, and of those that share one it runs one and says
    nothing. (It begins with the files of most tests unless `--no-loadscope-reorder` has it keep this order.)"""
    items.sort(key=lambda item: [not item.nodeid.split("::")[0].endswith(name) for name in LONGEST])
    shared = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if shared:
        raise pytest.UsageError(f"tests that share an id, of which xdist would run one: {', '.join(shared)}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Three folders are for those who name them: corpus is made by LibreOffice, in minutes (`run.py test-files`),
    old_sqlite runs over a SQLite that `run.py test-sqlite` builds, bundled fetches wheels (`run.py test-bundle`)."""
    named = any(word.startswith(f"tests/{collection_path.name}") for word in config.args)
    return True if collection_path in NAMED and not named else None
