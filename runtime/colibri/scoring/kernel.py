"""A kernel for one kind of rows, whoever compiled it: this process (`kernels.build`) or the wheel's (`library`)."""

from collections.abc import Callable
from dataclasses import dataclass

from colibri.vectors import Kind

WINDOW_TILES = 16
"""Tiles of document tokens that are laid out before they are scored."""

ARGUMENTS = {"pack": 9, "scan": 18}
"""A kernel's functions, and how many numbers each takes: see kernels/rows.py, pack_*, and kernels/scan.py, scan."""

BITS_ARGUMENTS = {"fill": 5, "scan": 16}
"""The same of the kernel for sign bits: see kernels/bits.py."""

BITS_WINDOW = 256
"""Documents that every table passes over in turn: 100 KB of bits, which stay in a core's own cache."""


BITS_ROOM = 64 * BITS_WINDOW + (25 << 10)
"""Bytes that its scan works in: the window's totals, and what kernels/turned.py keeps."""


@dataclass(frozen=True)
class CompiledBits:
    """What scores sign bits; each kernel has it. Both functions take addresses and numbers, all int64.

    turned  dims that it looks up at once where it turns rows (kernels/turned.py); 0: it does not
    cached  where the compiled code lies on disk, or why it does not
    """

    kernel: str
    turned: int
    fill: Callable[..., None]
    scan: Callable[..., None]
    cached: str


@dataclass(frozen=True)
class Compiled:
    """Both functions take addresses and numbers, all int64.

    per_word    values of a row in a word of four bytes
    float_bits  what integer sums may begin with (tile.FLOAT_BITS); 0: they are no integers
    short_steps  words of a block of sums of 16 bits, each with its own line of what they begin with; 0: one for all
    tokens, wide  a register tile: document tokens, and groups of 16 query tokens
    cached      where the compiled code lies on disk, or why it does not
    """

    kernel: str
    kind: Kind
    pack: Callable[..., None]
    scan: Callable[..., int]
    per_word: int
    float_bits: int
    short_steps: int
    tokens: int
    wide: int
    cached: str

    def initials(self, dim: int) -> int:
        """Lines of what sums begin with."""
        words = -(-dim // self.per_word)
        return max(1, -(-words // self.short_steps)) if self.short_steps else 1

    def room_bytes(self, dim: int, groups: int) -> int:
        """Bytes that `scan` works in, for a query of so many groups of 16 tokens: a window of document tokens, their
        scales, maxima and totals (kernels/scan.py says where each lies)."""
        window, stride = self.tokens * WINDOW_TILES, 4 * -(-dim // self.per_word)
        scales = (window + self.tokens) * 4 + 63 & -64
        lines = max(groups, 1) + self.tokens * self.wide + window + 1
        return 64 * (lines + 1) + 2 * scales + (window + self.tokens) * stride
