"""What the first bytes of a file say it is."""

import re

from colibri.files.known import BY_NAME, Kind
from colibri.files.text_kinds import text_head

HEAD = 4_096
"""Bytes that are enough for it."""

_BYTES = (  # offset, bytes, kind
    (0, b"%PDF-", "PDF"),
    (0, b"{\\rtf", "RTF"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstandard"),
    (257, b"ustar", "tar"),
    (0, b"\xff\xd8\xff", "picture"),
    (0, b"\x89PNG\r\n\x1a\n", "picture"),
    (0, b"GIF87a", "picture"),
    (0, b"GIF89a", "picture"),
    (0, b"II*\x00", "picture"),
    (0, b"MM\x00*", "picture"),
    (0, b"\x00\x00\x01\x00", "picture"),
    (0, b"8BPS", "picture"),
    (0, b"gimp xcf", "picture"),
    (0, b"AT&TFORM", "picture"),
    (0, b"\xff\x0a", "picture"),
    (0, b"\x00\x00\x00\x0cJXL ", "picture"),
    (0, b"\x00\x00\x00\x0cjP  ", "picture"),
    (0, b"\xd7\xcd\xc6\x9a", "picture"),
    (0, b"ID3", "audio"),
    (0, b"fLaC", "audio"),
    (0, b"OggS", "audio"),
    (0, b"MThd", "audio"),
    (0, b"#!AMR", "audio"),
    (0, b"FORM", "audio"),
    (0, b"\x1a\x45\xdf\xa3", "video"),
    (0, b"FLV\x01", "video"),
    (0, b"\x00\x00\x01\xba", "video"),
    (0, b"\x00\x00\x01\xb3", "video"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video"),
    (0, b"\x00\x01\x00\x00\x00", "font"),
    (0, b"OTTO\x00", "font"),
    (0, b"ttcf", "font"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"\x7fELF", "program"),
    (0, b"\xca\xfe\xba\xbe", "program"),
    (0, b"\xcf\xfa\xed\xfe", "program"),
    (0, b"\xce\xfa\xed\xfe", "program"),
    (0, b"\x00asm", "program"),
    (0, b"!<arch>\n", "program"),
    (0, b"\xed\xab\xee\xdb", "program"),
    (0, b"Rar!\x1a\x07", "archive of another kind"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive of another kind"),
    (0, b"MSCF", "archive of another kind"),
    (0, b"\x04\x22\x4d\x18", "archive of another kind"),
    (0, b"\x1f\x9d", "archive of another kind"),
    (0x8001, b"CD001", "disk image"),
    (0, b"QFI\xfb", "disk image"),
    (0, b"KDMV", "disk image"),
    (0, b"!BDN", "mail store"),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "OneNote"),
    (60, b"BOOKMOBI", "e-book of another kind"),
    (60, b"TEXtREAd", "e-book of another kind"),
    (0, b"ITSF", "e-book of another kind"),
    (0, b"%!PS", "PostScript or XPS"),
    (0, b"\xc5\xd0\xd3\xc6\x1e\x00\x00\x00", "picture"),
    (0, b"\xc5\xd0\xd3\xc6\x20\x00\x00\x00", "picture"),
    (0, b"\xf7\x02\x01\x83", "PostScript or XPS"),
    (0, b"SQLite format 3\x00", "database"),
    (0, b"\x00\x01\x00\x00Standard ", "database"),
    (0, b"PAR1", "database"),
    (0, b"ARROW1", "database"),
    (0, b"ORC\x01", "database"),
    (0, b"Obj\x01", "database"),
    (0, b"\x89HDF\r\n\x1a\n", "database"),
    (0, b"\x93NUMPY", "database"),
    (0, b"GGUF", "model"),
    (0, b"-----BEGIN PGP", "key or certificate"),
    (0, b"-----BEGIN CERTIFICATE", "key or certificate"),
    (0, b"bplist00", "binary"),
)
_RIFF = {b"WEBP": "picture", b"WAVE": "audio", b"AVI ": "video", b"RMID": "audio", b"CDXA": "video"}
_PICTURES = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx ")
_BOXES = {b"M4A ": "audio", b"M4B ": "audio"} | dict.fromkeys(_PICTURES, "picture")
_LETTERS = frozenset(
    {"audio", "video", "bzip2", "database", "font", "picture", "model", "disk image", "archive of another kind"}
    | {"mail store", "e-book of another kind"}
)
_PRIVATE = re.compile(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----")
_FRAME = re.compile(rb"\xff[\xfb\xf3\xf2\xfa\xf1\xf9][^\x00\xff]")  # of MPEG audio without tags


def by_magic(head: bytes) -> Kind | None:
    """The kind that the first bytes tell of; None for zip, OLE and text, which have to be looked into."""
    name = next((name for offset, magic, name in _BYTES if head.startswith(magic, offset)), None)
    if name is None and head.startswith(b"RIFF"):
        name = _RIFF.get(head[8:12], "binary")
    if name is None and head[4:8] == b"ftyp":
        name = _BOXES.get(head[8:12], "video")
    if name is None and head.startswith(b"BM") and len(head) >= 18 and head[6:10] == b"\0\0\0\0":
        name = "picture"
    if name is None and head.startswith(b"MZ") and b"\0" in head[:64]:
        name = "program"
    if name is None and _FRAME.match(head):
        name = "audio"
    if name is None and _PRIVATE.match(head):
        name = "key or certificate"
    # Some of these bytes are also letters: a text may begin with "FORM" or "BZh".
    if name in _LETTERS and b"\0" not in head[:HEAD] and text_head(head) is not None:
        return None
    return None if name is None else BY_NAME[name]
