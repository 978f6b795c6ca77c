"""Calendars (.ics) and address cards (.vcf): each event, task, note and contact a document.

Left: alarms, time zones, free and busy times, pictures, sounds and keys.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from colibri.files.kinds.cards import Component, Property, components, listed
from colibri.files.kinds.decoded import without_tags
from colibri.files.source import Source
from colibri.files.text import Builder, FileText, Part, Passed, Unreadable

_NAMES = {"vevent": "event", "vtodo": "task", "vjournal": "note", "vcard": "contact"}
_KINDS = {name.upper(): kind for name, kind in _NAMES.items()}
_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):?(\d\d):?(\d\d)?(?:\.\d+)?(Z?|[+-]\d\d:?\d\d))?")
_DURATION = re.compile(r"\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_MARKUP = re.compile(r"<(?:br|p|div|html|ul|ol|a|b|i|span)(?:\s[^<>]*)?/?>", re.IGNORECASE)


def entries(source: Source) -> Iterator[Part | Passed]:
    """Documents of a calendar or of cards, by their UID, else by their line. Of one UID the last stays.

    Raises Unreadable where there is neither.
    """
    found, any_known = list[Component](), False
    for part in components(source.data):
        any_known = any_known or part.kind in {*_KINDS, "VCALENDAR"}
        if part.kind in _KINDS:
            found.append(part)
    if not any_known:
        raise Unreadable("is no calendar and no address card: no BEGIN")
    found.sort(key=lambda part: part.line)
    last = {_name(part): part.line for part in found}
    for part in found:
        name = _name(part)
        if last[name] != part.line:
            yield Passed(
                name=f"line {part.line}", why=f"its UID {name!r} stands again in line {last[name]}, which is kept"
            )
            continue
        kind = _KINDS[part.kind]
        content, fields = _contact(part) if kind == "contact" else _event(part)
        if content.text.strip():
            yield Part(name=name, content=content, fields={"kind": kind, **fields}, line=part.line)
        else:
            yield Passed(name=f"line {part.line}", why=f"{kind} without text")


def _name(part: Component) -> str:
    """An event of a series that was moved has the UID of the series, and says which it is."""
    uid, moved = part.text("UID")[:1_000], part.text("RECURRENCE-ID")
    return f"{uid}/{moved}" if uid and moved else uid or str(part.line)


def _event(part: Component) -> tuple[FileText, dict[str, Any]]:
    builder = Builder()
    title = part.text("SUMMARY")
    start, end = _span(part)
    builder.line(title)
    builder.line(" – ".join(shown for shown in (_shown(start), _shown(end)) if shown))
    builder.line(part.text("LOCATION"))
    for name in ("ORGANIZER", "ATTENDEE", "CONTACT"):
        builder.line(", ".join(_person(one) for one in part.all(name)))
    builder.line(", ".join(word for one in part.all("CATEGORIES", "RESOURCES") for word in listed(one.value, ",")))
    builder.line(", ".join(one.value.strip() for one in part.all("URL")))
    described = [one.text for one in part.all("DESCRIPTION")] or [one.text for one in part.all("X-ALT-DESC")]
    for text in [*described, *(one.text for one in part.all("COMMENT"))]:
        builder.block(without_tags(text) if _MARKUP.search(text) else text)
    fields = {"start": start, "end": end, "location": part.text("LOCATION"), "rule": part.text("RRULE")}
    organizers = [_person(one) for one in part.all("ORGANIZER")]
    content = _done(
        part, builder, title, next(iter(organizers), None), part.text("CREATED"), part.text("LAST-MODIFIED")
    )
    return content, {name: value for name, value in fields.items() if value}


def _contact(part: Component) -> tuple[FileText, dict[str, Any]]:
    builder = Builder()
    names = [listed(one.value, ";") for one in part.all("N")]
    # Family; given; more; before; after: said as people say it.
    said = [name[place] for name in names[:1] for place in (3, 1, 2, 0, 4) if place < len(name)]
    full = " ".join(" ".join(said).split())
    title = part.text("FN") or full
    builder.line(title)
    if set(full.split()) - set(title.split()):
        builder.line(full)
    for name in ("NICKNAME", "TITLE", "ROLE"):
        builder.line(", ".join(one.text.strip() for one in part.all(name)))
    for one in part.all("ORG"):
        builder.line(", ".join(filter(None, listed(one.value, ";"))))
    for name in ("EMAIL", "TEL", "IMPP", "URL"):
        for one in part.all(name):
            builder.line(re.sub(r"^(?:mailto|tel):", "", one.text.strip()))
    for one in part.all("ADR"):
        builder.line(", ".join(" ".join(word.split()) for word in listed(one.value, ";") if word))
    for one in part.all("BDAY", "ANNIVERSARY"):
        builder.line(_shown(_iso(one)) or one.text)
    builder.line(", ".join(word for one in part.all("CATEGORIES") for word in listed(one.value, ",")))
    for one in part.all("NOTE", "RELATED"):
        builder.block(one.text if "URI" not in one.parameters.get("VALUE", "").upper() else "")
    fields = {"email": [one.text for one in part.all("EMAIL")], "phone": [one.text for one in part.all("TEL")]}
    content = _done(part, builder, title, None, "", part.text("REV"))
    return content, {name: value for name, value in fields.items() if value}


def _done(part: Component, builder: Builder, title: str, author: str | None, created: str, modified: str) -> FileText:
    if not part.ended:
        builder.remark(f"the {_KINDS[part.kind]} of line {part.line} does not end")
    return builder.done(title=title or None, author=author, created=_moment(created), modified=_moment(modified))


def _person(one: Property) -> str:
    """Their name and address."""
    address = re.sub(r"^mailto:", "", one.text.strip(), flags=re.IGNORECASE)
    name = one.parameters.get("CN", "").strip()
    return f"{name} <{address}>" if name and name != address else address


def _span(part: Component) -> tuple[str, str]:
    """When an event begins and ends, as ISO 8601 with the zone behind it. Of whole days the last one is the end."""
    start = next((_iso(one) for one in part.all("DTSTART")), "")
    ends = part.all("DTEND", "DUE")
    end = next((_iso(one) for one in ends), "")
    if not end and start and (length := _length(part.text("DURATION"))):
        end = _later(start, length)
    if len(end) == 10 and ends and ends[0].name == "DTEND":
        end = _later(end, timedelta(days=-1))
    return start, "" if end == start else end


def _length(text: str) -> timedelta | None:
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        return None
    weeks, days, hours, minutes, seconds = (min(int(part or 0), 1_000_000) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _later(moment: str, by: timedelta) -> str:
    stamp, _, zone = moment.partition(" ")
    read: Callable[[str], date] = date.fromisoformat if len(stamp) == 10 else datetime.fromisoformat
    try:
        return " ".join(filter(None, ((read(stamp) + by).isoformat(), zone)))
    except (ValueError, OverflowError):
        return ""


def _iso(one: Property) -> str:
    """A date, or a time with the zone that it is given in behind it."""
    found = _moment(one.value)
    zone = one.parameters.get("TZID", "")
    return f"{found} {zone}".strip() if found and len(found) == 19 else found or ""


def _moment(text: str) -> str | None:
    found = _DATE.match(text.strip())
    if found is None:
        return None
    day = f"{found[1]}-{found[2]}-{found[3]}"
    zone = (found[7] or "").replace("Z", "+00:00")
    return f"{day}T{found[4]}:{found[5]}:{found[6] or '00'}{zone}" if found[4] else day


def _shown(moment: str) -> str:
    """A moment as people write it."""
    return re.sub(r"T(\d\d:\d\d)(?::00)?", r" \1", moment).replace("+00:00", " UTC")
