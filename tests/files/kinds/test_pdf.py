"""PDF: every page's text in the order of reading, its label, and what could not be read."""

import hashlib
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.errors import MissingExtra
from colibri.files.kinds.pdf import boxes, read
from colibri.files.source import Source
from colibri.files.text import FileText, Place, Unreadable

CASES = Path(__file__).parents[1] / "cases"

PASSWORD_FILL = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


@dataclass(frozen=True)
class Leaf:
    """A page: its content, more of its dictionary, and what the dictionary of the content says beside the length."""

    content: str | bytes
    more: str = ""
    stream: str = ""


def document(
    *leaves: Leaf | str | None, catalog: str = "", info: str = "", objects: tuple[str, ...] = (), key: bytes = b""
) -> bytes:
    """A PDF of these pages, None for one that is not there. objects: more of them, from number 100 on."""
    numbered: dict[int, bytes] = {}
    numbered[1] = f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode()
    kids = " ".join(f"{10 + 2 * i} 0 R" for i in range(len(leaves)))
    numbered[2] = f"<< /Type /Pages /Kids [{kids}] /Count {len(leaves)} >>".encode()
    numbered[3] = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    numbered[4] = f"<< {info} >>".encode()
    for i, leaf in enumerate(leaves):
        if leaf is None:
            continue
        one = Leaf(leaf) if isinstance(leaf, str) else leaf
        page, content = 10 + 2 * i, 11 + 2 * i
        box = "" if "/MediaBox" in one.more else "/MediaBox [0 0 300 300]"
        fonts = "" if "/Resources" in one.more else "/Resources << /Font << /F1 3 0 R >> >>"
        numbered[page] = f"<< /Type /Page /Parent 2 0 R {box} {fonts} {one.more} /Contents {content} 0 R >>".encode()
        data = one.content.encode("cp1252") if isinstance(one.content, str) else one.content
        if key:
            data = rc4(hashlib.md5(key + content.to_bytes(3, "little") + b"\0\0").digest()[:10], data)
        numbered[content] = b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), one.stream.encode(), data)
    numbered |= {100 + i: text.encode("latin-1") for i, text in enumerate(objects)}
    return written(numbered)


def written(numbered: dict[int, bytes], trailer: str = "") -> bytes:
    out, places = b"%PDF-1.7\n", {}
    for number, body in numbered.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = max(numbered) + 1
    rows = "".join(f"{places[n]:010d} 00000 n \n" if n in places else "0000000000 65535 f \n" for n in range(size))
    said = f"trailer << /Size {size} /Root 1 0 R /Info 4 0 R {trailer} >>"
    return out + f"xref\n0 {size}\n{rows}{said}\nstartxref\n{len(out)}\n%%EOF\n".encode()


def lines(*texts: str, x: float = 20, y: float = 260, size: float = 12, step: float = 14) -> str:
    """Content that writes lines from there downwards."""
    rows = " ".join(f"({text}) Tj T*" for text in texts)
    return f"BT /F1 {size} Tf {step} TL {x} {y} Td {rows} ET\n"


def rc4(key: bytes, data: bytes) -> bytes:
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


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
    with pytest.raises(MissingExtra, match=r"PDF files need pip install 'colibri-edge\[files\]'"):
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


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (["The keeper gave infor-", "mation about it."], "The keeper gave information about it."),
        (["A well-known rule, and", "again a well-", "known one."], "A well-known rule, and again a well-known one."),
        (["Information first, then infor-", "mation again."], "Information first, then information again."),
        (["Out of date: state-of-the-", "art boats."], "Out of date: state-of-the-art boats."),
        (["From Bad Homburg to Frankfurt-", "Main by rail."], "From Bad Homburg to Frankfurt-Main by rail."),
        (["The rule of 1990-", "1995 about x-", "rays."], "The rule of 1990-1995 about x-rays."),
        (
            ["late boats, an interaction, late-", "interaction of them"],
            "late boats, an interaction, late-interaction of them",
        ),
        (["a soft one: har\\255", "bour of the town"], "a soft one: harbour of the town"),
        (["one two three -", "four five six seven"], "one two three -\nfour five six seven"),
    ],
)
def test_hyphens_at_line_ends(rows: list[str], text: str) -> None:
    said = text_of(lines(*rows))
    assert " ".join(said.split()) == " ".join(text.split())


def test_words_of_other_pages_tell_which_hyphens_are_true() -> None:
    text = found(document(lines("We met a far-", "off keeper."), lines("A far-off place and a far-off time.")))
    assert text.text.startswith("We met a far-off keeper.")
    text = found(document(lines("We met the har-", "bour keeper."), lines("The harbour and its harbour master.")))
    assert text.text.startswith("We met the harbour keeper.")


PARAGRAPH = (
    "Every morning at six the keeper walks slowly along",
    "the quay and reads the three gauges beside that",
    "old crane that nobody has moved for years.",
)


def test_wrapped_lines_are_joined_and_paragraphs_stand_apart() -> None:
    joined = " ".join(PARAGRAPH)
    spaced = lines(*PARAGRAPH, size=11, y=260) + lines(*PARAGRAPH, size=11, y=200)
    assert text_of(spaced) == f"{joined}\n\n{joined}"
    first = PARAGRAPH[0].replace("slowly ", "")
    indented = lines(first, size=11, x=40, y=260) + lines(*PARAGRAPH[1:], size=11, y=246)
    following = lines(first, size=11, x=40, y=218) + lines(*PARAGRAPH[1:], size=11, y=204)
    assert text_of(indented + following) == f"{joined}\n\n{joined}".replace("slowly ", "")
    assert text_of(lines("A heading", size=18, y=275) + lines(*PARAGRAPH, size=11)) == f"A heading\n\n{joined}"


def test_addresses_go_on_in_the_next_line() -> None:
    rows = ("The whole table of tides is kept at https://", "tides.example.org/harbour/quay.html for all.")
    assert "at https://tides.example.org/harbour/quay.html for all." in text_of(lines(*rows, size=10))
    rows = ("The table of tides is kept at www.tides.example.", "org/harbour/of/north-quay.html for all.")
    assert "at www.tides.example.org/harbour/of/north-quay.html for all." in text_of(lines(*rows, size=10))


def test_lists_and_short_lines_stay_lines() -> None:
    items = ("Fill the lamp", "Count ropes", "Send the letters")
    assert text_of(lines(*items)) == "\n".join(items)
    bullets = tuple(f"\\225 {item} and look after it until the evening comes" for item in items)
    assert text_of(lines(*bullets, size=10)).count("\n\u2022 ") == 2


def test_cells_of_a_row_are_apart() -> None:
    content = "".join(
        lines(left, y=y) + lines(right, x=180, y=y)
        for y, left, right in [(260, "Gauge", "Height"), (246, "Quay", "3.75")]
    )
    assert text_of(content) == "Gauge\tHeight\nQuay\t3.75"


def test_raised_figures_stay_in_their_line() -> None:
    content = lines("E = mc") + lines("2", x=58, y=265, size=7) + lines("is known.", x=66)
    assert text_of(content + lines("Next line.", y=230)) == "E = mc2 is known.\n\nNext line."


def test_a_column_ends_where_the_next_begins() -> None:
    left = ("In the left column the old text runs", "on to its end and there is then con-")
    right = ("tinued here, at the very top of the", "right one, where it ends.")
    content = lines(*left, size=8, y=40, step=10) + lines(*right, size=8, x=160, y=280, step=10)
    said = "In the left column the old text runs on to its end and there is then continued here, at the very top of"
    assert text_of(content) == f"{said} the right one, where it ends."


LEFT = (
    "Every morning the keeper walks",
    "along the quay and reads three",
    "gauges beside the old crane in",
    "the harbour and writes it into",
    "the book.",
)
RIGHT = (
    "The second column tells of the",
    "boats which arrive after nine",
    "and wait until all the ice has",
    "been broken, so that they may",
    "come in.",
)


def test_columns_that_are_drawn_row_by_row_are_read_one_by_one() -> None:
    rows = zip(range(260, 190, -12), LEFT, RIGHT, strict=False)
    content = "".join(lines(a, y=y, size=9) + lines(b, y=y, x=165, size=9) for y, a, b in rows)
    assert text_of(content) == f"{' '.join(LEFT)}\n\n{' '.join(RIGHT)}"


def test_rows_of_a_table_are_read_one_by_one() -> None:
    rows = [("Oil for the lamp", "two barrels"), ("Rope", "by the fathom"), ("New bell", "one"), ("Ice saw", "three")]
    content = "".join(lines(a, y=260 - 14 * i) + lines(b, y=260 - 14 * i, x=165) for i, (a, b) in enumerate(rows))
    assert text_of(content) == "\n".join("\t".join(row) for row in rows)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turned_pages_keep_their_words_apart(turn: int) -> None:
    matrix = {0: "1 0 0 1 0 0", 90: "0 1 -1 0 300 0", 180: "-1 0 0 -1 300 300", 270: "0 -1 1 0 0 300"}[turn]
    leaf = Leaf(f"q {matrix} cm {lines(*PARAGRAPH, size=11)} Q", more=f"/Rotate {turn}")
    assert text_of(leaf) == " ".join(PARAGRAPH)


def test_words_beside_turned_ones_are_not_joined_to_them() -> None:
    content = lines("words across", y=200) + f"q 0 1 -1 0 100 190 cm {lines('words upwards', x=0, y=0)} Q"
    assert text_of(content).split() == ["words", "across", "words", "upwards"]


def test_text_outside_of_the_page_is_left_out() -> None:
    content = lines("inside it") + lines("above it", y=400) + lines("beside it", x=-200, y=100)
    assert text_of(content) == "inside it"
    cropped = Leaf(
        lines("first", y=280) + lines("second", y=150) + lines("third", y=10), more="/CropBox [0 100 300 200]"
    )
    assert text_of(cropped) == "second"


def unicode_font(letters: str) -> tuple[str, str]:
    """Two objects, from 100 on: a font whose codes from A on are these letters, and the table that says so."""
    rows = "\n".join(f"<{65 + i:02X}> <{letter.encode('utf-16-be').hex()}>" for i, letter in enumerate(letters))
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Own def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <FF> endcodespacerange\n{len(letters)} beginbfchar\n{rows}\nendbfchar\n"
        "endcmap end end"
    )
    widths = " ".join(["500"] * len(letters))
    font = (
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 65 /LastChar {64 + len(letters)} "
        f"/Widths [{widths}] /ToUnicode 101 0 R >>"
    )
    return font, f"<< /Length {len(table)} >>\nstream\n{table}\nendstream"


OWN = "/Resources << /Font << /F1 3 0 R /F2 100 0 R >> >>"


def test_letters_that_a_second_font_fills_in_come_where_they_stand() -> None:
    # "Mỗi buổi": what Helvetica has first, in three pieces, then the two letters of the other font.
    content = (
        "BT /F1 10 Tf 1 0 0 1 20 200 Tm (M) Tj 1 0 0 1 33.5 200 Tm (i bu) Tj 1 0 0 1 55 200 Tm (i) Tj "
        "/F2 10 Tf 1 0 0 1 28.4 200 Tm (A) Tj 1 0 0 1 50 200 Tm (B) Tj ET"
    )
    assert found(document(Leaf(content, more=OWN), objects=unicode_font("ỗổ"))).text == "Mỗi buổi"


def test_lines_on_each_other_keep_their_letters_together() -> None:
    text = text_of(lines("Keep the lamp filled") + lines("DRAFT OF THE RULES", x=23, y=261))
    assert "lamp filled" in text
    assert "OF THE RULES" in text


@pytest.mark.parametrize(
    ("letters", "drawn", "text"),
    [
        ("אבגד ", "(DCBAEBA)", "אב אבגד"),
        ("אבגד ", "(BA) Tj 1 0 0 1 33 200 Tm (DC)", "גד אב"),
        ("سلام", "(DCBA)", "سلام"),
    ],
)
def test_scripts_from_right_to_left_are_read_in_their_order(letters: str, drawn: str, text: str) -> None:
    content = f"BT /F2 10 Tf 1 0 0 1 20 200 Tm {drawn} Tj ET"
    assert found(document(Leaf(content, more=OWN), objects=unicode_font(letters))).text == text


def test_shapes_of_arabic_letters_are_letters() -> None:
    content = "BT /F2 10 Tf 20 200 Td (CBA) Tj ET"
    assert found(document(Leaf(content, more=OWN), objects=unicode_font("\ufeb3\ufefc\ufee1"))).text == "سلام"


def test_lines_of_scripts_without_blanks_are_joined_without() -> None:
    content = "BT /F2 10 Tf 12 TL 20 200 Td " + "(ABCDABCDABCDABCDABCDABCDABCDABCDABCDABCDABCD) Tj T* " * 2 + "ET"
    assert found(document(Leaf(content, more=OWN), objects=unicode_font("港湾事務"))).text == "港湾事務" * 22


def test_lines_from_top_to_bottom_are_read_from_the_right() -> None:
    rows = ("毎朝六時に番人は", "岸壁を歩く古いク", "レーンの水位計を")
    font = "/Type /Font /Subtype /Type0 /BaseFont /Own /Encoding /UniJIS-UTF16-V /DescendantFonts [101 0 R]"
    below = (
        "/Type /Font /Subtype /CIDFontType0 /BaseFont /Own /DW 1000 /DW2 [880 -1000] /FontDescriptor 102 0 R "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 0 >>"
    )
    look = (
        "/Type /FontDescriptor /FontName /Own /Flags 4 /FontBBox [0 -120 1000 880] /Ascent 880 /Descent -120 /StemV 80"
    )
    drawn = " ".join(
        f"1 0 0 1 {250 - 20 * i} 250 Tm <{row.encode('utf-16-be').hex()}> Tj" for i, row in enumerate(rows)
    )
    objects = tuple(f"<< {entries} >>" for entries in (font, below, look))
    text = found(document(Leaf(f"BT /F2 12 Tf {drawn} ET", more=OWN), objects=objects)).text
    assert text.replace("\n", "") == "".join(rows)


def test_boxes_lie_where_the_passage_is_drawn() -> None:
    data = document(lines("nothing here"), lines(*PARAGRAPH, size=11))
    text = found(data)
    page = text.text[text.places[1].start :]
    start = page.index("three gauges beside that old crane")
    marked = boxes(Source(name="a.pdf", data=data), 1, start, start + len("three gauges beside that old crane"))
    assert len(marked) == 2
    first, second = marked
    assert 240 < first.bottom < first.top < 262
    assert second.top < first.top - 10
    assert second.left == pytest.approx(20, abs=1)
    assert first.right == pytest.approx(20 + 11 * 21.1, rel=0.1)


def test_two_threads_can_read_at_once() -> None:
    data = document(*(lines(f"page {i} of it") for i in range(20)))
    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(found, [data] * 8))
    assert len({text.text for text in texts}) == 1
