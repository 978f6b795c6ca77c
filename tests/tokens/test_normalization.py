"""Unicode's own table of normal forms: both forms of a text are one text to a model, and spans lie in each.

Debian's `unicode-data` brings the table. `run.py soak` takes every line of it, `run.py test` one in fifty.
"""

import bz2
import unicodedata
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from colibri.artefact import Artefact
from colibri.model import Colibri
from colibri.tokens.composition import compose
from colibri.tokens.tokenizer import Encoded, TextTokenizer
from rounds import rounds

TABLE = Path("/usr/share/unicode/NormalizationTest.txt.bz2")
pytestmark = pytest.mark.skipif(not TABLE.is_file(), reason=f"no {TABLE}: Debian's unicode-data is not installed")

Forms = tuple[str, str, str, str, str]  # source, NFC, NFD, NFKC, NFKD


def table() -> list[Forms]:
    """Its lines, less those with characters that are newer than this Python's tables."""
    found = []
    for line in bz2.decompress(TABLE.read_bytes()).decode().splitlines():
        if line and line[0] not in "#@":
            source, *others = ("".join(chr(int(c, 16)) for c in part.split()) for part in line.split(";")[:5])
            if all(unicodedata.category(c) != "Cn" for c in source):
                found.append((source, *others))
    return found[:: rounds(50, 1)]  # type: ignore[return-value]


@pytest.fixture(scope="module")
def lines() -> list[Forms]:
    found = table()
    assert len(found) > rounds(350, 18_000)
    return found


@pytest.mark.parametrize("compatible", [False, True])
def test_composing_is_what_the_table_says(compatible: bool, lines: list[Forms]) -> None:
    """And with sentencepiece's rules beside NFC, all forms that are one become one."""

    def made(text: str) -> str:
        found = compose(text, compatible=compatible)
        return text if found is None else found.text

    wrong = []
    for source, composed, apart, as_compatible, apart_as_compatible in lines:
        for forms, wanted in (
            ((source, composed, apart), composed),
            ((as_compatible, apart_as_compatible), as_compatible),
        ):
            found = {made(text) for text in forms}
            if len(found) > 1 or not (compatible or found == {wanted}):
                wrong.append(" ".join(f"{ord(c):04x}" for c in source))
    assert not wrong


def sentences(lines: list[Forms]) -> tuple[list[str], list[str]]:
    """Each line's source between words, and beside its neighbours', in NFC and in NFD."""
    sources = [f"x {line[0]} y" for line in lines]
    sources += [f"a{a[0]}{b[0]} {a[0]}" for a, b in pairwise(lines)]
    composed, apart = ([unicodedata.normalize(form, text) for text in sources] for form in ("NFC", "NFD"))
    return composed, apart


def sound(text: str, found: Encoded, composed: str, wanted: Encoded) -> bool:
    """Whether the tokens' characters in a text are, composed, those that they have in the composed text or around."""
    return all(
        composed[a:b] in unicodedata.normalize("NFC", text[c:d])
        for (a, b), (c, d) in zip(wanted.spans.tolist(), found.spans.tolist(), strict=True)
    )


@pytest.mark.parametrize("role", ["query", "document"])
def test_both_forms_have_the_same_ids_and_spans_of_their_own(
    role: str, tokenized: tuple[Artefact, TextTokenizer], lines: list[Forms]
) -> None:
    artefact, tokenizer = tokenized
    rules = artefact.manifest.role(role)  # type: ignore[arg-type]
    composed, apart = sentences(lines)
    wrong = []
    for first, a, second, b in zip(
        composed, tokenizer.encode(composed, rules), apart, tokenizer.encode(apart, rules), strict=True
    ):
        if a.ids.tolist() != b.ids.tolist() or not sound(second, b, first, a):
            wrong.append(second)
    assert not wrong


def test_both_forms_have_the_same_rows(tiny_model: Colibri, lines: list[Forms]) -> None:
    _same_rows(tiny_model, lines)


def test_both_forms_have_the_same_rows_by_the_shipped_model(mini: Colibri, lines: list[Forms]) -> None:
    _same_rows(mini, lines[:: rounds(10, 5)])


def _same_rows(model: Colibri, lines: list[Forms]) -> None:
    composed, apart = map(model.encode_documents, sentences(lines))
    assert composed.starts.tolist() == apart.starts.tolist()
    np.testing.assert_allclose(apart.rows, composed.rows, rtol=0, atol=1e-6)
