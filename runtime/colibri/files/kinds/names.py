"""Names of archives' members: as text whatever wrote them, as labels that lead nowhere, and which are no documents."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from colibri.files.text import Passed

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HIGH = re.compile(rb"[\x80-\xff]+")
_MAC = re.compile(r"(?:^|/)(?:__MACOSX/.*|\._[^/]*|\.DS_Store)$", re.DOTALL)
_ASCII = re.compile(rb"[A-Za-z]")
_KANA = re.compile("[\u3041-\u30fc][\u3041-\u30fc\u4e00-\u9fff]|[\u4e00-\u9fff][\u3041-\u30fc]")
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
_OLD_LETTERS = frozenset(range(0x80, 0xA6)) | {0xE1}  # of code page 437
_RUSSIAN_DOS = frozenset(range(0x80, 0xB0)) | frozenset(range(0xE0, 0xF2))


def label(name: str) -> str:
    """A member's path without a drive, a root, "." and "..", and what a terminal would obey."""
    name = re.sub(r"^[A-Za-z]:", "", _CONTROLS.sub("\ufffd", name).replace("\\", "/"))
    return "/".join(part for part in name.split("/") if part not in {"", ".", ".."}) or "unnamed"


def distinct(name: str, taken: Counter[str]) -> str:
    """A name that is not taken yet, which it is from now on: the second of one name gets a 2, so that none is lost."""
    found, path = name, PurePosixPath(name)
    while taken[found]:
        taken[name] += 1
        found = str(path.with_name(f"{path.stem} ({taken[name]}){path.suffix}"))
    taken[found] += 1
    return found


def no_document(name: str, link: bool = False, device: bool = False) -> str | None:
    """What a member is that nobody would look for, None where it may be a document."""
    if link:
        return "link"
    if device:
        return "device"
    return "file of macOS" if _MAC.search(name) else None


def left_out(counted: Counter[str]) -> Iterator[Passed]:
    """What was left out without a word for each."""
    for what, number in counted.items():
        first, _, rest = what.partition(" ")
        several = f"{first}s {rest}".strip()
        yield Passed(name=f"1 {what}" if number == 1 else f"{number:,} {several}", why="left out")


def texts_of(names: Sequence[bytes | str]) -> list[str]:
    """Names as text: UTF-8 wherever it is, and one encoding for all others of an archive."""
    found: list[str | None] = []
    for name in names:
        try:
            found.append(name if isinstance(name, str) else name.decode())
        except UnicodeDecodeError:
            found.append(None)
    others = [name for name, text in zip(names, found, strict=True) if text is None and isinstance(name, bytes)]
    codec = _codec_of(others) if others else "utf-8"
    return [
        name.decode(codec, "replace") if text is None and isinstance(name, bytes) else text or ""
        for name, text in zip(names, found, strict=True)
    ]


def _codec_of(names: Sequence[bytes]) -> str:
    """What old programs wrote names in: the code page of the machine, which no header tells.

    Names are too short to be told by statistics; but which bytes there are, and whether in pairs, tells most.
    """
    whole = b"\n".join(re.sub(rb"\.\w{1,5}$", b"", name) for name in names)
    runs = _HIGH.findall(whole) or [b"\xff"]
    high = [byte for run in runs for byte in run]
    japanese = _decodes(whole, "cp932")
    if japanese is not None and _KANA.search(japanese) and not _HALF_WIDTH.search(japanese):
        return "cp932"
    # "Größe", "café": letters of Western Europe stand among those of ASCII.
    if len(_ASCII.findall(whole)) >= len(high) and max(map(len, runs)) <= 2:
        return "cp437" if all(byte in _OLD_LETTERS for byte in high) or min(high) < 0xA0 else "cp1252"
    if min(high) >= 0xC0 and sum(byte >= 0xE0 for byte in high) > 0.6 * len(high):
        return "cp1251"
    if all(byte in _RUSSIAN_DOS for byte in high) and _one_case(whole.decode("cp866")):
        return "cp866"
    if min(high) >= 0xA1 and all(len(run) % 2 == 0 for run in runs):
        # Hangul stands in rows B0 to C8, Chinese characters in B0 to F7.
        return "cp949" if max(byte for run in runs for byte in run[::2]) <= 0xC8 else "gb18030"
    for codec in ("cp932", "gb18030", "cp949"):
        text = _decodes(whole, codec)
        if text is not None and not _HALF_WIDTH.search(text):
            return codec
    return "cp437"


def _decodes(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _one_case(text: str) -> bool:
    """Whether capitals hardly ever follow small letters, as in words that are any."""
    mixed = sum(1 for before, after in pairwise(text) if before.islower() and after.isupper())
    return mixed <= 0.1 * len(text)
