"""Encodings: how many samples of text each rule reads rightly, by pair of encoding and language.

    python3 run.py bench encodings [DIR] [--samples 10]

DIR holds texts in UTF-8: DIR/LANGUAGE.txt or DIR/LANGUAGE/*.txt, by the codes in tests/files/kinds/sentences.py, whose
sentences are shuffled where no DIR is given. Compared are ours, chardet and charset-normalizer alone (where installed),
and the rule "strict UTF-8, else Windows-1252". Right is who returns the text that was encoded: 200 or 5,000 characters
of prose, or source code with two comments of 40 and 20.
"""

import random
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import click

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from colibri.files.kinds.encodings import decode
from colibri.files.text import Unreadable
from files.kinds.sentences import PAIRS, commented, encoded, sample

Rule = Callable[[bytes], str]
_FORMS = {"200": (200, 1.0), "5,000": (5_000, 0.3), "code": (200, 1.0)}  # -> characters, share of the samples


def _ours(data: bytes) -> str:
    try:
        return decode(data).text
    except Unreadable:
        return ""


def _utf8_else_cp1252(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _rules() -> dict[str, Rule]:
    rules: dict[str, Rule] = {"ours": _ours}
    try:
        import chardet  # noqa: PLC0415

        def by_chardet(data: bytes) -> str:
            return data.decode(chardet.detect(data)["encoding"] or "cp1252", "replace")

        rules["chardet"] = by_chardet
    except ImportError:
        click.echo("chardet is not installed: no column for it", err=True)
    try:
        import charset_normalizer  # noqa: PLC0415

        rules["charset-normalizer"] = lambda data: str(charset_normalizer.from_bytes(data).best() or "")
    except ImportError:
        click.echo("charset-normalizer is not installed: no column for it", err=True)
    return {**rules, "UTF-8 or cp1252": _utf8_else_cp1252}


def _from_folder(folder: Path, language: str, characters: int, seed: int) -> str | None:
    """A sample that begins at a paragraph of chance; None where there is no such language."""
    files = sorted([*folder.glob(f"{language}.txt"), *folder.glob(f"{language}/**/*.txt")])
    if not files:
        return None
    chances = random.Random(f"{language} {characters} {seed}")
    text = ""
    while len(text) < characters:
        lines = chances.choice(files).read_text(encoding="utf-8").split("\n")
        start = chances.randrange(len(lines))
        text += "\n".join(lines[start : start + 200]) + "\n"
    return text[:characters]


def _encoded(text: str, encoding: str) -> tuple[str, bytes]:
    """As in the tests; of a text of others what the encoding lacks is left out."""
    try:
        return encoded(text, encoding)
    except UnicodeEncodeError:
        data = text.encode(encoding, "ignore")
        return data.decode(encoding), data


def _same(one: str, other: str) -> bool:
    first, second = (unicodedata.normalize("NFC", text.removeprefix("\ufeff")) for text in (one, other))
    return first == second


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--samples", type=click.IntRange(min=4), default=10, show_default=True, help="Of 200 characters, a pair.")
def main(folder: Path | None, samples: int) -> None:
    """Compare rules for encodings on texts in FOLDER."""
    rules = _rules()
    seconds = dict.fromkeys(rules, 0.0)
    table: dict[tuple[str, str, str], dict[str, float]] = {}
    count_all = 0
    for encoding, language in PAIRS:
        for form, (characters, share) in _FORMS.items():
            count = max(1, round(samples * share))
            right = dict.fromkeys(rules, 0)
            for seed in range(count):
                own = sample(language, characters, seed)
                text = _from_folder(folder, language, characters, seed) if folder else own
                if text is None:
                    break
                wanted, data = _encoded(commented(text) if form == "code" else text, encoding)
                for name, rule in rules.items():
                    begun = time.perf_counter()
                    found = rule(data)
                    seconds[name] += time.perf_counter() - begun
                    right[name] += _same(found, wanted)
            else:
                table[encoding, language, form] = {name: right[name] / count for name in rules}
                count_all += count
    _print(table, list(rules))
    click.echo("| ms a sample | | | " + " | ".join(f"{seconds[name] / count_all * 1000:.1f}" for name in rules) + " |")


def _print(table: dict[tuple[str, str, str], dict[str, float]], names: list[str]) -> None:
    click.echo("| encoding | language | text | " + " | ".join(names) + " |")
    click.echo("|---|---|---|" + "---|" * len(names))
    for (encoding, language, form), shares in table.items():
        figures = " | ".join(f"{shares[name]:.2f}" for name in names)
        click.echo(f"| {encoding} | {language} | {form} | {figures} |")
    for form in _FORMS:
        rows = [shares for (_, _, of), shares in table.items() if of == form]
        if rows:
            figures = " | ".join(f"{sum(row[name] for row in rows) / len(rows):.3f}" for name in names)
            click.echo(f"| mean of {len(rows)} | | {form} | {figures} |")


if __name__ == "__main__":
    main()
