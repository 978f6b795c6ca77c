"""From which score on a text fits a query: measured on pairs that belong together, checked on sets that were not used.

    python3 run.py bench cutoffs --data DIR --json FILE

DIR holds train/ and dev/. Unrelated are a query of train/ and every passage of its language but its own. A cutoff is
the score that a share of those reaches (the false-positive rate), each language counting the same; there is one a width
and range of a query's weight. `related.py` says which pairs; none was learnt from.

Checked on every set of dev/: of the best hits called likely, how many are judged an answer; and, of questions put to
another set's documents, which hold none, how many come out as likely, maybe or unlikely.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import click
import numpy as np
from numpy.typing import NDArray

from colibri import Colibri, TokenVectors
from colibri.scoring import maxsim_batch
from quality import retrieval
from quality.bench_quality import SETS
from quality.crosslingual import chosen
from quality.encoded import token_vectors
from quality.related import Related, read
from quality.retrieval import Collection
from report import machine

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

RATES = ("0.1", "0.01", "0.001", "0.0001", "0.00005")
WEIGHTS = (0, 2, 3, 4, 6, 13)
"""Where ranges of a query's weight begin."""
LIKELY, MAYBE = "0.00005", "0.01"
ELSEWHERE = {
    "xquad-r-en": "medline", "xquad-r-de": "medline", "xquad-r-ar": "lohelp-ru", "xquad-r-zh": "jaquad",
    "medline": "cisi", "cisi": "xquad-r-en", "jaquad": "xquad-r-zh", "lohelp-en": "medline", "lohelp-fr": "xquad-r-en",
    "lohelp-ja": "jaquad", "lohelp-ko": "jaquad", "lohelp-it": "xquad-r-en", "lohelp-pl": "xquad-r-de",
    "lohelp-ru": "xquad-r-ar", "lohelp-es": "xquad-r-en",
}  # fmt: skip
"""Set -> another one on other matters, in the same language or one near it where there is such, that answers none of
its questions."""
MOST_ASKED = 1_000  # of a set, elsewhere


@dataclass(frozen=True)
class Row:
    """Cutoffs of one width and range of weights, as the manifest has them, and what they were measured on."""

    dim: int
    min_weight: float
    max_weight: float | None
    false_positives: dict[str, float]
    balanced: float
    queries: int
    unrelated_pairs: int
    related_found: dict[str, float]
    """Rate -> share of the related pairs that reach its cutoff."""


@dataclass(frozen=True)
class OfLanguage:
    """The rate .001 of one language, all weights together, and how its related pairs score."""

    dim: int
    language: str
    queries: int
    cutoff: float
    related_median: float


@dataclass(frozen=True)
class Checked:
    """One set at one width. likely, maybe, unlikely: best hits of questions that the set answers, called so, and right
    those that are judged an answer; elsewhere: the same of questions that it does not."""

    dim: int
    set: str
    queries: int
    called: dict[str, int]
    right: dict[str, int]
    asked_of: str | None
    elsewhere: dict[str, int]


def means(queries: TokenVectors, documents: TokenVectors) -> tuple[Floats, Floats]:
    """MaxSim divided by the query's weight, (queries, documents), and the weights; document rows int8, as stored."""
    assert queries.weights is not None
    weights: Floats = np.add.reduceat(queries.weights, queries.starts[:-1])
    scores: Floats = maxsim_batch(queries, documents.quantize()) / weights[:, None]
    return scores, weights


def cutoff(scores: Floats, shares: Floats, rate: float) -> float:
    """The score that this share of pairs reaches or passes; shares: what each pair counts."""
    order = np.argsort(-scores)
    reached = np.cumsum(shares[order], dtype=np.float64)
    return float(scores[order][min(np.searchsorted(reached, rate * reached[-1]), len(order) - 1)])


def best_between(related: Floats, scores: Floats, shares: Floats) -> float:
    """The score with the fewest faults where there are as many related pairs as unrelated ones."""
    tried = np.linspace(0, 1, 1_001, dtype=np.float32)
    order = np.argsort(scores)
    below = np.concatenate([[0], np.cumsum(shares[order], dtype=np.float64)]) / shares.sum(dtype=np.float64)
    wrong = 1 - below[np.searchsorted(scores[order], tried)]
    missed = np.searchsorted(np.sort(related), tried) / len(related)
    return float(tried[int(np.argmin(wrong + missed))])


def languages(related: Related) -> NDArray[np.str_]:
    """Of each pair's passage; zh_CN and zh-tw are one."""
    return np.array([one.partition(">")[2].replace("_", "-").partition("-")[0] for one in related.languages])


def measured(related: Related, dim: int, means_of: Floats, weights: Floats) -> Iterator[Row | OfLanguage]:
    """Every row of one width, then every language's."""
    spoken = languages(related)
    own = np.eye(len(spoken), dtype=np.bool_)
    unrelated = (spoken[:, None] == spoken[None, :]) & ~own
    same_language = np.array(
        [asked == answered for asked, _, answered in (x.partition(">") for x in related.languages)]
    )
    for least, most in zip(WEIGHTS, (*WEIGHTS[1:], None), strict=True):
        some = (weights >= least) & (weights < (np.inf if most is None else most)) & same_language
        pairs = unrelated & some[:, None]
        counts = {one: pairs[spoken == one].sum() for one in np.unique(spoken[some])}
        shares = np.repeat([1 / max(1, counts.get(one, 1)) for one in spoken], pairs.sum(axis=1)).astype(np.float32)
        scores, good = means_of[pairs], means_of[own & some[:, None]]
        cutoffs = {rate: round(cutoff(scores, shares, float(rate)), 3) for rate in RATES}
        found = {rate: round(float((good >= score).mean()), 3) for rate, score in cutoffs.items()}
        balanced = round(best_between(good, scores, shares), 3)
        yield Row(dim, least, most, cutoffs, balanced, int(some.sum()), int(pairs.sum()), found)
    for one in np.unique(spoken):
        mine = (spoken == one) & same_language
        if not mine.any():
            continue
        scores = means_of[unrelated & mine[:, None]]
        even = np.ones(len(scores), np.float32)
        middle = float(np.median(means_of[own & mine[:, None]]))
        yield OfLanguage(dim, str(one), int(mine.sum()), round(cutoff(scores, even, 0.001), 3), round(middle, 3))


def called(rows: Sequence[Row], best: Floats, weights: Floats) -> NDArray[np.str_]:
    """likely, maybe or unlikely, of each query's best hit."""
    found = []
    for score, weight in zip(best, weights, strict=True):
        row = next(row for row in rows if row.max_weight is None or weight <= row.max_weight)
        likely, maybe = row.false_positives[LIKELY], row.false_positives[MAYBE]
        found.append("likely" if score >= likely else "maybe" if score >= maybe else "unlikely")
    return np.array(found)


def counted(names: NDArray[np.str_], where: Flags | None = None) -> dict[str, int]:
    """How many of each."""
    kept = names if where is None else names[where]
    return {name: int((kept == name).sum()) for name in ("likely", "maybe", "unlikely")}


def answered(collection: Collection, best: NDArray[np.int64]) -> Flags:
    """Whether each query's best hit is judged an answer."""
    ids = [collection.document_ids[i] for i in best]
    return np.array([gains.get(name, 0) > 0 for name, gains in zip(ids, collection.gains, strict=True)])


def check(model: Colibri, data: Path, name: str, rows: dict[int, list[Row]], cache: Path | None) -> Iterator[Checked]:
    """One set at every width."""
    collection = retrieval.load(data / "dev" / name)
    asked, held = (token_vectors(model, collection, role, cache) for role in ("query", "document"))
    other = ELSEWHERE[name] if (data / "dev" / ELSEWHERE[name]).is_dir() else None
    strange = None if other is None else token_vectors(model, retrieval.load(data / "dev" / other), "document", cache)
    for dim, own in rows.items():
        scores, weights = means(asked[dim], held[dim])
        names, right = called(own, scores.max(axis=1), weights), answered(collection, scores.argmax(axis=1))
        elsewhere: dict[str, int] = {}
        if strange is not None:
            some = chosen(asked[dim], range(min(MOST_ASKED, len(asked[dim]))))
            scores, weights = means(some, strange[dim])
            elsewhere = counted(called(own, scores.max(axis=1), weights))
        yield Checked(dim, name, len(names), counted(names), counted(names, right), other, elsewhere)


def toml(rows: Sequence[Row], source: str) -> str:
    """As a recipe has them."""
    lines = ["[cutoffs]", 'unit = "mean"', f'likely = "{LIKELY}"', f'maybe = "{MAYBE}"', f'source = "{source}"']
    for row in rows:
        rates = ", ".join(f'"{rate}" = {score}' for rate, score in row.false_positives.items())
        lines += ["", "[[cutoffs.rows]]", f"dim = {row.dim}", f"min_weight = {float(row.min_weight)}"]
        lines += [] if row.max_weight is None else [f"max_weight = {float(row.max_weight)}"]
        lines += [f"false_positives = {{ {rates} }}", f"balanced = {row.balanced}"]
    return "\n".join(lines)


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--sets", default=",".join(SETS), show_default=True, help="Of dev/, to check on.")
@click.option("--variant", default="cpu-int8", show_default=True)
@click.option("--cache", type=click.Path(file_okay=False, path_type=Path), help="Keep encoded texts here.")
@click.option("--json", "lines", type=click.File("w", encoding="utf-8"), help="Write one JSON line a figure.")
@click.option(
    "--toml", "recipe", type=click.File("w", encoding="utf-8"), help="Write the cutoffs as a recipe has them."
)
def main(
    data: Path, sets: str, variant: str, cache: Path | None, lines: IO[str] | None, recipe: IO[str] | None
) -> None:
    """Measure cutoffs and check them."""
    import colibri  # noqa: PLC0415

    model = colibri.load(variant=variant)
    about = {"artefact": model.name, "space_id": model.manifest.space_id, "variant": model.variant}

    def tell(kind: str, figures: Any) -> None:
        print(kind, json.dumps(asdict(figures)), flush=True)
        if lines:
            print(json.dumps({"kind": kind, **about, **asdict(figures), "machine": machine.describe()}), file=lines)

    related = read(data / "train")
    asked, held = (token_vectors(model, related.collection, role, cache) for role in ("query", "document"))
    rows: dict[int, list[Row]] = {dim: [] for dim in model.dims}
    for dim in model.dims:
        for figures in measured(related, dim, *means(asked[dim], held[dim])):
            tell("measured" if isinstance(figures, Row) else "language", figures)
            if isinstance(figures, Row):
                rows[dim].append(figures)
    if recipe:
        every = [row for own in rows.values() for row in own]
        print(
            toml(every, "benchmarks/quality/bench_cutoffs.py, pairs of 40 languages, checked on 15 sets"), file=recipe
        )
    for name in sets.split(","):
        for one in check(model, data, name, rows, cache):
            tell("checked", one)


if __name__ == "__main__":
    main()
