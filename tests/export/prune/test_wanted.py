"""What texts and languages use is counted piece by piece; what cannot be read is told with its line."""

import gzip
import json
import re
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.artefact import Artefact, find
from colibri.errors import InputError, MissingExtra
from colibri.tokens import TextTokenizer
from colibri_export.prune.wanted import (
    Uses,
    corpus_texts,
    ids_in_roles,
    known_languages,
    language_named,
    language_words,
    require_words,
    uses_of_texts,
    uses_of_words,
)
from reference import ARTEFACTS

KNOWN = frozenset({"de", "en", "es", "fil", "pt", "zh"})
DAMAGED = bytearray(gzip.compress(" ".join(map(str, range(1_000))).encode()))
DAMAGED[len(DAMAGED) // 2] ^= 255  # what zlib refuses


@pytest.fixture(scope="module")
def source() -> Artefact:
    return find(ARTEFACTS / "tiny-random-xlmr")


@pytest.fixture(scope="module")
def tokenizer(source: Artefact) -> TextTokenizer:
    return TextTokenizer(source)


def test_texts_are_lines_or_the_strings_of_objects(tmp_path: Path) -> None:
    plain, objects = tmp_path / "a.txt", tmp_path / "b.jsonl"
    plain.write_text("\ufeffone\n\n  zwei \n", encoding="utf-8")
    lines = [{"_id": "x", "title": "t", "text": "u", "n": 1}, {"text": "v", "meta": {"w": "x"}}]
    objects.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    packed = tmp_path / "c.jsonl.gz"
    packed.write_bytes(gzip.compress(objects.read_bytes()))
    assert list(corpus_texts([plain, objects, packed])) == ["one", "", "zwei", *"tuv", *"tuv"]


def test_blank_lines_between_objects_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\n{"text": "one"}\n\n \t\r\n{"text": "two"}\n\n')
    assert list(corpus_texts([path])) == ["one", "two"]
    path.write_bytes(path.read_bytes() + b"[]\n")
    with pytest.raises(InputError, match=r"a.jsonl, line 7: wanted a JSON object"):
        list(corpus_texts([path]))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.txt", b"fine\n\xff\n", "a.txt, line 2: wanted text in UTF-8"),
        ("b.jsonl", b'{"a": "b"}\n[1]\n', "b.jsonl, line 2: wanted a JSON object with texts"),
        ("c.jsonl", b"{\n", "c.jsonl, line 1: wanted a JSON object"),
        ("d.txt.gz", b"no gzip", "d.txt.gz: cannot be read"),
        ("e.txt.gz", gzip.compress(b"cut off" * 100)[:-9], "e.txt.gz: cannot be read"),
        ("f.txt.gz", DAMAGED, "f.txt.gz: cannot be read"),
        ("g.txt", b"\xef\xbb\xbf \n\n", "g.txt: holds no text; wanted a text a line"),
        ("h.jsonl", b'{"_id": "x", "n": 1, "t": ""}\n', "h.jsonl: holds no text; wanted strings in the objects"),
        ("i.txt", b"", "i.txt: holds no text"),
        ("j.jsonl", b"\n\r\n", "j.jsonl: holds no text"),
        ("k.txt", "der Berg\ndas Wasser\n".encode("utf-16-le"), "k.txt, line 1: wanted text in UTF-8 .*UTF-16"),
        ("l.txt", "der Berg\ndas Wasser\n".encode("utf-16-be"), "l.txt, line 1: wanted text in UTF-8 .*UTF-16"),
        ("m.txt", "der Berg\ndas Wasser\n".encode("utf-16"), "m.txt, line 1: wanted text in UTF-8 .*UTF-16"),
        ("n.txt", "水很冷\n今天\n".encode("utf-16-le"), "n.txt, line [12]: wanted text in UTF-8"),
        ("o.jsonl", '{"text": "Berg"}\n'.encode("utf-16-be"), "o.jsonl, line 1: wanted a JSON object .*UTF-16"),
        ("p.jsonl", '{"text": "Berg"}'.encode("utf-16-le"), "p.jsonl, line 1: wanted a JSON object .*UTF-16"),
        ("q.txt.gz", gzip.compress("Berg\n".encode("utf-16-le")), "q.txt.gz, line 1: wanted text in UTF-8"),
    ],
)
def test_what_is_no_text_is_told_with_its_line(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=said):
        list(corpus_texts([tmp_path / name]))


@given(texts=st.lists(st.text(alphabet="the water bird日本ßé ", max_size=150), max_size=4))
def test_every_use_in_both_roles_is_counted(source: Artefact, tokenizer: TextTokenizer, texts: list[str]) -> None:
    vocabulary = source.manifest.architecture.vocabulary
    wanted: Counter[int] = Counter()
    for text in texts:
        wanted.update(ids_in_roles(tokenizer, source.manifest, text).tolist())
        assert wanted.keys() >= set(tokenizer.ids(text).tolist())
    found = uses_of_texts(tokenizer, source.manifest, texts)
    assert {i: n for i, n in enumerate(found.counts.tolist()) if n} == dict(wanted)
    assert found.counts.shape == (vocabulary,)
    assert sorted(found.ids()) == sorted(wanted)
    assert [wanted[i] for i in found.ids()] == sorted(wanted.values(), reverse=True)


def test_words_count_by_how_often_they_are_used_in_every_form(source: Artefact, tokenizer: TextTokenizer) -> None:
    vocabulary = source.manifest.architecture.vocabulary
    found = uses_of_words(tokenizer, [("the", 0.02)] * 256 + [("bird", 1e-6)], vocabulary)
    for form in ("the", "The", "THE", "(the", "bird", "Bird", "BIRD", "(bird"):
        assert (found.counts[tokenizer.ids(form)] > 0).all(), form
    often, seldom = (found.counts[tokenizer.ids(word)[0]] for word in ("the", "bird"))
    assert often == 256 * 20_000_000
    assert seldom == 1_000
    both = found + Uses(np.ones(vocabulary, np.int64))
    assert np.array_equal(both.counts, found.counts + 1)


@pytest.mark.skipif(find_spec("wordfreq") is None, reason="wordfreq (the extra [prune]) is not installed")
def test_words_of_a_language_come_most_frequent_first() -> None:
    words = language_words("de")
    assert len(words) > 20_000
    shares = [share for _, share in words]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] >= 1e-7
    assert {"und", "der", "straße", "wasser"} <= {word for word, _ in words[:20_000]}
    assert "τους" in dict(language_words("el"))
    assert {"de", "en", "el", "zh"} <= known_languages()


def test_a_zero_that_json_spells_out_is_a_sign_like_others(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a\\u0000b"}\n')
    assert list(corpus_texts([path])) == ["a\0b"]


@pytest.mark.parametrize(
    ("given", "language"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-US", "en"),
        ("en_us", "en"),
        ("pt-BR", "pt"),
        ("es-419", "es"),
        ("fil-PH", "fil"),
        ("de-Latn-AT", "de"),
        ("zh-CN", "zh"),
        ("zh-Hans", "zh"),
    ],
)
def test_a_language_is_known_however_it_is_written(given: str, language: str) -> None:
    assert language_named(given, KNOWN) == language


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("xx", "no words of 'xx'; there are de, en, es, fil, pt, zh, else --corpus"),
        ("english", "no words of 'english'; there are "),
        ("eng", "no words of 'eng'; there are "),
        ("-", "no words of '-'; there are "),
        ("zh-TW", "no words of 'zh-TW': those of zh are in simplified characters; wanted zh, or --corpus"),
        ("zh_hant_hk", "no words of 'zh_hant_hk': those of zh"),
        ("zh-MO", "no words of 'zh-MO': those of zh"),
    ],
)
def test_a_language_without_words_is_refused(given: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        language_named(given, KNOWN)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wordfreq", None)  # not to be imported, installed or not
    with pytest.raises(MissingExtra, match=r"colibri-edge\[prune\]"):
        require_words()
