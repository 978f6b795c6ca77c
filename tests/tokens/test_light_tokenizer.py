"""The shipped model's light tokenizer gives what `tokenizers` gives, for any text."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from colibri import artefact
from colibri.artefact.finding import Artefact
from colibri.errors import ArtefactError, MissingExtra
from colibri.machine import install_command
from colibri.tokens.light_tokenizer import LightTokenizer, Pieces
from colibri.tokens.tokenizer import TextTokenizer
from reference import tokenizer_json

# Where sentencepiece, which sums in float32, chooses other pieces than `tokenizers`, each alone or in a long text.
NEAR_TIES = ['"1111111"', "(iii)", "D-MMM-YY,", "Edit....", "Szczegóły....", "j-iii.", "Éditer....", "Dati"]
PLAIN = [
    "",
    " \t\n\u3000\u00a0\u2028\x85 " * 20,
    "👩‍👩‍👧 🇩🇪🇫🇷 👍🏽 1️⃣ ❤️",
    "\u200fשָׁלוֹם עולם\u200e، مَرْحَبًا ﷺ ﷻ",
    "ﬁnd the ﬂow ﬃ ½¾ … ㍿ ´ ¨a",
    "Ｈｅｌｌｏ　Ｗｏｒｌｄ！ ｶﾞｷﾞ ＜mask＞",
    "\ufeffa\u200bb\u2060c\u00add\u200ce\ufffd\r\nf\0g",
    "a\x01\x1fb\x7f",
    "กำลัง น้ำ नमस्ते க்ஷ 각 각",
    "<s> </s><mask> [QueryMarker] ▁▁the ▁river",
    "x" * 10_000,
    "日本語の文章、" * 1_500,
    "the river runs " * 667,
    *NEAR_TIES,
    "Dati " * 400,
]
CLUSTERS = [
    *("e\u0301", "ª\u0301", "ﬁ\u0301", "⊂\u0338", "\x01a", "½\x01", "ا\u0653", "\x01½\x01\x01", "ª\u0301\U0001f3fb"),
    *(
        "\u0600e\u0301",
        "\u0600\u0601ª\u0301 x",
        "\u00ad\u0301 \u061c\u0301e\u0301",
        "\u0344\u0301 \u200d\u0301e\u0323\u0301",
    ),
]


@pytest.fixture(scope="module")
def light() -> LightTokenizer:
    found = artefact.find()
    assert found.manifest.tokenizer.unigram_file is not None
    return LightTokenizer(found.path(found.manifest.tokenizer.unigram_file))


@pytest.fixture(scope="module")
def plain() -> Tokenizer:
    tokenizer = Tokenizer.from_str(tokenizer_json(artefact.find()))
    tokenizer.encode_special_tokens = True
    return tokenizer


@pytest.fixture(scope="module")
def without_light(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    found, folder = artefact.find(), tmp_path_factory.mktemp("whole")
    (folder / "tokenizer.json").write_text(tokenizer_json(found), encoding="utf-8")
    spec = dataclasses.replace(found.manifest.tokenizer, file="tokenizer.json", unigram_file=None)
    return TextTokenizer(Artefact(folder, dataclasses.replace(found.manifest, tokenizer=spec)))


def assert_equal(pieces: Pieces | None, text: str, plain: Tokenizer) -> None:
    wanted = plain.encode(text, add_special_tokens=False)
    assert pieces is not None
    assert pieces.ids.tolist() == wanted.ids
    assert [tuple(row) for row in pieces.offsets.tolist()] == wanted.offsets


@pytest.mark.parametrize("text", PLAIN)
def test_ids_and_offsets_are_those_of_tokenizers(text: str, light: LightTokenizer, plain: Tokenizer) -> None:
    assert_equal(light.encode([text])[0], text, plain)


@pytest.mark.parametrize("text", CLUSTERS)
def test_what_a_grapheme_cluster_decides_is_as_tokenizers_decides_it(
    text: str, light: LightTokenizer, plain: Tokenizer
) -> None:
    company = ["the river", text, "", text * 40, "the water"]
    for each, pieces in zip(company, light.encode(company), strict=True):
        assert_equal(pieces, each, plain)


@pytest.fixture(scope="module")
def of_before(tmp_path_factory: pytest.TempPathFactory) -> LightTokenizer:
    """Of a file as exports wrote it before it had rules for clusters."""
    arrays = dict(np.load(artefact.find().path("unigram.npz")))
    for name in ("several", "several_lengths", "several_becomes", "several_becomes_lengths"):
        del arrays[name]
    path = tmp_path_factory.mktemp("before") / "unigram.npz"
    np.savez(path, **arrays)
    return LightTokenizer(path)


@pytest.mark.parametrize("text", CLUSTERS)
def test_a_file_without_rules_for_clusters_leaves_them_to_tokenizers(text: str, of_before: LightTokenizer) -> None:
    before, found, after = of_before.encode(["the river", text, "the water"])
    assert found is None
    assert before is not None
    assert after is not None


meddling = st.text(
    "aeib1<s>½ªﬁﷺ\u0301\u0323\u093c\u3099\ufe0f\u200b\u200c\u200d\x01\x7f\r\n\u3000ำ각\u1100\u1161ｶﾞاً▁🐦🏻🇩⊂\u0338"
    "\u0600\u061c\u06dd\u0344\u00ad\U0001f1e9\U000e0101",
    max_size=40,
)


any_texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | meddling, max_size=6)


@given(texts=any_texts)
def test_any_texts_are_read_as_tokenizers_reads_them(texts: list[str], light: LightTokenizer, plain: Tokenizer) -> None:
    found = light.encode(texts)
    assert len(found) == len(texts)
    for text, pieces in zip(texts, found, strict=True):
        assert_equal(pieces, text, plain)


@given(texts=any_texts)
def test_an_earlier_file_reads_texts_so_or_leaves_them(
    texts: list[str], of_before: LightTokenizer, plain: Tokenizer
) -> None:
    for text, pieces in zip(texts, of_before.encode(texts), strict=True):
        if pieces is not None:
            assert_equal(pieces, text, plain)


@given(texts=st.lists(st.text(max_size=60) | meddling | st.sampled_from([*PLAIN, *CLUSTERS]), max_size=6))
def test_what_a_model_sees_does_not_depend_on_who_read_the_text(
    texts: list[str], mini_tokenizer: TextTokenizer, without_light: TextTokenizer
) -> None:
    manifest = artefact.find().manifest
    for role in (manifest.query, manifest.document, dataclasses.replace(manifest.document, prefix=None)):
        both = zip(mini_tokenizer.encode(texts, role), without_light.encode(texts, role), strict=True)
        for ours, theirs in both:
            for field in dataclasses.fields(ours):
                assert np.array_equal(getattr(ours, field.name), getattr(theirs, field.name)), field.name


def test_texts_that_fill_several_groups_come_back_in_order(light: LightTokenizer, plain: Tokenizer) -> None:
    texts = [f"{word} " * 3_000 for word in ("river", "bird", "e\u0301", "house")] + ["x", "the " * 20_000, "z"]
    for text, pieces in zip(texts, light.encode(texts), strict=True):
        assert_equal(pieces, text, plain)


def test_words_that_were_met_before_have_the_same_pieces_and_their_number_is_bounded(plain: Tokenizer) -> None:
    fresh = LightTokenizer(artefact.find().path("unigram.npz"))
    for some in range(5):
        texts = [f"river w{some}q{i}x bird{i} " + "long" * 20 for i in range(1_500)]
        for _ in range(2):
            for text, pieces in zip(texts[::100], fresh.encode(texts)[::100], strict=True):
                assert_equal(pieces, text, plain)
        assert 1_500 < len(fresh._remembered) <= 8_192
        assert "long" * 20 not in fresh._remembered


def test_a_word_may_have_more_characters_than_a_group(light: LightTokenizer, plain: Tokenizer) -> None:
    texts = ["a", "x" * 65_537, "x " * 65_537, "日本語の文章、" * 12_000, "b"]
    for text, pieces in zip(texts, light.encode(texts), strict=True):
        assert_equal(pieces, text, plain)


def test_threads_share_one(mini_tokenizer: TextTokenizer) -> None:
    role = artefact.find().manifest.document
    texts = [*PLAIN, *CLUSTERS]
    alone = [encoded.ids.tolist() for encoded in mini_tokenizer.encode(texts, role)]
    fresh = TextTokenizer(artefact.find())
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: fresh.encode(texts, role), range(8)):
            assert [encoded.ids.tolist() for encoded in found] == alone


def test_no_text_loads_tokenizers() -> None:
    code = (
        "import sys, json; from colibri import artefact\n"
        "from colibri.tokens.tokenizer import TextTokenizer\n"
        "found = artefact.find(); made = TextTokenizer(found)\n"
        "made.encode(json.loads(sys.argv[1]), found.manifest.query); made.tokens([0, 10, 250_001, 250_002])\n"
        "print('tokenizers' in sys.modules)"
    )
    words = [sys.executable, "-c", code, json.dumps(["the river", "日本語", *CLUSTERS, "y" * 70_000, "\ud800"])]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "False\n"


def test_where_tokenizers_is_wanted_and_not_installed_the_extra_is_named(
    bert: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    wanted = re.escape(f"needs tokenizers (colibri-edge[tokenizers]): {install_command('tokenizers')}")
    with pytest.raises(MissingExtra, match=wanted):
        TextTokenizer(bert)
    with pytest.raises(MissingExtra, match=wanted):
        TextTokenizer(artefact.find(), special_tokens=True)
    TextTokenizer(artefact.find()).encode(CLUSTERS, artefact.find().manifest.query)


def test_ids_are_spelt_without_tokenizers_where_they_are_pieces(mini_tokenizer: TextTokenizer) -> None:
    assert mini_tokenizer.tokens([35378, 6661, 0, 250001, 250_002]) == ["▁Hello", "▁World", "<s>", "<mask>", "<250002>"]


def test_special_tokens_are_accepted_on_request() -> None:
    tokenizer = TextTokenizer(artefact.find(), special_tokens=True)
    role = dataclasses.replace(artefact.find().manifest.document, prefix=None)
    assert tokenizer.encode(["a <mask>"], role)[0].ids.tolist() == [0, 10, 250001, 2]


@pytest.mark.parametrize("damage", ["empty", "cut", "not a zip", "another array", "missing array", "pickle"])
def test_a_file_that_cannot_be_read_is_named(damage: str, tmp_path: Path) -> None:
    source = artefact.find().path("unigram.npz")
    path = tmp_path / "unigram.npz"
    raw = source.read_bytes()
    if damage in {"empty", "cut", "not a zip"}:
        path.write_bytes({"empty": b"", "cut": raw[:-500_000], "not a zip": b"\xff" * 500}[damage])
    else:
        arrays = dict(np.load(source))
        if damage == "another array":
            arrays["scores"] = arrays["scores"][:10]
        elif damage == "missing array":
            del arrays["order"]
        else:
            arrays["order"] = np.array([object()])
        np.savez(path, **arrays)
    with pytest.raises(ArtefactError, match=r"unigram\.npz: cannot be read as a Unigram vocabulary"):
        LightTokenizer(path)


def test_the_file_is_among_those_that_are_checked_before_they_are_used(tmp_path: Path) -> None:
    found = artefact.find()
    variant = found.manifest.variants["cpu-int8"]
    names = found.files_to_run(variant, variant.graphs[0])
    assert {"unigram.npz", "tokenizer.rules.json"} <= set(names)
    shutil.copy(found.path("unigram.npz"), tmp_path)
    with (tmp_path / "unigram.npz").open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\0\1\2")
    with pytest.raises(ArtefactError, match=r"unigram\.npz: its bytes changed"):
        artefact.check_files(Artefact(tmp_path, found.manifest), ["unigram.npz"])
