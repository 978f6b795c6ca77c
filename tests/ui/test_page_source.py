"""The page's own files: small, without a build step or a foreign host, and text only ever as text."""

import gzip
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

import colibri

PAGE = Path(colibri.__file__).parent / "ui" / "page"
FILES = sorted(path for path in PAGE.iterdir() if path.is_file())
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
WORDS = {path.name: path.read_text(encoding="utf-8") for path in FILES}


class Elements(HTMLParser):
    """What stands in index.html: (tag, attributes) of each element, and the text within scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.inline: list[str] = []
        self.feed(WORDS["index.html"])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] in {"script", "style"} and data.strip():
            self.inline.append(data)


INDEX = Elements()
IDS = [attributes["id"] for _, attributes in INDEX.found if "id" in attributes]


def test_it_weighs_less_than_60_kb_compressed_each_file_for_itself() -> None:
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in FILES) <= 60_000


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    assert INDEX.inline == []
    for tag, attributes in INDEX.found:
        assert tag not in {"style", "base", "iframe", "object", "embed"}
        assert "style" not in attributes, attributes
        assert not any(name.startswith("on") for name in attributes), attributes
        for name in ("src", "href", "action", "srcset", "poster"):
            target = attributes.get(name)
            assert target is None or target.startswith("#") or (PAGE / target).is_file(), (tag, target)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_address_of_another_host_stands_in_it(path: Path) -> None:
    words = WORDS[path.name].replace("http://www.w3.org/2000/svg", "")  # the name of SVG's namespace, never asked for
    assert not re.search(r"https?://|wss?://|url\(\s*['\"]?//|@import", words)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_text_becomes_markup_and_no_text_becomes_code(path: Path) -> None:
    markup = r"\b(innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|setHTML\w*|parseFromString|srcdoc)\b"
    code = r"\beval\s*\(|\bnew\s+Function\b|\bdocument\s*\.\s*write|\bimport\s*\(|javascript:"
    later = r"set(Timeout|Interval)\(\s*['\"`]"
    style = r"\.style\b|cssText|['\"]style['\"]"
    kept = r"document\s*\.\s*cookie|indexedDB"
    assert not re.search("|".join([markup, code, later, style, kept]), WORDS[path.name])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_what_a_module_imports_is_there_and_handed_out(path: Path) -> None:
    for names, source in re.findall(r"^import \{([^}]*)\} from \"\./([\w.]+)\";$", WORDS[path.name], re.MULTILINE):
        for name in filter(None, (one.strip() for one in names.split(","))):
            assert re.search(rf"^export (async )?(function|class|const|let) {name}\b", WORDS[source], re.MULTILINE), (
                name
            )
    assert len(re.findall(r"^import\b", WORDS[path.name], re.MULTILINE)) == len(
        re.findall(r"^import \{[^}]*\} from \"\./[\w.]+\";$", WORDS[path.name], re.MULTILINE)
    )


def test_every_file_is_asked_for_by_the_page() -> None:
    wanted = {attributes.get("src") or attributes.get("href") for _, attributes in INDEX.found} - {None}
    fresh = set(wanted)
    while fresh:
        found = {one for name in fresh if name in WORDS for one in re.findall(r"from \"\./([\w.]+)\"", WORDS[name])}
        fresh = found - wanted
        wanted |= found
    assert {path.name for path in FILES} - {"index.html"} == {name for name in wanted if not str(name).startswith("#")}


def test_ids_are_single_and_what_refers_to_one_finds_it() -> None:
    assert len(IDS) == len(set(IDS))
    for _, attributes in INDEX.found:
        for name in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
            for target in attributes.get(name, "").split():
                assert target in IDS or target in {"folders-title", "passed-title"}, (name, target)  # made by scripts
    made = set(re.findall(r"id: [\"`]([\w-]+)", "".join(WORDS[path.name] for path in SCRIPTS)))
    for path in SCRIPTS:
        for target in re.findall(r"\bat\(\"([\w-]+)\"\)", WORDS[path.name]):
            assert target in IDS or target in made, (path.name, target)


def test_the_page_says_its_language_and_lets_people_zoom() -> None:
    (language,) = [attributes["lang"] for tag, attributes in INDEX.found if tag == "html"]
    (viewport,) = [attributes["content"] for _, attributes in INDEX.found if attributes.get("name") == "viewport"]
    assert language == "en"
    assert "maximum-scale" not in viewport
    assert "user-scalable" not in viewport


def themes() -> dict[str, dict[str, str]]:
    """Variables of colours.css under each of its selectors, dark ones over the light ones that they leave."""
    words = re.sub(r"/\*.*?\*/", "", WORDS["colours.css"], flags=re.DOTALL)
    blocks = {
        selector: dict(re.findall(r"(--[\w-]+):\s*([^;]+);", body))
        for selector, body in re.findall(r"(:root[^{]*)\{([^}]*)\}", words)
    }
    return {selector.strip(): blocks[":root "] | own for selector, own in blocks.items()}


THEMES = themes()


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_each_step_of_the_heat_is_read_and_differs_from_the_one_before(theme: str) -> None:
    colours = THEMES[theme]
    for step in range(1, 6):
        assert contrast(colours[f"--heat-{step}"], colours[f"--heat-ink-{step}"]) >= 4.5
    far = [contrast(colours[f"--heat-{step}"], colours["--raised"]) for step in range(1, 6)]
    assert far == sorted(far)
    assert all(after / before > 1.1 for before, after in pairwise(far))


@pytest.mark.parametrize("theme", THEMES)
def test_plain_text_quiet_text_and_borders_of_controls_are_seen(theme: str) -> None:
    colours = THEMES[theme]
    for ground in ("--ground", "--raised", "--sunk"):
        assert contrast(colours["--ink-plain"], colours[ground]) >= 7
        assert contrast(colours["--ink-quiet"], colours[ground]) >= 4.5
        assert contrast(colours["--edge-strong"], colours[ground]) >= 3
        assert contrast(colours["--focus"], colours[ground]) >= 3
        assert contrast(colours["--accent"], colours[ground]) >= 4.5
    assert contrast(colours["--accent"], colours["--accent-ink"]) >= 4.5
    assert contrast(colours["--warn"], colours["--warn-ink"]) >= 4.5


def test_both_ways_to_the_dark_are_the_same() -> None:
    chosen, system = THEMES[':root[data-theme="dark"]'], THEMES[':root:not([data-theme="light"])']
    assert chosen == system
