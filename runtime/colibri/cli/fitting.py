"""Which hits are shown: those that fit, as `--min` and `--all` say."""

import math
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from colibri.artefact import FITS, Fit
from colibri.errors import InputError

if TYPE_CHECKING:
    from colibri.index import Hit

Least = Fit | float


def least_of(ctx: click.Context, param: click.Parameter, value: str | None) -> Least | None:
    """What `--min` says. Raises BadParameter."""
    if value is None:
        return None
    for word in FITS[:-1]:
        if value == word:
            return word
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise click.BadParameter(f"found {value!r}, wanted likely, maybe, or a number such as 0.7", ctx, param)
    return number


def fit_options(command: Callable[..., None]) -> Callable[..., None]:
    """--min, --all: arguments `least` and `everything`. Both at once are refused before any work."""

    @wraps(command)
    def checked(least: Least | None, everything: bool, **given: Any) -> None:
        if everything and least is not None:
            raise click.UsageError(
                f"--all shows what hardly fits, too, and --min {least} leaves it out: give one of them"
            )
        command(least=least, everything=everything, **given)

    least = click.option(
        "--min",
        "least",
        metavar="likely|maybe|NUMBER",
        callback=least_of,
        help="Show what fits so well; a number is the score that is shown. Default: maybe.",
    )
    return least(click.option("--all", "everything", is_flag=True, help="Show also what hardly fits.")(checked))


def kept(hits: Sequence["Hit"], least: Least | None) -> list["Hit"]:
    """The hits that reach it; None: all. Raises InputError for a word where the model has no cutoffs."""
    if least is None:
        return list(hits)
    if isinstance(least, float):
        return [hit for hit in hits if hit.normalised >= least]
    if any(hit.fit is None for hit in hits):
        why = "these hits have none: the model has no cutoffs (`colibri info`), or they are of --mode words"
        raise InputError(f"--min {least}: {why}; give a number, such as 0.7")
    return [hit for hit in hits if hit.fit is not None and FITS.index(hit.fit) <= FITS.index(least)]


def shown(hits: Sequence["Hit"], least: Least | None, *, query: str, everything: bool) -> list["Hit"]:
    """For a person: without `--min` no stranger is shown, where the model's cutoffs can tell. What holds every word of
    the query is none, whatever it scores: who types a name or a code has found it."""
    if everything:
        return list(hits)
    if least is None:
        return [hit for hit in hits if hit.fit != "unlikely" or _has_words(hit, query)]
    return kept(hits, least)


def _has_words(hit: "Hit", query: str) -> bool:
    words = re.findall(r"\w+", query.casefold())
    text = f"{hit.id} {hit.text or ''}".casefold()
    if words and all(word in text for word in words):
        return True
    if not hit.words:
        return False
    from colibri.index import asked  # NumPy comes with it, which most searches that another process answers do without

    return asked(query).stands_in(" ".join([hit.id, *(passage.text or "" for passage in hit.passages)]))


def left_out(found: int, hits: Sequence["Hit"], least: Least | None) -> str | None:
    """What is said of those that are not shown; None: there are none. found: how many are."""
    if found == len(hits):
        return None
    best = max(hits, key=lambda hit: hit.normalised)
    wanted = "" if least is None else f" (--min {least})"
    if not found:
        return f"nothing fits well{wanted}: the best has {best.normalised:.3f}; --all shows what came nearest"
    left = len(hits) - found
    return f"{left:,} more {'fits' if left == 1 else 'fit'} less{wanted}; --all shows {'it' if left == 1 else 'them'}"
