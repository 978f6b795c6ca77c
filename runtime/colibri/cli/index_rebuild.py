"""`colibri index --rebuild`: all texts encoded again, for another model, width or pool."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from colibri.cli.index_place import loader
from colibri.cli.options import ModelOptions
from colibri.cli.terminal import echo, visible
from colibri.files import Refresh, lengths, make_anew
from colibri.index import Index, RowKind
from colibri.machine import progress_bar


def rebuild(
    place: Path,
    asked: ModelOptions,
    paths: Sequence[Path],
    changes: Mapping[str, Any],
    defaults: bool,
    *,
    rows: RowKind | None,
    pool: int | None,
    quiet: bool,
) -> None:
    """What is there goes on answering until the new one takes its place. paths, changes, defaults: of the run over
    files that follows."""
    with Index.open(place, create=False, load=loader(asked)) as opened:
        Refresh(opened).check(paths, changes, reset=defaults)  # of the run that follows, which would come too late
        total = opened.stats().tokens * opened.pool  # as many again, or about so many of another model
        try:
            with progress_bar(total, "encoding again", bool(total) and not quiet, unit="", units_a_token=1.0) as done:
                passages = lengths(opened, paths, changes, reset=defaults)
                make_anew(opened, asked.model, asked.dim, loader(asked), done.encoded, passages, rows=rows, pool=pool)
        except (KeyboardInterrupt, SystemExit) as stopped:
            echo(
                visible(f"interrupted: {place} is as it was; what was encoded again is kept, the same command goes on"),
                err=True,
            )
            if isinstance(stopped, SystemExit):
                raise
            raise SystemExit(130) from None
        if not quiet:
            pooled = f", tokens pooled by {opened.pool}" if opened.pool > 1 else ""
            made = f"{opened.model_name}, {opened.dim} dims, {opened.rows} rows{pooled}"
            echo(visible(f"{place}: made anew with {made}"), err=True)
