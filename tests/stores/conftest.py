"""A store of points over an engine in plain loops."""

from stores_conftest import engine, make

__all__ = ["engine", "make"]
