"""PDF: every page's text in the order of reading, its label, and what could not be read."""

import hashlib
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.errors import MissingExtra
from colibri.files.kinds.pdf import read
from colibri.files.source import Source
from colibri.files.text import FileText, Place, Unreadable
from pdf_writer import PASSWORD_FILL, Leaf, document, lines, rc4

CASES = Path(__file__).parents[1] / "cases" / "pdf"


def text_of(*leaves: Leaf | str | None) -> str:
    return found(document(*leaves)).text


def found(data: bytes) -> FileText:
    return read(Source(name="a.pdf", data=data))


def test_each_page_has_its_place() -> None:
    text = found(document(lines("First page."), lines("Second page."), lines("Third page.")))
    assert text.text == "First page.\n\nSecond page.\n\nThird page."
    assert text.places == (Place(0, "p. 1"), Place(13, "p. 2"), Place(27, "p. 3"))
    assert text.remarks == ()


def test_pages_are_called_as_the_document_calls_them() -> None:
    labels = "/PageLabels << /Nums [0 << /S /r /St 11 >> 2 << /S /D >>] >>"
    text = found(document(*(lines(f"page {i}") for i in range(4)), catalog=labels))
    assert [place.label for place in text.places] == ["p. xi", "p. xii", "p. 1", "p. 2"]


def test_labels_that_two_pages_share_are_not_used() -> None:
    labels = "/PageLabels << /Nums [0 << /S /D >> 2 << /S /D >>] >>"
    text = found(document(*(lines(f"page {i}") for i in range(4)), catalog=labels))
    assert [place.label for place in text.places] == ["p. 1", "p. 2", "p. 3", "p. 4"]


def test_what_the_file_says_of_itself_is_kept() -> None:
    info = "/Title (Harbour rules) /Author (R. Quay) /CreationDate (D:20240131120000+01'00') /ModDate (D:2025)"
    text = found(document(lines("x"), info=info, catalog="/Lang (en-GB)"))
    assert (text.title, text.author, text.language) == ("Harbour rules", "R. Quay", "en-GB")
    assert (text.created, text.modified) == ("2024-01-31T12:00:00+01:00", "2025")


def test_a_title_that_is_no_text_does_not_cost_the_text() -> None:
    text = found(document(lines("x"), info="/Title <FEFFD8000041> /Author (A\\nB) /CreationDate (yesterday)"))
    assert (text.text, text.title, text.author, text.created) == ("x", None, "A B", None)


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(MissingExtra, match=r"PDF files need colibri-edge\[files\]: pip install "):
        found(document(lines("x")))


@pytest.mark.parametrize(
    ("pages", "remarks"),
    [
        (["text", "", "text"], ("page 2 of 3 holds no text",)),
        (["text", None, "text"], ("page 2 of 3 cannot be read",)),
        (
            ["text", "", "", "", "text", "", None, None],
            ("pages 7-8 of 8 cannot be read", "pages 2-4, 6 of 8 hold no text"),
        ),
    ],
)
def test_pages_without_text_are_named(pages: list[str | None], remarks: tuple[str, ...]) -> None:
    text = found(document(*(lines(page) if page else page for page in pages)))
    assert text.remarks == remarks
    assert set(text.text.split()) == {"text"}


def test_a_wholly_scanned_file_says_so() -> None:
    with pytest.raises(Unreadable, match="holds no text; scanned pages are not read"):
        found(document("", ""))


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"no PDF at all", document(lines("x"))[:200]])
def test_damage_is_said(data: bytes) -> None:
    with pytest.raises(Unreadable, match="is damaged"):
        found(data)


def test_an_empty_password_opens_and_a_real_one_is_said() -> None:
    data = found((CASES / "aes_128_empty_password.pdf").read_bytes())
    assert data.text == "Permissions only: the boiler is serviced every March."
    assert encrypted(b"", "the old encryption").text == "the old encryption"
    with pytest.raises(Unreadable, match=r"^is encrypted$"):
        encrypted(b"secret", "hidden")


def encrypted(password: bytes, said: str) -> FileText:
    """Read a file that is encrypted by RC4 with 40 bits (ISO 32000-1, 7.6.3, algorithms 2 to 4)."""
    padded = (password + PASSWORD_FILL)[:32]
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    key = hashlib.md5(padded + owner + (-4 & 0xFFFFFFFF).to_bytes(4, "little") + b"0123456789abcdef").digest()[:5]
    user = rc4(key, PASSWORD_FILL)
    plain = document(lines(said), key=key)
    guard = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{owner.hex()}> /U <{user.hex()}> >>"
    trailer = f"{guard} /ID [<{b'0123456789abcdef'.hex()}> <{b'0123456789abcdef'.hex()}>]"
    return found(plain.replace(b"/Info 4 0 R", trailer.encode()))


def test_one_page_that_fails_does_not_take_the_others() -> None:
    text = found((CASES / "second_page_unreadable.pdf").read_bytes())
    assert text.text.startswith("First page about boilers.")
    assert text.text.endswith("Third page about chimneys.")
    assert text.remarks == ("page 2 of 3 cannot be read",)


@pytest.mark.parametrize(
    ("packed", "name", "remark"),
    [
        (b"BT /F1 12 Tf 20 200 Td (raw) Tj ET", "DCTDecode", "page 2 of 3 cannot be read"),
        (b"BT /F1 12 Tf 20 200 Td (raw) Tj ET", "NoSuchDecode", "page 2 of 3 cannot be read"),
        (b"BT /F1 12 Tf 20 200 Td (raw) Tj ET", "FlateDecode", "page 2 of 3 cannot be read"),
        (
            zlib.compress(lines("kept", *"abcdefgh").encode())[:50],
            "FlateDecode",
            "page 2 of 3 is damaged and may lack text",
        ),
        (zlib.compress(lines("kept").encode())[:-4], "FlateDecode", ""),
    ],
)
def test_pages_whose_content_does_not_unpack_are_named(packed: bytes, name: str, remark: str) -> None:
    leaf = Leaf(packed, stream=f"/Filter /{name}")
    text = found(document(lines("first"), leaf, lines("third")))
    assert text.remarks == ((remark,) if remark else ())
    assert ("kept" in text.text) == ("cannot" not in remark)
    assert "raw" not in text.text


@given(st.lists(st.lists(st.text("abcdefghiklmnorstuvyz", min_size=2, max_size=9), min_size=1, max_size=6), min_size=1))
def test_words_of_lines_come_back_in_their_order(rows: list[list[str]]) -> None:
    content = lines(*(" ".join(row) for row in rows), size=8, y=290, step=min(10, 280 / len(rows)))
    assert text_of(content).split() == [word for row in rows for word in row]


def test_values_of_form_fields_are_read() -> None:
    fields = tuple(
        f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (f{i}) /V ({value}) /Rect [20 {200 - 20 * i} 280 {216 - 20 * i}] "
        f"/DA (/F1 12 Tf 0 g) /F 4 {more} >>"
        for i, (value, more) in enumerate([("Ann Quay", "/AP << /N 103 0 R >>"), ("twelve crowns", "")])
    )
    drawn = "/Tx BMC BT /F1 12 Tf 2 4 Td (Ann Quay) Tj ET EMC"
    look = (
        "<< /Type /XObject /Subtype /Form /BBox [0 0 260 16] /Resources << /Font << /F1 3 0 R >> >> "
        f"/Length {len(drawn)} >>\nstream\n{drawn}\nendstream"
    )
    form = "/AcroForm << /Fields [100 0 R 101 0 R] /NeedAppearances true /DR << /Font << /F1 3 0 R >> >> >>"
    leaf = Leaf(lines("Name:"), more="/Annots [100 0 R 101 0 R]")
    text = found(document(leaf, lines("next"), catalog=form, objects=(*fields, "<< >>", look)))
    assert text.text.startswith("Name:")
    assert "Ann Quay" in text.text
    assert "twelve crowns" in text.text
    assert [place.label for place in text.places] == ["p. 1", "p. 2"]


def test_notes_on_a_page_are_read_and_links_are_not() -> None:
    notes = (
        "<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (Ask the keeper.) >>",
        "<< /Type /Annot /Subtype /Highlight /Rect [0 0 9 9] /QuadPoints [0 9 9 9 0 0 9 0] /Contents (Too early?) >>",
        "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /Contents (never) >>",
        "<< /Type /Annot /Subtype /Popup /Rect [0 0 9 9] /Contents (never) >>",
    )
    leaf = Leaf(lines("The bell rings at six."), more="/Annots [100 0 R 101 0 R 102 0 R 103 0 R]")
    assert found(document(leaf, objects=notes)).text == "The bell rings at six.\n\nAsk the keeper.\n\nToo early?"


def test_attached_files_are_named() -> None:
    tree = "/Names << /EmbeddedFiles << /Names [(a) 100 0 R] >> >>"
    objects = (
        "<< /Type /Filespec /F (costs.xlsx) /UF (costs.xlsx) /EF << /F 101 0 R >> >>",
        "<< /Type /EmbeddedFile /Length 1 >>\nstream\nx\nendstream",
    )
    assert found(document(lines("x"), catalog=tree, objects=objects)).remarks == (
        "files attached to it are not read: costs.xlsx",
    )


def test_two_threads_can_read_at_once() -> None:
    data = document(*(lines(f"page {i} of it") for i in range(20)))
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(found, [data] * 8))
    assert len({text.text for text in texts}) == 1
