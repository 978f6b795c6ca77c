"""What prepares training is not here."""

from typing import NoReturn

from colibri.compat.not_here import not_here


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):  # what Python itself asks of any module
        raise AttributeError(name)
    not_here(f"pylate.utils.{name}", "Colibri does not train", "train with PyLate, then `colibri export` its folder")
