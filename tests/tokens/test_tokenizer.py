"""Text and role to ids: the layout is the definition's at every length, for every rule a manifest can state."""

import dataclasses
import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from colibri.artefact import finding as artefact
from colibri.artefact.finding import Artefact
from colibri.artefact.manifest import Expansion, Role, RoleName, Skiplist
from colibri.errors import ArtefactError
from colibri.tokens.tokenizer import Encoded, TextTokenizer
from reference import layout

WORDS = ["the", "of", "and", "to", "in", "is", "that", "for", "on", "search", "model", "token", "query", "document"]
ROLES: tuple[RoleName, ...] = ("query", "document")


@pytest.fixture(scope="module")
def tokenizer(tiny: Artefact) -> TextTokenizer:
    return TextTokenizer(tiny)


def words(count: int) -> str:
    """A text of so many words, each of one piece in both tiny vocabularies."""
    return " ".join(WORDS[i % len(WORDS)] for i in range(count))


def pieces(of: Artefact, text: str) -> list[int]:
    """Ids of plain words, by the tokenizers package alone."""
    plain = Tokenizer.from_file(str(of.path(of.manifest.tokenizer.file)))
    ids: list[int] = plain.encode(text, add_special_tokens=False).ids
    return ids


def slots(encoded: Encoded) -> list[tuple[int, bool, bool]]:
    return list(zip(encoded.ids.tolist(), encoded.keep.tolist(), encoded.attended.tolist(), strict=True))


def defined(of: Artefact, text: str, role: Role) -> list[tuple[int, bool, bool]]:
    wanted = layout(pieces(of, role.prefix or ""), pieces(of, text), role, of.manifest.tokenizer)
    return [(slot.id, slot.keep, slot.attended) for slot in wanted]


@pytest.mark.parametrize("role_name", ROLES)
def test_every_length_around_the_limit_is_laid_out_as_defined(
    role_name: RoleName, tiny: Artefact, tokenizer: TextTokenizer
) -> None:
    role = tiny.manifest.role(role_name)
    for length in range(role.max_tokens + 6):
        text = words(length)
        assert len(pieces(tiny, text)) == length
        [encoded] = tokenizer.encode([text], role)
        assert slots(encoded) == defined(tiny, text, role)


@pytest.mark.parametrize("role_name", ROLES)
def test_marker_and_end_survive_every_length(role_name: RoleName, tiny: Artefact, tokenizer: TextTokenizer) -> None:
    role = tiny.manifest.role(role_name)
    room = role.max_tokens - 3  # start, marker, end
    for length in range(role.max_tokens + 6):
        [encoded] = tokenizer.encode([words(length)], role)
        assert encoded.ids[1] == role.marker_id
        assert encoded.ids[2 + min(length, room)] == tiny.manifest.tokenizer.end_ids[0]
        assert encoded.ids.size <= role.max_tokens
        assert encoded.truncated == max(0, length - room)


def test_a_query_is_expanded_to_exactly_its_length(tiny: Artefact, tokenizer: TextTokenizer) -> None:
    expansion = tiny.manifest.query.expansion
    assert expansion is not None
    for length in range(20):
        [encoded] = tokenizer.encode([words(length)], tiny.manifest.query)
        masks = max(0, 16 - 3 - length)
        assert encoded.ids.size == expansion.to_tokens == 16
        assert encoded.ids[16 - masks :].tolist() == [expansion.mask_id] * masks
        assert encoded.keep.all()
        assert (~encoded.attended).sum() == (0 if expansion.attended else masks)


PREFIX = "search query "
RULES: dict[str, dict[str, object]] = {
    "no marker": {"marker_id": None},
    "special rows dropped": {"keep_special_rows": False},
    "prefix kept": {"prefix": PREFIX},
    "prefix with punctuation": {"prefix": "search: "},
    "start dropped": {"drop_start_rows": True},
    "start dropped, nothing but special kept": {"drop_start_rows": True, "prefix": PREFIX, "keep_prefix_rows": False},
    "prefix dropped": {"prefix": PREFIX, "keep_prefix_rows": False},
    "only text kept": {"prefix": PREFIX, "keep_prefix_rows": False, "keep_special_rows": False},
    "only special kept": {
        "prefix": PREFIX,
        "keep_prefix_rows": False,
        "skiplist": Skiplist(rule="custom", ids=tuple(range(999))),
    },
    "expanded beyond the limit": {"expansion": Expansion(mask_id=5, to_tokens=30, attended=True)},
    "expanded below the limit": {"expansion": Expansion(mask_id=5, to_tokens=7, attended=False)},
    "room for the frame only": {"max_tokens": 3},
    "room for one piece": {"max_tokens": 4},
    "prefix longer than the limit": {"max_tokens": 4, "prefix": PREFIX},
}


@pytest.mark.parametrize("change", RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("role_name", ROLES)
def test_every_rule_is_laid_out_as_defined(
    role_name: RoleName, change: dict[str, object], tiny: Artefact, tokenizer: TextTokenizer
) -> None:
    role = dataclasses.replace(tiny.manifest.role(role_name), **change)  # type: ignore[arg-type]
    limit = role.max_tokens
    for length in {0, 1, 2, 3, *range(max(limit - 7, 0), limit + 2), 80}:
        [encoded] = tokenizer.encode([words(length)], role)
        assert slots(encoded) == defined(tiny, words(length), role)


def test_rows_of_the_skiplist_are_dropped_and_only_those(tiny: Artefact, tokenizer: TextTokenizer) -> None:
    text = "the ! of ? and ; to"
    [encoded] = tokenizer.encode([text], tiny.manifest.document)
    assert (~encoded.keep).tolist() == [i in tiny.manifest.document.skiplist.ids for i in encoded.ids]
    assert (~encoded.keep).sum() == 3
    assert tokenizer.encode([text], tiny.manifest.query)[0].keep.all()


@pytest.mark.parametrize("text", ["", " ", "\n\t", "!", "! ? ;"])
def test_the_first_row_is_kept_when_no_other_would_be(text: str, tiny: Artefact, tokenizer: TextTokenizer) -> None:
    [encoded] = tokenizer.encode([text], dataclasses.replace(tiny.manifest.document, keep_special_rows=False))
    assert encoded.keep[0]
    assert encoded.keep.sum() == 1


def test_a_skiplist_drops_neither_marker_nor_masks(tiny: Artefact, tokenizer: TextTokenizer) -> None:
    everything = Skiplist(rule="custom", ids=tuple(range(tiny.manifest.architecture.vocabulary)))
    [encoded] = tokenizer.encode(["the river"], dataclasses.replace(tiny.manifest.query, skiplist=everything))
    text = len(pieces(tiny, "the river"))
    assert encoded.keep.tolist() == [True, True, *[False] * text, *[True] * (16 - 2 - text)]


def test_a_text_is_encoded_as_if_it_were_alone(tiny: Artefact, tokenizer: TextTokenizer) -> None:
    texts = [words(length) for length in (3, 0, 50, 1, 16)]
    for role in (tiny.manifest.query, tiny.manifest.document):
        alone = [slots(tokenizer.encode([text], role)[0]) for text in texts]
        assert [slots(encoded) for encoded in tokenizer.encode(texts, role)] == alone


def test_no_texts_are_no_error(tiny: Artefact, tokenizer: TextTokenizer) -> None:
    assert tokenizer.encode([], tiny.manifest.query) == []


def test_arrays_have_the_types_they_promise(tiny: Artefact, tokenizer: TextTokenizer) -> None:
    for text in ("", "the river"):
        [encoded] = tokenizer.encode([text], tiny.manifest.query)
        arrays = (encoded.ids, encoded.attended, encoded.keep, encoded.spans)
        assert [str(array.dtype) for array in arrays] == ["int64", "bool", "bool", "int32"]
        assert [array.shape for array in arrays] == [(16,), (16,), (16,), (16, 2)]


@pytest.mark.parametrize(
    ("text", "ids"), [("Hello World", [35378, 6661]), ("Hello, World.", [35378, 4, 6661, 5]), ("", [])]
)
@pytest.mark.parametrize("role_name", ROLES)
def test_the_shipped_model_keeps_the_rows_of_the_text_alone(
    role_name: RoleName, text: str, ids: list[int], mini_tokenizer: TextTokenizer
) -> None:
    role = artefact.find().manifest.role(role_name)
    [encoded] = mini_tokenizer.encode([text], role)
    [empty] = mini_tokenizer.encode([""], role)
    assert encoded.ids.tolist() == [*empty.ids[:-1].tolist(), *ids, 2]
    assert encoded.ids[encoded.keep].tolist() == (ids or [0])


@pytest.mark.parametrize("role_name", ROLES)
def test_the_shipped_model_takes_512_tokens(role_name: RoleName, mini_tokenizer: TextTokenizer) -> None:
    role = artefact.find().manifest.role(role_name)
    [encoded] = mini_tokenizer.encode(["Hello " * 10_000], role)
    assert encoded.ids.size == 512
    assert encoded.ids[[0, -1]].tolist() == [0, 2]
    assert set(encoded.ids[encoded.keep].tolist()) == {35378}
    assert encoded.truncated == 10_000 - encoded.keep.sum()


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b"[]"])
def test_a_tokenizer_that_cannot_be_read_is_named(raw: bytes, tiny: Artefact, tmp_path: Path) -> None:
    copied = shutil.copytree(tiny.folder, tmp_path / "artefact")
    (copied / "tokenizer.json").write_bytes(raw)
    with pytest.raises(ArtefactError, match=r"tokenizer\.json: cannot be read as a tokenizer"):
        TextTokenizer(artefact.find(copied))


def test_ids_are_spelt_as_the_vocabulary_does(bert: Artefact) -> None:
    assert TextTokenizer(bert).tokens([12, 1, 87, 13, 99_999]) == ["[CLS]", "[unused0]", "##e", "[SEP]", "<99999>"]
