"""Files to texts: what is found in folders (`walk`), what is in a file (`reading`), read in a process of its own
(`room`), an index kept up to date with both (`sync`), and where in its file a hit stands (`place`)."""

from colibri.files.places import HitPlace, place

__all__ = ["HitPlace", "place"]
