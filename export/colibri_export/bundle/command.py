"""`colibri bundle`. Importing this module needs nothing of the extra [export]."""

import sys
from importlib import util
from pathlib import Path

import click

from colibri import machine
from colibri.errors import MissingExtra


@click.command("bundle", short_help="Make a folder that installs without a network.")
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--platform", default="linux-x86_64", show_default=True, metavar="NAME", help="What it is for.")
@click.option(
    "--python",
    default="{}.{}".format(*sys.version_info),
    show_default=True,
    metavar="3.11",
    help="The Python that is there.",
)
@click.option("--extras", default="cpu", show_default=True, metavar="cpu,server", help="Extras of Colibri.")
@click.option(
    "--artefact",
    "names",
    multiple=True,
    metavar="NAME|FOLDER",
    help="A model that shall be there by its name; colibri-mini is in the wheel.",
)
@click.option(
    "--wheel",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="Colibri's wheel, or a checkout; default: where this copy came from.",
)
@click.option("--replace", is_flag=True, help="Replace OUT if it is a bundle, once the new one is whole.")
def bundle_command(
    out: Path, platform: str, python: str, extras: str, names: tuple[str, ...], wheel: Path | None, replace: bool
) -> None:
    """Make the folder OUT: wheels for a machine without a network, models, hashes, and install.py, which compares every
    file before it installs any.

    Platforms: linux-x86_64, linux-aarch64 (glibc 2.28), macos-arm64, windows-x86_64. pip fetches the wheels from where
    it is set up to. Carry the folder over, compare the SHA-256 that this prints, and there:

    \b
      colibri bundle ./bundle --python 3.11 --extras cpu,server --artefact ./mini-en
      sha256sum bundle/SHA256SUMS
      python3 bundle/install.py /opt/colibri
    """
    if missing := [module for module in ("packaging", "pip") if util.find_spec(module) is None]:
        how = "python -m ensurepip" if missing == ["pip"] else machine.install_command("export")
        raise MissingExtra(f"bundle needs {', '.join(missing)}: {how}")
    from colibri.artefact import find
    from colibri_export.bundle.bundling import bundle
    from colibri_export.bundle.target import Target

    wanted = [extra.strip() for extra in extras.split(",") if extra.strip()]
    target = Target(platform, python)
    made = bundle(out, target, extras=wanted, models=[find(name) for name in names], wheel=wheel, replace=replace)
    click.echo(f"{out}: {len(made.wheels)} wheels for {platform}, Python {python}, {made.bytes / 1e6:.1f} MB")
    click.echo(f"SHA-256 of SHA256SUMS: {made.sha256}")
