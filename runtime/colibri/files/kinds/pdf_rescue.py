"""PDF files that PDFium does not open because what stands at their end is lost: a download that was cut off.

PDFium looks for the objects of a file whose list of them is wrong, but not for a file's root where no trailer names it.
Here a root is made that has the pages found. Pages that lie in a packed object stream are not found, and nothing that
is encrypted is tried: its key is named in the trailer.
"""

import re

_OBJECT = re.compile(rb"(?<!\d)(\d{1,8}) (\d{1,5}) obj\b")
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_END = re.compile(rb"endobj|\bstream\r?\n")
_ENTRIES = 20_000  # bytes of a page's dictionary that are looked at


def rescued(data: bytes) -> bytes | None:
    """The file with a root of its own for the pages that are whole; None where none is."""
    if b"/Encrypt" in data:
        return None
    data = data[: data.rfind(b"endobj") + len(b"endobj")]  # half a trailer would be taken for one
    pages: dict[int, int] = {}  # number -> generation; of objects of one number the last counts
    highest = 0
    for found in _OBJECT.finditer(data):
        number = int(found[1])
        highest = max(highest, number)
        end = _END.search(data, found.end(), found.end() + _ENTRIES)
        if end is not None and _PAGE.search(data, found.end(), end.start()):
            pages[number] = int(found[2])
        else:
            pages.pop(number, None)
    if not pages:
        return None
    root, tree = highest + 1, highest + 2
    kids = " ".join(f"{number} {generation} R" for number, generation in pages.items())
    added = (
        f"\n{root} 0 obj\n<< /Type /Catalog /Pages {tree} 0 R >>\nendobj\n"
        f"{tree} 0 obj\n<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>\nendobj\n"
        f"trailer\n<< /Size {tree + 1} /Root {root} 0 R >>\nstartxref\n0\n%%EOF\n"
    )
    return data + added.encode()
