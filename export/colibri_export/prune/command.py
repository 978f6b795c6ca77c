"""`colibri prune`. Importing this module needs nothing of the extra [export]."""

import logging
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

import click

from colibri import machine
from colibri.errors import MissingExtra
from colibri.providers import require_onnxruntime

if TYPE_CHECKING:
    from colibri_export.prune.pruning import Pruned

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("prune", short_help="Make an artefact with fewer pieces.")
@click.argument("artefact")
@click.argument("out", type=_FOLDER)
@click.option(
    "--languages", metavar="en,de", help="Keep what the words of these languages need; needs the extra [prune]."
)
@click.option(
    "--corpus",
    "corpus",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="Keep what these texts need: one a line, or .jsonl; .gz as well. May be given several times.",
)
@click.option(
    "--keep", type=click.IntRange(min=1), metavar="N", help="So many pieces at most, those that are used most."
)
@click.option(
    "--judge",
    "judged",
    type=_FOLDER,
    multiple=True,
    metavar="SET",
    help="A folder with corpus.jsonl, queries.jsonl and qrels.tsv: say nDCG@10 before and after.",
)
@click.option("--name", metavar="NAME", help="The new artefact's name; default: its folder's.")
@click.option("--replace", is_flag=True, help="Replace OUT if it exists, once the new one is verified.")
def prune_command(
    artefact: str,
    out: Path,
    languages: str | None,
    corpus: tuple[Path, ...],
    keep: int | None,
    judged: tuple[Path, ...],
    name: str | None,
    replace: bool,
) -> None:
    """Make OUT from ARTEFACT (a name, folder or hub id) with the pieces that some languages or texts need.

    Special tokens, single characters and bytes always stay, so that any text can still be read. One whose pieces were
    all kept gets the same vectors, to the bit, and this is tried before OUT gets its name; others are cut into smaller
    pieces. Both artefacts share a vector space: an index made with one can be searched and filled with the other.

    \b
      colibri prune colibri-mini ./mini-en --languages en
      colibri prune colibri-mini ./mini-ours --corpus texts.jsonl --corpus questions.txt --languages en
      colibri prune colibri-mini ./mini-small --languages de,fr --keep 40000 --judge ./our-judged-set
    """
    _require_extra()
    from colibri.artefact import Artefact, find
    from colibri_export.prune.judging import mean_ndcg, read_set
    from colibri_export.prune.pruning import Wish, prune

    logging.getLogger("colibri_export").setLevel(logging.INFO)
    if missing := [str(path) for path in corpus if not path.is_file()]:
        raise click.BadParameter(f"{', '.join(missing)}: no such file", param_hint="--corpus")
    codes = tuple(dict.fromkeys(code.strip() for code in (languages or "").split(",") if code.strip()))
    sets = {folder: read_set(folder) for folder in judged}
    source = find(artefact)
    made = prune(source, out, Wish(languages=codes, corpus=corpus, keep=keep), name=name, replace=replace)
    click.echo("\n".join(_said(made)))
    for folder, one in sets.items():
        before, after = mean_ndcg(source, one), mean_ndcg(Artefact(out, made.manifest), one)
        click.echo(f"{folder.name}: nDCG@10 {after:.4f}, before {before:.4f}, {len(one.queries):,} queries")


def _said(made: "Pruned") -> list[str]:
    told, (kept, of), (before, after) = made.told, made.pieces, made.bytes
    more = 100 * (told.after / told.before - 1) if told.before else 0.0
    lines = [
        f"{made.manifest.name}: {kept:,} of {of:,} pieces, {after / 1e6:.1f} MB instead of {before / 1e6:.1f}",
        f"{told.inside:,} of {told.texts:,} texts are read as before, all have {more:.2f} % more tokens",
        f"{made.rows:,} rows of {len(told.run)} of them in every graph: equal to the bit",
    ]
    if kept == of:
        lines.append("nothing was left out: all pieces are needed")
    golden, published = made.golden
    if golden < published:
        lines.append(f"{published - golden} of {published} published rows and scores are of other texts: left out")
    return [*lines, *(f"{name}: a compiled engine cannot be cut: left out" for name in made.left_out)]


def _require_extra() -> None:
    if missing := [module for module in ("onnx", "onnx_ir", "safetensors") if util.find_spec(module) is None]:
        raise MissingExtra(
            f"prune needs {', '.join(missing)} (colibri-edge[export]): {machine.install_command('export')}"
        )
    if warning := require_onnxruntime():
        click.echo(warning, err=True)
