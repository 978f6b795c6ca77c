"""What the files beside the chapters of an EPUB say: which there are, in what order, under what titles.

They are read as tags, not as XML: in books made by hand they are often not well-formed.
"""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from colibri.files.kinds.cleaning import cleaned
from colibri.files.kinds.dates import iso_date
from colibri.files.kinds.tags import End, Markup, Start, Text

# Fonts are not encrypted by these but made useless to others: https://www.w3.org/TR/epub-33/#sec-font-obfuscation
_OBFUSCATION = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_FACTS = {"title": "title", "creator": "author", "language": "language", "date": "created"}


@dataclass(kw_only=True)
class Package:
    """A book's package file.

    chapters  paths in the book, in the order of the spine, each once
    unknown   what the spine names and the manifest does not have
    contents  the tables of contents: the page of EPUB 3, the NCX of EPUB 2
    media     path -> media type, of all files that the manifest has, in its order
    """

    chapters: list[str]
    unknown: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    media: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


def package_path(container: str) -> str | None:
    """The path of the package file, of the first rendition."""
    tags = [tag for tag in _starts(container) if tag.name == "rootfile" and tag.attributes.get("full-path")]
    tags.sort(key=lambda tag: "oebps-package" not in tag.attributes.get("media-type", "oebps-package"))
    return unquote(tags[0].attributes["full-path"]) if tags else None


def package(text: str, folder: str) -> Package:
    """A package file. folder: where it lies in the book."""
    files: dict[str, str] = {}
    media: dict[str, str] = {}
    contents: list[str] = []
    order: list[str] = []
    for tag in _starts(text):
        values = tag.attributes
        if tag.name == "item" and "href" in values:
            path = resolved(folder, values["href"])
            files.setdefault(values.get("id", ""), path)
            media[path] = values.get("media-type", "").lower()
            if "nav" in values.get("properties", "").split():
                contents.insert(0, path)
            elif media[path] == "application/x-dtbncx+xml":
                contents.append(path)
        elif tag.name == "itemref":
            order.append(values.get("idref", ""))
    known = dict.fromkeys(files[name] for name in order if name in files)
    unknown = list(dict.fromkeys(name for name in order if name not in files))
    return Package(chapters=list(known), unknown=unknown, contents=contents, media=media, facts=_facts(text))


def table_of_contents(text: str, folder: str) -> Iterator[tuple[str, str]]:
    """Path of a chapter -> its title, of a page of EPUB 3 (links in <nav>) or an NCX of EPUB 2 (<navPoint>)."""
    markup = Markup(text, xml=True)
    words: list[str] = []
    link = ""
    inside = False
    while token := markup.next():
        if isinstance(token, Text):
            words.append(token.text)
        elif isinstance(token, Start) and token.name in {"nav", "navmap"}:
            # A page can also list its pictures and the pages of the printed book.
            inside = token.name == "navmap" or token.attributes.get("epub:type", "toc") == "toc"
        elif isinstance(token, Start) and token.name in {"a", "navlabel"}:
            words, link = [], token.attributes.get("href", "")
        elif inside and isinstance(token, End) and token.name == "a" and link:
            yield resolved(folder, link), " ".join("".join(words).split())
        elif inside and isinstance(token, Start) and token.name == "content":
            yield resolved(folder, token.attributes.get("src", "")), " ".join("".join(words).split())
        elif isinstance(token, End) and token.name in {"nav", "navmap"}:
            inside = False


def encrypted_files(text: str) -> set[str]:
    """Paths of what META-INF/encryption.xml says is encrypted, fonts that are only obfuscated left out."""
    found: set[str] = set()
    algorithm = ""
    for tag in _starts(text):
        if tag.name == "encrypteddata":
            algorithm = ""
        elif tag.name == "encryptionmethod":
            algorithm = algorithm or tag.attributes.get("algorithm", "")
        elif tag.name == "cipherreference" and algorithm not in _OBFUSCATION:
            found.add(resolved("", tag.attributes.get("uri", "")))
    return found


def resolved(folder: str, link: str) -> str:
    """The path in the book that a link of a file in this folder means."""
    path = unquote(link.partition("#")[0].partition("?")[0]).replace("\\", "/")
    path = posixpath.normpath(posixpath.join("/", folder, path))
    return path.lstrip("/")


def _facts(text: str) -> dict[str, str]:
    """Title, authors, language and dates of a package."""
    found: dict[str, list[str]] = {}
    markup = Markup(text, xml=True, scripts=False)
    open_tag: Start | None = None
    while token := markup.next():
        if isinstance(token, Start):
            open_tag = token
        elif isinstance(token, End):
            open_tag = None
        elif open_tag is not None and (fact := _fact(open_tag)) and (value := " ".join(cleaned(token.text).split())):
            value = (iso_date(value) or "") if fact in {"created", "modified"} else value
            found.setdefault(fact, []).append(value)
    facts = {fact: next(filter(None, values), "") for fact, values in found.items()}
    if "author" in found:
        facts["author"] = ", ".join(dict.fromkeys(found["author"]))
    return {fact: value for fact, value in facts.items() if value}


def _fact(tag: Start) -> str | None:
    if tag.name == "meta":
        return "modified" if tag.attributes.get("property") == "dcterms:modified" else None
    if tag.name == "date" and tag.attributes.get("opf:event", "").lower() == "modification":
        return "modified"
    return _FACTS.get(tag.name)


def _starts(text: str) -> Iterator[Start]:
    markup = Markup(text, xml=True, scripts=False)
    while token := markup.next():
        if isinstance(token, Start):
            yield token
