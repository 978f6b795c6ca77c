"""`colibri doctor`: what this machine has, what would run, and what is missing."""

import platform
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

import click

from colibri import artefact as artefacts
from colibri import providers, scoring
from colibri.cli.extras import extras
from colibri.cli.options import provider_option
from colibri.cli.terminal import echo, echo_json, visible
from colibri.errors import ColibriError
from colibri.files import how_memory_is_limited
from colibri.machine import available_cores, frozen_by, not_known, program, why_no_home
from colibri.providers import CPU, ORDER, told_once

_NOT_INSTALLED = "not installed"
_PACKAGES = ("colibri-edge", "numpy", "tokenizers", "numba", "huggingface_hub")


@click.command(short_help="Say what would run here, and why.")
@click.argument("artefact", required=False, metavar="[NAME|FOLDER|HUB-ID]")
@click.option("--variant", metavar="NAME", help="Ask about this variant; default: the best this machine can run.")
@provider_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def doctor(artefact: str | None, variant: str | None, provider: str, as_json: bool) -> None:
    """Say what is installed, which graph would run here, on what and why, and what to do about problems.

    Exit code 1 when the model cannot run.
    """
    report, problems = _look(artefact, variant, provider)
    report["problems"] = problems
    if as_json:
        echo_json(report)
    else:
        for key, value in report.items():
            if key in _LISTS:
                for i, line in enumerate(_LISTS[key](value)):
                    echo(visible(f"{'' if i else key:<14} {line}"))
            elif key != "problems":
                echo(visible(f"{key:<14} {_plain(value)}"))
        for problem in problems:
            echo(visible(f"problem        {problem}"))
        echo("all well" if not problems else f"{len(problems)} problem(s)")
    if report["would_run"] is None:
        sys.exit(1)


def _look(name: str | None, variant: str | None, provider: str) -> tuple[dict[str, Any], list[str]]:
    problems: list[str] = []
    report: dict[str, Any] = {
        "python": f"{platform.python_version()} ({platform.python_implementation()}), {_program()}",
        "system": f"{platform.system()} {platform.machine()}, {available_cores()} cores",
        "cpu_features": sorted(providers.cpu_features()),
        "packages": {package: _version(package) for package in _PACKAGES},
        "onnxruntime": _onnxruntime(problems),
        "extras": extras(),
        "scoring": _scoring(problems),
        "not_known": not_known(),
        "reading_files": f"in a process of its own; its memory is {how_memory_is_limited()}",
    }
    if report["onnxruntime"] is not None:
        report["providers"] = _providers()
        report["engine_cache"] = str(providers.cache_home() or f"none: {why_no_home()}; XDG_CACHE_HOME says where")
    report |= _artefact(name, variant, provider, report["onnxruntime"] is not None, problems)
    return report, problems


def _program() -> str:
    by = frozen_by()
    return f"frozen by {by}: {program()}" if by else sys.executable


def _onnxruntime(problems: list[str]) -> dict[str, Any] | None:
    try:
        warning = providers.require_onnxruntime()
        import onnxruntime
    except (ColibriError, ImportError) as error:
        problems.append(str(error))
        return None
    if warning:
        problems.append(warning)
    return {
        "version": onnxruntime.__version__,
        "distributions": providers.runtime_distributions(),
        "providers": onnxruntime.get_available_providers(),
    }


def _providers() -> dict[str, str]:
    """Every provider, best first: its device, or why it has none, or what brings it here."""
    here = providers.look_for(ORDER)
    found: dict[str, str] = {}
    for known in ORDER:
        device = here.devices.get(known.execution_provider)
        why = here.refused.get(known.execution_provider)
        missing = f"{_NOT_INSTALLED}; {known.install}"
        found[known.name] = device.description if device else f"cannot be used; {why}" if why else missing
    return found


def _provider_lines(states: dict[str, str]) -> list[str]:
    """A line each; of those for GPUs that are not installed one for all, where there is no GPU to install them for."""
    absent: list[str] = []
    if not providers.sees_gpu():
        absent = [known.name for known in ORDER if known.gpu and states[known.name].startswith(_NOT_INSTALLED)]
    lines = [f"{name:<12} {state}" for name, state in states.items() if name not in absent]
    if absent:
        lines.append(
            f"{'for GPUs':<12} {', '.join(absent)}: {_NOT_INSTALLED}, and no GPU is seen here; --json says how"
        )
    return lines


def _scoring(problems: list[str]) -> dict[str, Any]:
    """Who scores, once enough has been scored, and why; nothing is compiled to find out."""
    try:
        found = scoring.answering()
        problems += [found.pop("problem")] if "problem" in found else []
        return found
    except ColibriError as error:
        problems.append(str(error))
        return {"kernel": "numpy", "because": str(error), "cost": scoring.NUMPY_COSTS}


def _artefact(name: str | None, variant: str | None, provider: str, runs: bool, problems: list[str]) -> dict[str, Any]:
    report: dict[str, Any] = {"shipped": artefacts.shipped(), "artefact": None, "would_run": None}
    try:
        found = artefacts.find(name)
        report["artefact"] = str(found.folder)
        artefacts.check_files(found)
        if runs:
            best = providers.best_choices(found.manifest, variant, provider)
            problems += told_once(best.refused)
            choice, features = best.found[0], providers.cpu_features()
            taken = providers.Provider.of(choice, best.reasons)
            on_cpu = ", ".join(sorted(features & set(choice.graph.any_cpu_feature))) or "runs on any CPU"
            graphs = choice.variant.graphs
            faster = {feature for graph in graphs[: graphs.index(choice.graph)] for feature in graph.any_cpu_feature}
            on_cpu += f"; faster ones want {' or '.join(sorted(faster))}" if faster else ""
            report["would_run"] = {
                "variant": choice.variant_name,
                "graph": choice.graph.document,
                "provider": taken.name,
                "device": taken.device,
                "because": on_cpu if choice.provider == CPU else f"{taken.name} is the best provider here that runs it",
                "reasons": told_once(taken.reasons),
            }
    except ColibriError as error:
        problems.append(str(error))
    return report


_LISTS: Mapping[str, Callable[[Any], list[str]]] = {
    "providers": _provider_lines,
    "not_known": list,
    "extras": lambda found: [f"{name:<12} {_extra(**facts)}" for name, facts in found.items()],
}


def _extra(state: str, lacks: list[str], command: str) -> str:
    return state if not lacks else f"{state}, lacks {', '.join(lacks)}: {command}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
