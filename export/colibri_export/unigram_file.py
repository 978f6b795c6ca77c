"""Write a Unigram vocabulary for the light tokenizer, where that gives what `tokenizers` gives."""

import base64
import io
import json
import logging
import struct
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.normalizers import Normalizer

from colibri.tokens import CLUSTER_BYTES, WORD_START, LightTokenizer, vocabulary_arrays
from colibri_export.tokenizer_proof import first_difference, proof_texts

log = logging.getLogger(__name__)

FILE_NAME = "unigram.npz"
_METASPACE = {"type": "Metaspace", "replacement": WORD_START, "prepend_scheme": "always", "split": True}
_WORDS = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, _METASPACE]}
_ZERO_WIDTH_JOINER = {"type": "Replace", "pattern": {"String": "\u200d"}, "content": " "}
_SPACES = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}


def write_unigram(tokenizer_json: str, folder: Path) -> str | None:
    """Write `unigram.npz` and give its name; None, and no file, for a tokenizer that `LightTokenizer` is not for.

    That is: other than Unigram over XLM-R's rules, or any text of the proof (`tokenizer_proof`) whose ids or offsets
    differ. The log says why.
    """
    document = json.loads(tokenizer_json)
    reason = _unsuited(document)
    if reason is not None:
        # Told where one could be hoped for: WordPiece and BPE vocabularies load fast as they are.
        level = logging.INFO if document["model"].get("type") == "Unigram" else logging.DEBUG
        log.log(level, "no light tokenizer: %s", reason)
        return None
    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.encode_special_tokens = True
    tokenizer.no_truncation()
    tokenizer.no_padding()
    pieces = [(str(piece), float(score)) for piece, score in document["model"]["vocab"]]
    try:
        arrays = vocabulary_arrays(pieces, document["model"]["unk_id"])
        rules = _rules(document["normalizer"])
        assert rules is not None  # else it is unsuited
        several = [key for key in charsmap_keys(rules) if len(key) > 1]
        arrays |= charsmap_arrays(several, tokenizer.normalizer)
    except ValueError as error:
        log.warning("no light tokenizer: %s", error)
        return None
    path = folder / FILE_NAME
    path.write_bytes(_npz(arrays))
    several = [key for key in several if len(key.encode()) <= CLUSTER_BYTES + 1]
    special = [token["content"] for token in document["added_tokens"]]
    texts = proof_texts(special, arrays["mapped"].tolist(), arrays["extending"].tolist(), several)
    found = first_difference(tokenizer, LightTokenizer(path), texts)
    if found is not None:
        path.unlink()
        log.warning("no light tokenizer: it reads %a otherwise than tokenizer.json does", found)
        return None
    log.info("light tokenizer: same ids and offsets on %d texts", len(texts))
    return FILE_NAME


def _unsuited(document: Mapping[str, Any]) -> str | None:
    """Why a tokenizer.json is not one that the light tokenizer follows; None when it is."""
    model = document["model"]
    if model.get("type") != "Unigram" or model.get("byte_fallback") or model.get("unk_id") is None:
        return f"its model is {model.get('type')}, wanted Unigram with unk_id and without byte_fallback"
    if max(score for _, score in model["vocab"]) > 0:
        return "a score is above 0, so it is no logarithm of a probability"
    if document["pre_tokenizer"] != _WORDS:
        return "its pre-tokenizer is not WhitespaceSplit and Metaspace (prepend always)"
    if not all(token["special"] for token in document["added_tokens"]):
        return "it has added tokens that are not special"
    if _rules(document["normalizer"]) is None:
        return "its normalizer is not one Precompiled charsmap"
    return None


def _rules(normalizer: Mapping[str, Any] | None) -> bytes | None:
    """The charsmap of a normalizer that is Precompiled, alone or between XLM-R's two replacements."""
    steps = list(normalizer["normalizers"] if normalizer and normalizer["type"] == "Sequence" else [normalizer])
    if steps[0] == _ZERO_WIDTH_JOINER:
        del steps[0]
    if steps and steps[-1] == _SPACES:
        del steps[-1]
    if len(steps) != 1 or steps[0] is None or steps[0]["type"] != "Precompiled":
        return None
    return base64.b64decode(steps[0]["precompiled_charsmap"])


def charsmap_arrays(several: list[str], normalizer: Normalizer) -> dict[str, NDArray[np.uint32]]:
    """What `colibri.tokens.charsmap.Charsmap` loads: rules for one code point as the normaliser itself applies them.

    several: the texts of several code points that its precompiled charsmap has a rule for. Raises ValueError for rules
    that `Charsmap` is not for.
    """
    mapped = dict(_mapped(normalizer))
    if mapped.get(ord(WORD_START), WORD_START).strip() or any(WORD_START in text for text in mapped.values()):
        raise ValueError(f"its normalizer leaves {WORD_START} in a text")
    # A two-byte code point with a rule swallows whatever shares its cluster: who is swallowed, extends. Beside
    # anything beyond U+FFFF the cluster is too large.
    probe = next((i for i, text in mapped.items() if 0xA0 <= i < 0x800 and text.isalpha()), None)
    if probe is None:
        raise ValueError("its normalizer has no rule for a letter of two bytes")
    extending = [
        i
        for i in (*range(0x80, 0xD800), *range(0xE000, 0x10000))
        if normalizer.normalize_str(chr(probe) + chr(i)) != mapped[probe] + mapped.get(i, chr(i))
    ]
    # Beyond U+FFFF: whatever joins a cluster of four bytes makes it too large for its rule.
    mark = next(chr(i) for i in extending if i < 0x800 and i not in mapped)
    extending += [
        i
        for i in (*range(0x10000, 0x20000), *range(0xE0000, 0xE1000))
        if normalizer.normalize_str(chr(probe) + mark + chr(i)) == mapped[probe] + mark + mapped.get(i, chr(i))
    ]
    fitting = _fitting(several, mapped, set(extending))
    becomes = [normalizer.normalize_str(key) for key in fitting]
    columns: dict[str, list[int]] = {
        "mapped": list(mapped),
        "mapped_lengths": [len(text) for text in mapped.values()],
        "mapped_to": [ord(character) for text in mapped.values() for character in text],
        "extending": extending,
        "composing_first": sorted({ord(key[0]) for key in several}),
        "composing_next": sorted({ord(character) for key in several for character in key[1:]}),
        "several": [ord(character) for key in fitting for character in key],
        "several_lengths": [len(key) for key in fitting],
        "several_becomes": [ord(character) for text in becomes for character in text],
        "several_becomes_lengths": [len(text) for text in becomes],
    }
    return {name: np.array(column, np.uint32) for name, column in columns.items()}


def _fitting(several: list[str], mapped: Mapping[int, str], extending: set[int]) -> list[str]:
    """Of the sequences with a rule those that can be a cluster's beginning, and that no shorter rule comes before."""
    fit = {
        key
        for key in several
        if len(key.encode()) <= CLUSTER_BYTES and ord(key[0]) not in mapped and extending.issuperset(map(ord, key[1:]))
    }
    return sorted(key for key in fit if not any(key[:length] in fit for length in range(2, len(key))))


def charsmap_keys(rules: bytes) -> Iterator[str]:
    """Texts that a precompiled charsmap has rules for.

    Layout: bytes of a trie (uint32), the trie's units (uint32 each), replacements. Units are those of a double array by
    darts-clone: the label in the low byte, bit 8 where a key ends, offset to the children in the upper 22 bits, times
    256 where bit 9 is set.
    """
    (size,) = struct.unpack_from("<I", rules)
    units = struct.unpack_from(f"<{size // 4}I", rules, 4)
    # A child stands at its parent's offset, exclusive or its own label.
    children: dict[int, list[int]] = {}
    for at, unit in enumerate(units):
        if not unit & 1 << 31 and unit & 255:
            children.setdefault(at ^ unit & 255, []).append(at)
    nodes = [(0, b"")]
    while nodes:
        at, key = nodes.pop()
        if units[at] & 256:
            yield key.decode()
        offset = at ^ ((units[at] >> 10) << ((units[at] & 512) >> 6))
        nodes += [(child, key + bytes([units[child] & 255])) for child in children.get(offset, [])]


def _mapped(normalizer: Normalizer) -> Iterator[tuple[int, str]]:
    """Code points that do not stay as they are, with what becomes of them."""
    for start in range(0, sys.maxunicode + 1, 256):
        if 0xD800 <= start < 0xE000:
            continue
        # Of most blocks nothing changes; a letter between two keeps clusters small.
        block = "b".join(map(chr, range(start, start + 256)))
        if normalizer.normalize_str(block) != block:
            for i in range(start, start + 256):
                if (text := normalizer.normalize_str(chr(i))) != chr(i):
                    yield i, text


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """As np.savez writes it, but always the same bytes: a fixed date, little-endian arrays."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array.astype(array.dtype.newbyteorder("<")), (1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return target.getvalue()
