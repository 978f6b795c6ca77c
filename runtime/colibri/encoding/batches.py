"""Which texts run together on an accelerator, and how they are laid out: padded at their end, masked, and cut again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from colibri.artefact import Profile
from colibri.providers import most_texts
from colibri.tokens import Encoded


def group(
    texts: Sequence[Encoded], budget: int, *, step: int = 1, longest: int, profiles: Sequence[Profile] = ()
) -> list[list[int]]:
    """Indices of the texts that run together, the longest first; each text is in one group.

    budget    texts times padded tokens of a group at most; a text that is longer by itself runs alone
    step      lengths are rounded up to a multiple of it
    longest   tokens that the graph can take: no length is rounded up beyond it
    profiles  of an engine: no group is larger than the one that takes its length

    Texts of like length meet, so little is padded. The groups depend on the texts alone, never on their order: ties
    are broken by the ids.
    """
    order = sorted(range(len(texts)), key=lambda i: (-len(texts[i].ids), texts[i].ids.tobytes()))
    groups: list[list[int]] = []
    room = 0
    for i in order:
        if not room:
            tokens = padded(len(texts[i].ids), step=step, longest=longest, profiles=profiles)
            room = max(1, budget // max(tokens, 1))
            room = min(room, most_texts(profiles, tokens) or room)
            groups.append([])
        groups[-1].append(i)
        room -= 1
    return groups


def padded(tokens: int, *, step: int, longest: int, profiles: Sequence[Profile] = ()) -> int:
    """How long a text of so many tokens is made, if it is the longest of its group."""
    ends = [profile.maximum[1] for profile in profiles if profile.minimum[1] <= tokens <= profile.maximum[1]]
    return max(tokens, min(-(-tokens // step) * step, max(ends, default=longest), longest))


def lay_out(texts: Sequence[Encoded], tokens: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The texts one below the other: ids (texts, tokens) int64 and attended (texts, tokens) bool, False where a text
    has ended. Which id stands there does not matter, since nothing attends to it; 0 is in every vocabulary."""
    ids = np.zeros((len(texts), tokens), np.int64)
    attended = np.zeros(ids.shape, np.bool_)
    for row, text in enumerate(texts):
        ids[row, : len(text.ids)] = text.ids
        attended[row, : len(text.ids)] = text.attended
    return ids, attended
