"""`colibri verify`: whether an artefact is whole, and whether its rows are those published."""

import sys
from typing import TYPE_CHECKING

import click

from colibri.artefact import Artefact, check_files, find
from colibri.cli.options import provider_option
from colibri.cli.terminal import echo, visible
from colibri.errors import ProviderError
from colibri.machine import counted

if TYPE_CHECKING:
    from colibri.golden import ScoreDeviation


@click.command(short_help="Check an artefact's files, and its rows.")
@click.argument("artefact", required=False, metavar="[NAME|FOLDER|HUB-ID]")
@click.option(
    "--golden",
    is_flag=True,
    help="Also run every variant that can run here, against published rows and scores.",
)
@provider_option
def verify(artefact: str | None, golden: bool, provider: str) -> None:
    """Compare every file of an artefact with its SHA-256. Exit code 1 when anything is missing or changed.

    With --golden, rows and MaxSim scores published for the real weights are compared, too: float32 variants must be
    within the published tolerance (else exit code 1), others are reported. An artefact of other weights says that none
    apply.
    """
    found = find(artefact)
    check_files(found)
    size = sum(entry.size_bytes for entry in found.manifest.files.values())
    name = visible(found.manifest.name)
    echo(f"{name}: {counted(len(found.manifest.files), 'file')}, {size / 1e6:.1f} MB, all as the manifest says")
    if golden and not _golden(found, provider):
        sys.exit(1)


def _golden(found: Artefact, provider: str) -> bool:
    """Say how far each variant is from the published rows and scores; whether all float32 ones are near enough."""
    rows = [row for row in found.manifest.golden if row.dim in found.manifest.dims]
    scores = [one for one in found.manifest.golden_scores if one.dim in found.manifest.dims]
    if not rows and not scores:
        echo("no golden rows apply: none are published for the weights in this artefact")
        return True
    from colibri.golden import deviations, score_deviations
    from colibri.model import Colibri

    good = True
    for name, variant in found.manifest.variants.items():
        try:
            model = Colibri(found, variant=name, provider=provider)
        except ProviderError as error:
            echo(visible(f"{name}: not run ({error})"))
            continue
        on = f"{visible(name)}{'' if model.provider.name == 'cpu' else f' on {model.provider.name}'}"
        binding = variant.precision == "float32"
        only = "" if binding else "; reported only, since its precision is less than float32"
        if rows:
            compared = deviations(model, rows)
            worst = max(compared, key=lambda row: row.difference)
            within = sum(row.within for row in compared)
            good &= within == len(rows) or not binding
            echo(
                f"{on}: {within} of {len(rows)} published rows within {worst.golden.tolerance:g}, "
                f"largest difference {worst.difference:.5f} "
                f"({worst.golden.role} {worst.golden.text!r}, row {worst.golden.row}){only}"
            )
        if scores:
            good &= _say_scores(on, score_deviations(model, scores), only) or not binding
    told = dict.fromkeys(source for source in (*(r.source for r in rows), *(s.source for s in scores)) if source)
    if good:
        echo(visible(f"as published{': ' if told else ''}{'; '.join(told)}"))
    else:
        echo("these rows are not those of the published weights: other weights, or a fault of the export", err=True)
    return good


def _say_scores(on: str, compared: "list[ScoreDeviation]", only: str) -> bool:
    """One line of a variant's scores; whether all are as published."""
    worst = max(compared, key=lambda score: score.difference)
    within = sum(score.within for score in compared)
    allowed = f"{worst.golden.tolerance:g}"
    if worst.golden.relative_tolerance:
        allowed += f" + {worst.golden.relative_tolerance:g} of each"
    echo(
        f"{on}: {within} of {len(compared)} published scores within {allowed}, "
        f"largest difference {worst.difference:.5f} "
        f"({worst.score:.5f}, published {worst.published:.5f}: {worst.golden.query!r}, document {worst.document}){only}"
    )
    return within == len(compared)
