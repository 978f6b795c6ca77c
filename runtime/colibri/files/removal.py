"""Files and folders taken out of an index by hand, whether they are there or not."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from colibri.errors import InputError
from colibri.files.facts import known_files
from colibri.files.looking import owner
from colibri.files.presence import real
from colibri.files.roots import Root, change_roots, roots_of
from colibri.files.walk import resolved, shown, within
from colibri.index import Index


@dataclass
class Removal:
    """What was done.

    files, documents  how many left
    roots             that are forgotten
    kept_out          paths that lie in a root that stays, and are left out of it until they are named again
    """

    files: int = 0
    documents: int = 0
    roots: list[str] = field(default_factory=list)
    kept_out: list[str] = field(default_factory=list)


def remove(index: Index, paths: Sequence[Path]) -> Removal:
    """Take out what the index has of some files and folders. Raises InputError, and takes out nothing, where it has
    nothing of one of them."""
    known = known_files(index)
    roots = roots_of(index, known)
    done, ids = Removal(), list[str]()
    for given in paths:
        places = {resolved(given), shown(os.path.abspath(given))}  # noqa: PTH100 - as it was before it was a link
        files = [one for one in known if any(within(one, place) for place in places)]
        own = [one for one in roots if any(within(one, place) for place in places)]
        if not files and not own:
            raise InputError(f"{given}: {index.path} holds nothing of it")
        done.roots += [one for one in own if one not in done.roots]
        for file in files:
            ids += known.pop(file).ids
        done.files += len(files)
        done.kept_out += [one for one in places if _stays(one, roots, own)][:1]
    done.documents = index.delete(ids) if ids else 0

    def changed(noted: dict[str, Root]) -> None:
        for path in done.roots:
            noted.pop(path, None)
        for path in done.kept_out:
            root = owner(path, roots)
            here = noted.setdefault(str(root), roots[str(root)])
            here.without = sorted({*here.without, path})

    change_roots(index, changed)
    return done


def _stays(path: str, roots: dict[str, Root], own: Sequence[str]) -> bool:
    """Whether the next run would find it again."""
    root = owner(path, roots.keys() - set(own))
    return root is not None and os.path.lexists(real(path))
