"""Text as it lies in the file: prose, Markdown and its like, source code, configuration, logs.

The lines of the text are those of the file: what is no text (`noise`) leaves its line behind. Markdown,
reStructuredText, org and AsciiDoc have a place for each heading, with those above it: "Kettle > Care".
"""

from collections.abc import Callable, Iterable
from itertools import accumulate
from pathlib import PurePosixPath

from colibri.files.kinds import outline
from colibri.files.kinds.encodings import decode
from colibri.files.kinds.frontmatter import FrontMatter, fields, front_matter, org_head
from colibri.files.kinds.headings import Headings
from colibri.files.kinds.noise import cleaned, quiet
from colibri.files.source import Source
from colibri.files.text import FileText, Place

_Head = Callable[[list[str]], FrontMatter]
_Outline = Callable[[list[str]], Iterable[outline.Heading]]

MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mdx", ".qmd", ".rmd", ".mdwn"})
_FORMS: dict[str, tuple[_Head, _Outline]] = {
    **dict.fromkeys(MARKDOWN, (front_matter, outline.markdown)),
    **dict.fromkeys((".rst", ".rest"), (fields, outline.restructured)),
    ".org": (org_head, outline.org),
    **dict.fromkeys((".adoc", ".asciidoc"), (fields, outline.asciidoc)),
}


def read(source: Source) -> FileText:
    """Its text, with the headings of the forms that have some. Raises Unreadable for binary data."""
    decoded = decode(source.data)
    found = quiet(cleaned(decoded.text), source.name)
    remarks = (*filter(None, [decoded.remark]), *found.remarks)
    head, headings_of = _FORMS.get(PurePosixPath(source.name.lower()).suffix, (None, None))
    if head is None or headings_of is None:
        return FileText(text=found.text, verbatim=True, remarks=remarks)
    lines = found.text.split("\n")
    known = head(lines)
    # Front matter's lines are emptied, not cut: headings keep their line numbers.
    headings = list(headings_of([""] * known.end + lines[known.end :]))
    facts = dict(known.facts)
    if "title" not in facts and headings and headings[0].level == 1 and headings[0].title:
        facts["title"] = headings[0].title
    places = _places(headings, lines)
    return FileText(text=found.text, places=places, verbatim=True, remarks=remarks, **facts)


def _places(headings: list[outline.Heading], lines: list[str]) -> tuple[Place, ...]:
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    above = Headings()
    return tuple(Place(starts[heading.line], above.enter(heading.level, heading.title)) for heading in headings)
