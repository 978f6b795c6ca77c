"""PDF: every page's text in the order of reading, its label, and what could not be read."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from colibri.files.kinds.pdf import read
from colibri.files.source import Source
from colibri.files.text import FileText, Place, Unreadable

CASES = Path(__file__).parents[1] / "cases"

PASSWORD_FILL = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


@dataclass(frozen=True)
class Leaf:
    """A page: its content, more of its dictionary, and what the dictionary of the content says beside the length."""

    content: str
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
        data = one.content.encode("cp1252")
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
