"""`colibri verify`: whether an artefact is whole, and whether its rows are those published."""

import sys

import click

from colibri.artefact import Artefact, check_files, find
from colibri.cli.options import provider_option
from colibri.cli.terminal import echo, visible
from colibri.errors import ProviderError


@click.command(short_help="Check an artefact's files, and its rows.")
@click.argument("artefact", required=False, metavar="[NAME|FOLDER|HUB-ID]")
@click.option(
    "--golden", is_flag=True, help="Also run every variant that can run here and compare with published rows."
)
@provider_option
def verify(artefact: str | None, golden: bool, provider: str) -> None:
    """Compare every file of an artefact with its SHA-256. Exit code 1 when anything is missing or changed.

    With --golden, rows published for the real weights are compared, too: float32 variants must be within the published
    tolerance (else exit code 1), others are reported. An artefact of other weights says that no rows apply.
    """
    found = find(artefact)
    check_files(found)
    size = sum(entry.size_bytes for entry in found.manifest.files.values())
    name = visible(found.manifest.name)
    echo(f"{name}: {len(found.manifest.files)} files, {size / 1e6:.1f} MB, all as the manifest says")
    if golden and not _golden(found, provider):
        sys.exit(1)


def _golden(found: Artefact, provider: str) -> bool:
    """Say how far each variant is from the published rows; whether all float32 ones are near enough."""
    rows = [row for row in found.manifest.golden if row.dim in found.manifest.dims]
    if not rows:
        echo("no golden rows apply: none are published for the weights in this artefact")
        return True
    from colibri.golden import deviations
    from colibri.model import Colibri

    good = True
    for name, variant in found.manifest.variants.items():
        try:
            model = Colibri(found, variant=name, provider=provider)
        except ProviderError as error:
            echo(visible(f"{name}: not run ({error})"))
            continue
        compared = deviations(model, rows)
        on = "" if model.provider.name == "cpu" else f" on {model.provider.name}"
        worst = max(compared, key=lambda row: row.difference)
        within = sum(row.within for row in compared)
        binding = variant.precision == "float32"
        good &= within == len(rows) or not binding
        echo(
            f"{visible(name)}{on}: {within} of {len(rows)} published rows within {worst.golden.tolerance:g}, "
            f"largest difference {worst.difference:.5f} "
            f"({worst.golden.role} {worst.golden.text!r}, row {worst.golden.row})"
            f"{'' if binding else '; reported only, since its precision is less than float32'}"
        )
    if not good:
        echo("these rows are not those of the published weights: other weights, or a fault of the export", err=True)
    return good
