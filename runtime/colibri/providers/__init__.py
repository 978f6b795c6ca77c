"""Which of ONNX Runtime's execution providers runs which variant here, and why."""

from colibri.providers.choice import Choice, Choices, choices, choose, require, wanted_providers
from colibri.providers.hardware import available_cores, cpu_features, require_onnxruntime, runtime_distributions
from colibri.providers.known import AUTO, CPU, NAMES
from colibri.providers.taken import Provider

__all__ = [
    "AUTO",
    "CPU",
    "NAMES",
    "Choice",
    "Choices",
    "Provider",
    "available_cores",
    "choices",
    "choose",
    "cpu_features",
    "require",
    "require_onnxruntime",
    "runtime_distributions",
    "wanted_providers",
]
