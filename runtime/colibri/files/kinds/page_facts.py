"""What a page says of itself: its title, author, language and dates."""

from typing import Any

from colibri.files.kinds.cleaning import cleaned
from colibri.files.kinds.dates import iso_date
from colibri.files.kinds.tags import Start

_NAMES = {
    "author": "author creator dc.creator dcterms.creator article:author citation_author",
    "language": "language dc.language dcterms.language content-language",
    "created": "date pubdate created creation_date dc.date dc.date.issued dc.date.created dcterms.created dcterms.date "
    "dcterms.issued article:published_time datepublished datecreated parsely-pub-date citation_date",
    "modified": "last-modified modified revised changedate dcterms.modified dc.date.modified article:modified_time "
    "og:updated_time datemodified",
    "og_title": "og:title dc.title dcterms.title twitter:title",
}
_FACTS = {name: fact for fact, names in _NAMES.items() for name in names.split()}


class Facts:
    """Gathered from tags; what comes first counts."""

    def __init__(self) -> None:
        self.title = ""
        self._found: dict[str, str] = {}

    def take(self, tag: Start) -> None:
        """Of <html lang> and <meta>."""
        attributes = tag.attributes
        if tag.name == "html":
            self._add("language", attributes.get("lang") or attributes.get("xml:lang") or "")
        elif tag.name == "meta":
            keys = (attributes.get(key, "").lower() for key in ("name", "property", "http-equiv", "itemprop"))
            fact = next((_FACTS[key] for key in keys if key in _FACTS), None)
            if fact:
                self._add(fact, attributes.get("content", ""))

    def all(self) -> dict[str, Any]:
        """Fields of FileText."""
        found = dict(self._found)
        title = self.title or found.pop("og_title", "")
        found.pop("og_title", None)
        return {**found, "title": title or None}

    def _add(self, fact: str, value: str) -> None:
        value = " ".join(cleaned(value).split())
        if fact in {"created", "modified"}:
            value = iso_date(value) or ""
        if fact == "author" and value.startswith(("http://", "https://")):
            return
        if fact == "language":
            value = value.replace("_", "-")
        if value:
            self._found.setdefault(fact, value)
