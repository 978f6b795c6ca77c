"""Which of ONNX Runtime's execution providers runs which variant here, and why.

In come a manifest and a wish, out go `Choices` in order, each with its reason, and the settings a session starts with.
It stands on `artefact`. It must never run a graph, and loads ONNX Runtime only to ask what it has.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.providers.caches import (
        cache_home,
        cache_place,
        cached_graph,
        forget_graph,
        keeping_graph,
        may_keep_graph,
    )
    from colibri.providers.choice import Choice, Choices, choices, choose, require, wanted_providers
    from colibri.providers.devices import Device
    from colibri.providers.hardware import cpu_features, require_onnxruntime, runtime_distributions, sees_gpu
    from colibri.providers.installed import best_choices, look_for, preload
    from colibri.providers.known import AUTO, CPU, NAMES, ORDER, known_provider
    from colibri.providers.packed import (
        PACKED_GRAPH,
        PACKED_WEIGHTS,
        Packed,
        find_packed,
        likely_weights,
        note_packed,
        packed_folder,
    )
    from colibri.providers.settings import Settings, settings_for
    from colibri.providers.shapes import TOKENS_AT_ONCE, most_texts, several_profiles
    from colibri.providers.taken import Provider, told_once
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "caches": "cache_home cache_place cached_graph forget_graph keeping_graph may_keep_graph",
            "choice": "Choice Choices choices choose require wanted_providers",
            "devices": "Device",
            "hardware": "cpu_features require_onnxruntime runtime_distributions sees_gpu",
            "installed": "best_choices look_for preload",
            "known": "AUTO CPU NAMES ORDER known_provider",
            "packed": "PACKED_GRAPH PACKED_WEIGHTS Packed find_packed likely_weights note_packed packed_folder",
            "settings": "Settings settings_for",
            "shapes": "TOKENS_AT_ONCE most_texts several_profiles",
            "taken": "Provider told_once",
        },
    )
