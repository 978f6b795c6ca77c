"""What another package has and Colibri has not, said when it is used."""

from typing import Any, NoReturn

from colibri.errors import ColibriError


class NotHere(ColibriError, NotImplementedError):
    """Another package's feature that Colibri does not have; the message says why, and what to do instead."""


def not_here(what: str, why: str, do: str) -> NoReturn:
    """Raise NotHere: "X is not here, because Y; do Z"."""
    raise NotHere(f"{what} is not here, because {why}; {do}")


def absent(name: str, why: str, do: str) -> type[Any]:
    """A class of that name that can be imported, and raises NotHere when it is made or any part of it is asked for."""

    class Absent(type):
        def __call__(cls, *given: object, **options: object) -> NoReturn:
            not_here(name, why, do)

        def __getattr__(cls, part: str) -> NoReturn:
            if part.startswith("__"):  # what Python itself asks of any class
                raise AttributeError(part)
            not_here(f"{name}.{part}", why, do)

    return Absent(name, (), {"__doc__": f"Not here, because {why}; {do}."})
