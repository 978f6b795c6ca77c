"""Subtitles (SubRip, WebVTT, SubStation Alpha): what is said, with the time that it is said at as its place.

Left: numbers and names of cues, settings, styles, notes, drawings, comments.
"""

import html
import re
from collections.abc import Iterator

from colibri.files.kinds.decoded import decoded
from colibri.files.source import Source
from colibri.files.text import Builder, FileText

_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,:]\d{1,3})?"
_TIMES = re.compile(rf"[ \t]*{_CLOCK}[ \t]*-->[ \t]*(?:\d{{1,3}}:)?\d{{1,2}}:\d{{1,2}}")
_VOICE = re.compile(r"<v(?:\.[^ \t>]*)?[ \t]+([^<>]*)>")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<\d[\d:.]*>|</?>|\{\\[^{}]*\}")
_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)\b")
_EVENT = re.compile(r"Dialogue:[ \t]*", re.IGNORECASE)
_FIELDS = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]


def read(source: Source) -> FileText:
    """What is said in a file of subtitles, a line each, the times as "00:12:04"."""
    lines = decoded(source.data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    builder = Builder()
    if any(_EVENT.match(line) for line in lines):
        title, language, cues = _said_in(lines, "title:"), "", _events(lines)
    else:
        web = lines[0].startswith("WEBVTT")
        title = lines[0].removeprefix("WEBVTT").strip(" \t-") if web else ""
        language = _said_in(lines[: lines.index("")] if web and "" in lines else [], "language:")
        cues = _without_repeats(_cues(lines)) if web else _cues(lines)
    for time, said in cues:
        builder.place(time)
        for line in said:
            builder.line(line)
    return builder.done(title=title or None, language=language or None)


def _cues(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The time and the lines of each cue; a line above a time that follows an empty one is its number or name."""
    time, said = "", list[str]()
    for number, line in enumerate(lines):
        if found := _TIMES.match(line):
            above = lines[number - 1].strip() if number else ""
            if said and above and said[-1] == above and (above.isdigit() or not lines[number - 2].strip()):
                said.pop()
            if time:
                yield time, _shown(said)
            time, said = _label(found), []
        elif time:
            said.append(line.strip())
    if time:
        yield time, _shown(said)


def _shown(said: list[str]) -> list[str]:
    """Lines of a cue as text."""
    shown = []
    for number, line in enumerate(said):
        if _BLOCK.match(line) and number and not said[number - 1]:
            break
        shown.append(" ".join(html.unescape(_TAG.sub("", _VOICE.sub(r"\1: ", line))).split()))
    return [line for line in shown if line]


def _without_repeats(cues: Iterator[tuple[str, list[str]]]) -> Iterator[tuple[str, list[str]]]:
    """Cues without the lines that are only still to be seen: machines that listen write each line in two or three."""
    before: list[str] = []
    for time, said in cues:
        yield time, [line for line in said if line not in before]
        before = said


def _events(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Dialogues of SubStation Alpha, whose fields the line "Format:" of their section names."""
    fields = _FIELDS
    in_events = True
    for line in lines:
        if line.startswith("["):
            in_events = line.strip().lower() == "[events]"
        elif in_events and line.lower().startswith("format:"):
            fields = [name.strip().lower() for name in line[7:].split(",")]
        elif found := _EVENT.match(line):
            event = dict(zip(fields, line[found.end() :].split(",", len(fields) - 1), strict=False))
            clock = re.match(_CLOCK, event.get("start", "").strip())
            # A text with \p1 in its braces is a drawing.
            text = event.get("text", "")
            if not re.search(r"\{[^{}]*\\p[1-9]", text):
                said = re.split(r"\\[Nn]", re.sub(r"\{[^{}]*\}", "", text).replace("\\h", " "))
                yield _label(clock) if clock else "", [" ".join(part.split()) for part in said]


def _label(found: re.Match[str]) -> str:
    return f"{int(found[1] or 0):02}:{int(found[2]):02}:{int(found[3]):02}"


def _said_in(lines: list[str], name: str) -> str:
    return next((line[len(name) :].strip() for line in lines if line.lower().startswith(name)), "")
