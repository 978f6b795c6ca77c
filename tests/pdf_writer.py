"""A small writer of PDF files: plain objects, content as it is given, RC4 with 40 bits."""

import hashlib
from dataclasses import dataclass

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
