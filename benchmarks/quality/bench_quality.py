"""How good rankings are: nDCG@10 of BM25, of one vector a text, and of MaxSim at every width of an artefact.

    python3 run.py bench quality --data DIR

Document rows are int8, as an index stores them. Where sets ask the same questions in several languages (xquad-r), each
language's queries are also put to the others' documents. --raw names an artefact of the backbone as it came, with an
identity head: its whole rows are the ceiling of what heads can reach, and the means of its rows the dense vectors.
--known takes from an earlier run what does not change with a model's training. With two variants it is a gate: exit
code 1 when the first loses more against the second than the limits below. With --stored it compares nothing but how
rows are stored: float32 against int8 (stored.py).
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import click
import numpy as np

from colibri import Colibri, ColibriError, TokenVectors
from colibri.artefact import finding as artefact
from colibri.scoring import maxsim_batch
from quality import crosslingual, retrieval, stored
from quality.crosslingual import CrossResult
from quality.dense import DenseEncoder
from quality.encoded import token_vectors
from quality.retrieval import Collection
from quality.yardsticks import Yardsticks, known_figures
from report import machine

SETS = (
    *(f"xquad-r-{language}" for language in ("en", "de", "ar", "zh")),
    *("medline", "cisi", "jaquad"),
    *(f"lohelp-{language}" for language in ("en", "fr", "ja", "ko", "it", "pl", "ru", "es")),
)
VARIANTS = ("cpu-int8", "cpu-fp32")
MOST_LOSS_ON_AVERAGE = 0.01
MOST_LOSS_ON_ANY_SET = 0.025
EXPECTED_COSINE = 0.985  # reported, not gated


@dataclass(frozen=True)
class SetResult:
    """Figures of one set, nDCG@10 unless said otherwise.

    maxsim          variant -> dim -> figure
    raw             MaxSim of whole rows of the backbone, float32; None if not asked for
    token_cosine    dim -> mean cosine between two variants' rows of the document tokens; empty for one variant
    """

    set: str
    queries: int
    documents: int
    document_tokens: int
    bm25: float
    dense: float
    maxsim: dict[str, dict[int, float]]
    token_cosine: dict[int, float]
    raw: float | None = None


def judge(collection: Collection, models: dict[str, Colibri], yardsticks: Yardsticks, cache: Path | None) -> SetResult:
    """All figures of one set. models: one a variant, all of one artefact."""
    bm25, dense, raw = yardsticks.of(collection, cache)
    queries = {name: token_vectors(model, collection, "query", cache) for name, model in models.items()}
    documents = {name: token_vectors(model, collection, "document", cache) for name, model in models.items()}
    first, *others = documents.values()
    return SetResult(
        set=collection.name,
        queries=len(collection.queries),
        documents=len(collection.documents),
        document_tokens=next(len(vectors.rows) for vectors in first.values()),
        bm25=bm25,
        dense=dense,
        maxsim={
            name: {
                dim: retrieval.mean_ndcg(collection, maxsim_batch(queries[name][dim], vectors.quantize()))
                for dim, vectors in by_dim.items()
            }
            for name, by_dim in documents.items()
        },
        token_cosine={dim: mean_cosine(first[dim], other[dim]) for other in others for dim in other},
        raw=raw,
    )


def mean_cosine(first: TokenVectors, second: TokenVectors) -> float:
    """Mean over tokens of the cosine between two encodings' unit rows."""
    return float(np.einsum("td,td->t", first.rows, second.rows).mean(dtype=np.float64))


def losses(results: Sequence[SetResult], first: str, second: str, dim: int) -> dict[str, float]:
    """Set -> the share of `second`'s nDCG@10 that `first` loses (0.01 is 1 %; negative where it gains)."""
    pairs = {result.set: (result.maxsim[first][dim], result.maxsim[second][dim]) for result in results}
    return {name: (wanted - found) / wanted if wanted else 0.0 for name, (found, wanted) in pairs.items()}


def gate(results: Sequence[SetResult], first: str, second: str, dims: Sequence[int]) -> bool:
    """Print what `first` loses against `second` at each dim; whether all of it is within the limits."""
    limits = f"at most {MOST_LOSS_ON_AVERAGE:.1%} on average and {MOST_LOSS_ON_ANY_SET:.1%} on any set"
    print(f"\n{first} may lose {limits} against {second}; token cosine should be {EXPECTED_COSINE} or more")
    passed = True
    for dim in dims:
        by_set = losses(results, first, second, dim)
        average = float(np.mean(list(by_set.values())))
        worst = max(by_set, key=lambda name: by_set[name])
        within = average <= MOST_LOSS_ON_AVERAGE and by_set[worst] <= MOST_LOSS_ON_ANY_SET
        found = f"{average:+.2%} on average, {by_set[worst]:+.2%} on {worst}; token cosine {_cosine(results, dim):.4f}"
        print(f"{dim:5}: loses {found}  {'ok' if within else 'MISSED'}")
        passed &= within
    return passed


def _cosine(results: Sequence[SetResult], dim: int) -> float:
    tokens = [result.document_tokens for result in results]
    return float(np.average([result.token_cosine[dim] for result in results], weights=tokens))


def columns(result: SetResult) -> dict[str, float]:
    """The figures of one row by column title."""
    found = {"BM25": result.bm25, "dense": result.dense}
    found |= {} if result.raw is None else {"raw": result.raw}
    return found | {f"{name} {dim}": value for name, dims in result.maxsim.items() for dim, value in dims.items()}


def print_row(name: str, figures: dict[str, float], *, titles: bool) -> None:
    """One line of the table, below its titles if wanted."""
    if titles:
        print(f"{'nDCG@10':12}" + "".join(f"  {title:>6}" for title in figures))
    cells = {title: f"{value:.4f}" for title, value in figures.items()}
    print(f"{name:12}" + "".join(f"  {cell:>{max(6, len(title))}}" for title, cell in cells.items()), flush=True)


def averages(results: Sequence[SetResult]) -> dict[str, float]:
    """Every column's mean over sets, each set counting the same."""
    rows = [columns(result) for result in results]
    return {title: float(np.mean([row[title] for row in rows])) for title in rows[0]}


def load_models(name: str | None, variants: str | None) -> dict[str, Colibri]:
    """The named variants (comma-separated) of an artefact, or those of VARIANTS that it has."""
    source = artefact.find(name)
    names = (
        variants.split(",") if variants else [variant for variant in VARIANTS if variant in source.manifest.variants]
    )
    if len(names) > 2:
        raise click.UsageError(f"--variants: found {len(names)}, wanted one, or two to compare")
    return {variant: Colibri(source, variant=variant) for variant in names}


def set_folders(data: Path, sets: str) -> list[Path]:
    """The folders of comma-separated sets. Raises UsageError that names all that are not there."""
    folders = [data / name for name in sets.split(",")]
    if missing := [folder.name for folder in folders if not folder.is_dir()]:
        raise click.UsageError(f"--sets: {data} has no {', '.join(missing)}")
    return folders


def compare_stored(
    folders: Sequence[Path],
    name: str | None,
    variants: str | None,
    queries: int | None,
    cache: Path | None,
    lines: IO[str] | None,
) -> bool:
    """Rows of one variant, stored as float32 and as int8; whether the latter is close enough everywhere."""
    try:
        (model,) = load_models(name, variants or VARIANTS[0]).values()
    except ValueError:
        raise click.UsageError("--stored compares rows of one variant") from None
    except ColibriError as error:
        raise click.ClickException(str(error)) from error
    passed = True
    for folder in folders:
        collection = retrieval.load(folder, queries)
        both = [token_vectors(model, collection, role, cache) for role in ("query", "document")]
        results = stored.compare(collection, *both)
        passed &= stored.print_stored(results)
        for result in results if lines else ():
            line = {"artefact": model.manifest.name, "space_id": model.manifest.space_id, "variant": model.variant}
            print(json.dumps(line | asdict(result) | {"machine": machine.describe()}), file=lines, flush=True)
    return passed


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--data", type=_FOLDER, required=True, help="Holds one folder a set, in BEIR's layout.")
@click.option("--sets", default=",".join(SETS), show_default=True, help="Folders of --data, comma-separated.")
@click.option("--artefact", "name", metavar="NAME|FOLDER", help="Default: the one that comes with the package.")
@click.option(
    "--raw", "raw_name", metavar="FOLDER", help="An artefact of whole rows: the backbone as it came, identity head."
)
@click.option(
    "--known", "known_lines", type=click.File(encoding="utf-8"), help="--json of a run with BM25, dense and raw."
)
@click.option("--variants", help=f"One, or two to compare. Default: those of {','.join(VARIANTS)} that it has.")
@click.option("--stored", "as_stored", is_flag=True, help="Compare rows stored as int8 with the same in float32.")
@click.option("--queries", type=click.IntRange(min=1), help="Only the first N judged queries of each set.")
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Keep encoded collections here.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a set.")
def main(
    data: Path,
    sets: str,
    name: str | None,
    raw_name: str | None,
    known_lines: IO[str] | None,
    variants: str | None,
    as_stored: bool,
    queries: int | None,
    cache: Path | None,
    lines: IO[str] | None,
) -> None:
    """Print nDCG@10 of BM25, of one vector a text, and of MaxSim at every width; compare two variants."""
    folders = set_folders(data, sets)
    if as_stored:
        sys.exit(0 if compare_stored(folders, name, variants, queries, cache, lines) else 1)
    try:
        models = load_models(name, variants)
        source = artefact.find(name)
        raw = None if raw_name is None else Colibri(artefact.find(raw_name))
        known = known_figures(known_lines, folders, queries) if known_lines else {}
        dense = None if known else DenseEncoder(artefact.find(raw_name or name))
        yardsticks = Yardsticks(dense, raw, known)
    except ColibriError as error:
        raise click.ClickException(str(error)) from error
    results: list[SetResult] = []

    def write(figures: SetResult | CrossResult) -> None:
        if lines:
            line = {"artefact": source.manifest.name, "space_id": source.manifest.space_id, **asdict(figures)}
            print(json.dumps(line | {"machine": machine.describe()}), file=lines, flush=True)

    for folder in folders:
        results.append(judge(retrieval.load(folder, queries), models, yardsticks, cache))
        print_row(folder.name, columns(results[-1]), titles=len(results) == 1)
        write(results[-1])
    print_row("mean", averages(results), titles=False)
    crossed = list(crosslingual.judge(folders, queries, next(iter(models.values())), dense, known, cache))
    for i, result in enumerate(crossed):
        print_row(result.set, crosslingual.columns(result), titles=i == 0)
        write(result)
    if crossed:
        print_row("mean", crosslingual.averages(crossed), titles=False)
    if len(models) == 2:
        first, second = models
        sys.exit(0 if gate(results, first, second, source.manifest.dims) else 1)


if __name__ == "__main__":
    main()
