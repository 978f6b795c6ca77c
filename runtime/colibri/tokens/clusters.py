"""sentencepiece's rules on grapheme clusters, exactly as `tokenizers` applies them: text by text, in plain Python.

`charsmap` applies rules to code points, many texts at once, and tells which texts that may be wrong for. Those come
here: a rule for the beginning of a cluster of up to five bytes takes all of the cluster, the shortest rule wins, and a
code point that a rule removes moves the places of those behind it where none stands before it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

CLUSTER_BYTES = 5
"""Rules apply to whole grapheme clusters up to this size, and to single code points in longer ones."""
ARRAYS = (
    *("mapped", "mapped_lengths", "mapped_to", "extending"),
    *("several", "several_lengths", "several_becomes", "several_becomes_lengths"),
)

# What is a cluster of its own, whatever follows (Unicode's Grapheme_Cluster_Break=Control, in the BMP).
_CONTROL = frozenset(
    chr(i)
    for some in (
        range(0x20),
        range(0x7F, 0xA0),
        (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF),
        range(0x2028, 0x202F),
        range(0x2060, 0x2070),
        range(0xFFF0, 0xFFFC),
    )
    for i in some
)
# What stays with the code point behind it, of two bytes (=Prepend): the longer ones fill a cluster alone.
_PREPENDED = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f")
_JOINER = "\u200d"


@dataclass(frozen=True)
class ClusterRules:
    """single: code points with a rule of their own; several: sequences of at most five bytes that none of `single`
    begins; extending: code points that stay in a cluster with the one before them."""

    single: Mapping[str, str]
    several: Mapping[str, str]
    extending: frozenset[str]

    def apply(self, text: str) -> tuple[str, list[int]]:
        """The text after the rules, and the place of the original code point behind each of its code points."""
        if _JOINER in self.single and _JOINER not in self.extending:  # replaced before clusters are looked for
            text = text.replace(_JOINER, self.single[_JOINER])
        made: list[tuple[str, int]] = []
        for cluster in self._clusters(text):
            found = self._of_cluster(cluster)
            for part in (cluster,) if found is not None else cluster:
                self._put(made, part, self.single.get(part) if found is None else found)
        return "".join(character for character, _ in made), list(_places(made))

    def _clusters(self, text: str) -> Iterator[str]:
        start, size = 0, len(text)
        while start < size:
            end = start + 1
            if text[start] not in _CONTROL:
                while text[end - 1] in _PREPENDED and end < size and text[end] not in _CONTROL:
                    end += 1
                while end < size and text[end] in self.extending:
                    end += 1
            yield text[start:end]
            start = end

    def _of_cluster(self, cluster: str) -> str | None:
        """What all of a cluster becomes; None: each of its code points is for itself."""
        if len(cluster) == 1 or len(cluster.encode()) > CLUSTER_BYTES:
            return None
        if (alone := self.single.get(cluster[0])) is not None:
            return alone
        beginnings = (cluster[:length] for length in range(2, len(cluster) + 1))
        return next((self.several[begin] for begin in beginnings if begin in self.several), None)

    @staticmethod
    def _put(made: list[tuple[str, int]], part: str, becomes: str | None) -> None:
        """Append what a part becomes, each code point with how many there are more (1) or fewer (negative) by it."""
        if becomes is None:
            made.append((part, 0))
            return
        more = len(becomes) - len(part)
        made += [(character, 0) for character in becomes]
        if more > 0:
            made[-more:] = [(character, 1) for character, _ in made[-more:]]
        elif more < 0 and made:  # where nothing stands before it, it is not counted at all
            made[-1] = (made[-1][0], made[-1][1] + more)


def cluster_rules(arrays: Mapping[str, NDArray[Any]]) -> ClusterRules:
    """Of the arrays that ARRAYS names, as `charsmap.Charsmap` explains them."""
    mapped = zip(
        map(chr, arrays["mapped"].tolist()), _texts(arrays["mapped_to"], arrays["mapped_lengths"]), strict=True
    )
    several = _texts(arrays["several"], arrays["several_lengths"])
    becomes = _texts(arrays["several_becomes"], arrays["several_becomes_lengths"])
    extending = frozenset(map(chr, arrays["extending"].tolist()))
    return ClusterRules(dict(mapped), dict(zip(several, becomes, strict=True)), extending)


def _texts(codes: NDArray[Any], lengths: NDArray[Any]) -> Iterator[str]:
    text, start = "".join(map(chr, codes.tolist())), 0
    for length in lengths.tolist():
        yield text[start : start + length]
        start += length


def _places(made: list[tuple[str, int]]) -> Iterator[int]:
    at = 0
    for _, change in made:
        if change > 0:
            yield max(at - 1, 0)
        else:
            yield at
            at += 1 - change
