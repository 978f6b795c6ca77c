"""What evaluates models while they are trained is not here."""

from typing import NoReturn

from colibri.compat.not_here import not_here


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):  # what Python itself asks of any module
        raise AttributeError(name)
    not_here(
        f"pylate.evaluation.{name}",
        "Colibri does not evaluate what it does not train",
        "give what retrieve.ColBERT finds to ranx, pytrec_eval or PyLate itself",
    )
