"""How often hypothesis tries, no network, and Ctrl-C that works.

`pytest --hypothesis-profile=soak` tries 500 examples a property instead of 30.
"""

import os
import signal
import sys
from importlib.util import find_spec

from hypothesis import HealthCheck, settings

# Read once, when huggingface_hub is first imported: no test may ask the network for anything.
os.environ["HF_HUB_OFFLINE"] = "1"

# Scores come from NumPy here, however much a run of tests has scored; kernels are tested in processes of their own.
os.environ.setdefault("COLIBRI_KERNEL", "numpy")

# Shells start background jobs with Ctrl-C ignored, and children inherit that; tests of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("quick", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("quick"), max_examples=500)
settings.register_profile("few", settings.get_profile("quick"), max_examples=10)
settings.load_profile("quick")

pytest_plugins = ["artefact_fixtures"]

# Folders with an environment of their own: `run.py test-optimum`, `test-openvino`, `test-clients` and `test-qdrant`
# fail if what they need is not there.
_ELSEWHERE = {
    "torch": "optimum_door",
    "onnxruntime_ep_openvino": "openvino",
    "haystack": "clients",
    "qdrant_edge": "qdrant",
    "ray": "bulk",
}
collect_ignore = [folder for module, folder in _ELSEWHERE.items() if find_spec(module) is None]

# Made by LibreOffice, in minutes: `run.py test-files` names it.
if not any(word.startswith("tests/corpus") for word in sys.argv):
    collect_ignore.append("corpus")
