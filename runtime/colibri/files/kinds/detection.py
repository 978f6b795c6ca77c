"""Which old encoding bytes are in that are no UTF-8, by chardet."""

from importlib import import_module

_LOOK_BYTES = 65_536
_WIDER = {"iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252", "gb2312": "gb18030"}


def detected(data: bytes) -> list[str] | None:
    """Codecs that may have written it, the most likely first. None where chardet is not installed."""
    try:
        chardet = import_module("chardet")
    except ImportError:
        return None
    era = chardet.EncodingEra
    found = chardet.detect_all(_look(data), encoding_era=era.ALL & ~era.MAINFRAME, compat_names=False)
    return [_WIDER.get(entry["encoding"], entry["encoding"]) for entry in found if entry["encoding"]]


def _look(data: bytes) -> bytes:
    return data[:_LOOK_BYTES]
