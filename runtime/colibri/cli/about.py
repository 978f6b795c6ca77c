"""`colibri info`: what an artefact is."""

import dataclasses

import click

from colibri.artefact import Cutoffs, Engine, Manifest, Role, Variant, find
from colibri.cli.terminal import echo, echo_json, visible
from colibri.providers import CPU


@click.command(short_help="Show what an artefact is.")
@click.argument("artefact", required=False, metavar="[NAME|FOLDER|HUB-ID]")
@click.option("--json", "as_json", is_flag=True, help="The manifest as JSON on stdout.")
def info(artefact: str | None, as_json: bool) -> None:
    """Show what an artefact is: licence, dims, roles, variants and how exact they are.

    Without an argument: the model that comes with Colibri.
    """
    found = find(artefact)
    if as_json:
        echo_json(dataclasses.asdict(found.manifest))
        return
    for line in [*_describe(found.manifest), f"folder        {found.folder}"]:
        echo(visible(line))


def _describe(m: Manifest) -> list[str]:
    a = m.architecture
    terms = "  (NOT for commercial use)" if m.licence.forbids_commercial_use else ""
    revision = f" {m.source.revision}" if m.source.revision else ""
    lines = [
        f"{m.name}  {m.description}".rstrip(),
        f"licence       {m.licence.id}{terms}  {m.licence.notice}".rstrip(),
        f"source        {m.source.kind} {m.source.name}{revision}",
        f"backbone      {a.family}, {a.layers} x {a.hidden}, {a.vocabulary:,} pieces, {a.max_positions} positions",
        f"dims          {', '.join(_head(m, dim) for dim in m.dims)}",
        f"space         {m.space_id[:16]}  (vectors of one space compare, whatever the variant)",
        f"query         {_role(m.query)}",
        f"document      {_role(m.document)}",
    ]
    if m.tokenizer.lowercase:
        lines.append("texts         lower-cased before they are tokenized")
    if published := len(m.golden) + sum(len(one.scores) for one in m.golden_scores):
        lines.append(f"published     {published} rows and scores: `colibri verify --golden` compares")
    lines += _cutoffs(m)
    if m.aliases:
        lines.insert(1, f"aliases       {', '.join(m.aliases)}")
    for name, variant in m.variants.items():
        lines += _variant(name, variant)
    return lines


def _cutoffs(m: Manifest) -> list[str]:
    """Of the default width; --json has them all."""
    found = m.cutoffs
    if found is None:
        return ["cutoffs       none measured: no result says whether it fits"]
    unit = "MaxSim divided by the query's weight" if found.unit == "mean" else "raw MaxSim"
    lines = [f"cutoffs       {unit}, by the share of unrelated pairs that reach it; {found.source}"]
    own = [row for row in found.rows if row.dim == m.default_dim]
    for row in own or found.rows:
        rates = "  ".join(
            f"{rate}: {score:g}{_called(found, rate)}"
            for rate, score in sorted(row.false_positives.items(), key=lambda item: -float(item[0]))
        )
        most = "" if row.max_weight is None else f" to {row.max_weight:g}"
        lines.append(
            f"              dim {row.dim}, queries that weigh {row.min_weight:g}{most or ' or more'}:"
            f" {rates}  balanced: {row.balanced:g}"
        )
    return lines


def _called(cutoffs: Cutoffs, rate: str) -> str:
    names = [name for name, of in (("likely", cutoffs.likely), ("maybe", cutoffs.maybe)) if of == rate]
    return f" ({' and '.join(names)})" if names else ""


def _head(m: Manifest, dim: int) -> str:
    head = next(head for head in m.heads if head.dim == dim)
    cut = f" (truncated from {head.truncated_from})" if head.truncated_from else ""
    return f"{dim}{' (default)' if dim == m.default_dim else ''}{cut}"


def _role(role: Role) -> str:
    recorded = "" if role.recorded_max_tokens is None else f" (its metadata says {role.recorded_max_tokens})"
    parts = [f"up to {role.max_tokens} tokens{recorded}"]
    if role.marker_id is not None:
        parts.append(f"marker id {role.marker_id}")
    if role.prefix is not None:
        parts.append(f"prefix {role.prefix!r}{'' if role.keep_prefix_rows else ' (rows dropped)'}")
    if role.drop_start_rows:
        parts.append("start rows dropped")
    if not role.keep_special_rows:
        parts.append("start and end rows dropped")
    if role.expansion is not None:
        seen = "attended" if role.expansion.attended else "not attended"
        parts.append(f"expanded to {role.expansion.to_tokens} ({seen})")
    if role.skiplist.ids:
        parts.append(f"skiplist of {len(role.skiplist.ids)} ({role.skiplist.rule})")
    return ", ".join(parts)


def _variant(name: str, variant: Variant) -> list[str]:
    providers = ", ".join(provider.removesuffix("ExecutionProvider") for provider in variant.providers)
    lines = [f"{name:<13} {variant.precision}, {variant.size_bytes / 1e6:.1f} MB, {providers}"]
    anywhere = "any CPU" if variant.providers == (CPU,) else "any of these"
    if variant.engine is not None:
        return [*lines, *(f"              {line}" for line in _engine(variant.engine))]
    for graph in variant.graphs:
        where = f"needs {' or '.join(graph.any_cpu_feature)}" if graph.any_cpu_feature else anywhere
        lines.append(f"              {graph.document} ({where})")
        if graph.parity is None:
            lines.append("                parity not measured: the exporting machine could not run it")
        for dim, parity in (graph.parity or {}).items():
            lines.append(
                f"                dim {dim}: cosine to float32 {parity.mean_cosine:.4f} on average, "
                f"{parity.min_cosine:.4f} at worst, over {parity.tokens} tokens"
            )
    return lines


def _engine(engine: Engine) -> list[str]:
    """Shapes are texts x tokens."""
    targets = engine.compute_capability.replace(",", ", ")
    lines = [f"built by TensorRT-RTX {engine.tensorrt} for compute capability {targets}; it has not been run"]
    for i, profile in enumerate(engine.profiles):
        texts, tokens = (
            str(low) if low == high else f"{low}-{high}"
            for low, high in zip(profile.minimum, profile.maximum, strict=True)
        )
        best = " x ".join(map(str, profile.optimum))
        lines.append(f"profile {i}: {profile.role} {texts} x {tokens}, best at {best}")
    return lines
