"""Which variant runs on which provider: a pure choice, with its reasons."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from colibri.artefact import Graph, Manifest, Variant
from colibri.errors import InputError, ProviderError
from colibri.providers.devices import Device, Here
from colibri.providers.known import AUTO, CPU, Known, by_name, in_order, known_provider


@dataclass(frozen=True)
class Choice:
    """A graph to run, and where."""

    variant_name: str
    variant: Variant
    graph: Graph
    provider: str
    """onnxruntime's name of the execution provider, as the manifest has it."""
    device: Device | None = None
    """None: nothing is known but the name."""


@dataclass(frozen=True)
class Choices:
    """What could run here, best first, and why the rest cannot."""

    found: tuple[Choice, ...]
    reasons: tuple[str, ...]
    """One for each provider that is better than the first choice, such as "cuda: not installed here"."""
    refused: tuple[str, ...] = ()
    """Those of them whose provider is installed and cannot be used: nobody wants to miss that."""


def wanted_providers(manifest: Manifest, variant_name: str | None, provider: str) -> list[Known]:
    """Those that could run the artefact by its manifest, best first: what to look for here.

    Raises InputError for a variant the artefact does not have, or a provider that nobody knows.
    """
    if variant_name is not None and variant_name not in manifest.variants:
        raise InputError(f"variant {variant_name!r}: {manifest.name} has {', '.join(manifest.variants)}")
    if provider != AUTO:
        return [by_name(provider)]
    named = [variant_name] if variant_name is not None else list(manifest.variants)
    return in_order(name for variant in named for name in manifest.variants[variant].providers)


def choose(
    manifest: Manifest, variant_name: str | None, features: Iterable[str], available: Iterable[str], version: str
) -> Choice:
    """The best of `choices` where only the names that onnxruntime lists are known. Raises as `require` does."""
    here = Here.named(version, available)
    return require(manifest, choices(manifest, features, here, variant_name=variant_name)).found[0]


def choices(
    manifest: Manifest,
    features: Iterable[str],
    here: Here,
    *,
    variant_name: str | None = None,
    provider: str = AUTO,
) -> Choices:
    """Every variant that can run here, the best provider's first, within one the artefact's preferred first.

    features  this machine's CPU features

    A variant for accelerators (the CPU is not its first provider) that the CPU can run as well is run there only when
    it is named: it would be slower than the variants made for the CPU. A variant made for the CPU runs unnamed only on
    providers that are surely faster (`Known.any_variant`). A provider whose only device is the CPU is used only when it
    is named, since the CPU has variants of its own. An engine is used where the GPU is known to be one it was built
    for, or when it is named and nothing is known.

    Raises InputError for a variant the artefact does not have, or a provider that nobody knows.
    """
    features = set(features)
    named = [variant_name] if variant_name is not None else list(manifest.variants)
    found: list[Choice] = []
    reasons: list[str] = []
    refused: list[str] = []
    wanted = wanted_providers(manifest, variant_name, provider)
    if provider == AUTO and [one.execution_provider for one in wanted] == [CPU]:
        reasons.append(f"no other provider can run {' or '.join(named)}")
    for one in wanted:
        device = here.devices.get(one.execution_provider)
        listing = [name for name in named if one.execution_provider in manifest.variants[name].providers]
        why: list[str] = []
        if not listing:
            why.append(_no_variant(manifest, one, named if variant_name else None))
        if device is None:
            why.append(here.refused.get(one.execution_provider, "not installed here"))
        if not listing or device is None:
            refused += [f"{one.name}: {why[-1]}"] if one.execution_provider in here.refused else []
        elif device.kind == "cpu" and one.execution_provider != CPU and provider == AUTO:
            why.append(f'its only device here is the CPU, so it runs only when named (provider="{one.name}")')
        else:
            named_variant, unasked = variant_name is not None, variant_name is None and provider == AUTO
            more, why = _on(
                one, device, listing, manifest, features, here.version, named=named_variant, unasked=unasked
            )
            found += more
        if why and (not found or found[0].provider == one.execution_provider):
            reasons.append(f"{one.name}: {'; '.join(why)}")
    return Choices(tuple(found), tuple(reasons), tuple(refused))


def require(
    manifest: Manifest, made: Choices, provider: str = AUTO, installed: Callable[[], str] | None = None
) -> Choices:
    """The same, if there is one at all. Raises ProviderError with each reason, and for a named provider what is
    installed (`installed` says that, and takes time) and what to do."""
    if made.found:
        return made
    if provider == AUTO:
        raise ProviderError(f"{manifest.name} cannot run here: {'; '.join(made.reasons)}")
    one = by_name(provider)
    has = f"; installed is {installed()}" if installed else ""
    message = f"{manifest.name} cannot run on {'; '.join(made.reasons)}{has}"
    if any("not installed" in reason for reason in made.reasons):
        message += f"; to have it: {one.install}"
    raise ProviderError(f'{message}. provider="auto" takes the best there is')


def _on(
    one: Known,
    device: Device,
    listing: Iterable[str],
    manifest: Manifest,
    features: set[str],
    version: str,
    *,
    named: bool,
    unasked: bool,
) -> tuple[list[Choice], list[str]]:
    """The variants that run on a device, and why those that the artefact prefers to the first of them do not.

    named: whether the variant was. unasked: whether neither variant nor provider was.
    """
    found: list[Choice] = []
    why: list[str] = []
    only_named: list[str] = []
    for name in listing:
        variant = manifest.variants[name]
        graph = next((g for g in variant.graphs if not g.any_cpu_feature or features & set(g.any_cpu_feature)), None)
        if one.execution_provider == CPU and variant.providers[0] != CPU and not named:
            only_named.append(f"{name} is made for accelerators; the CPU runs it only when asked for {name!r} by name")
        elif variant.providers[0] == CPU and unasked and not one.any_variant:
            why += [] if found else [f"{name} is made for the CPU and runs there only when asked for by name"]
        elif (against := _against(name, variant, device, version, named=named)) is not None:
            why += [] if found else [against]
        elif graph is None:
            lacking = ", ".join(sorted({f for g in variant.graphs for f in g.any_cpu_feature}))
            why += [] if found else [f"{name} wants one of the CPU features {lacking}"]
        else:
            found.append(Choice(name, variant, graph, one.execution_provider, device))
    return found, why if found else [*only_named, *why]


def _against(name: str, variant: Variant, device: Device, version: str, *, named: bool) -> str | None:
    """Why a device cannot run a variant that lists it."""
    if _numbers(version) < _numbers(variant.minimum_onnxruntime):
        return f"{name} wants onnxruntime {variant.minimum_onnxruntime} or newer, here is {version}"
    if variant.engine is not None:
        built_for, here = variant.engine.compute_capability, device.compute_capability
        if here is None and not named:
            return f"{name} is an engine for compute capability {built_for}, run only when named"
        if here is not None and here not in built_for.split(","):
            return f"{name} is an engine for compute capability {built_for}, this GPU has {here}"
    return None


def _no_variant(manifest: Manifest, one: Known, named: list[str] | None) -> str:
    """Why no variant can run on a provider, and who could."""
    listed = {name: variant.providers for name, variant in manifest.variants.items()}
    others = [name for name, providers in listed.items() if one.execution_provider in providers]
    if named is not None:
        can = ", ".join(known_provider(name).name for name in listed[named[0]])
        does = f"; {' and '.join(others)} can" if others else ""
        return f"its variant {named[0]} runs on {can}{does}"
    return "none of its variants runs there: `colibri export` makes gpu-fp16 and portable, which do"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
