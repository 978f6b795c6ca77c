"""The words of one text that come back from every kind of file that LibreOffice writes of it, in 13 languages."""

import importlib
import shutil
import subprocess
import unicodedata
from collections import Counter
from pathlib import Path
from statistics import fmean

import pytest

from colibri.files.source import Source
from colibri.files.text import FileText
from corpus.flat_odf import written
from corpus.texts import BY_CHARACTERS, TEXTS

MADE = {
    "fodt": ("odt", "docx", "doc", "rtf", "epub", "html", "pdf"),
    "fodp": ("odp", "pptx", "ppt"),
    "fods": ("ods", "xlsx", "xls"),
}
"""Ending of what we write -> endings that LibreOffice makes of it."""

READERS = {
    "odt": "office.odf", "odp": "office.odf", "ods": "office.odf", "docx": "office.docx", "pptx": "office.pptx",
    "xlsx": "office.xlsx", "doc": "legacy", "ppt": "legacy", "xls": "legacy", "rtf": "rtf", "epub": "epub",
    "html": "html", "pdf": "pdf",
}  # fmt: skip
"""Ending -> module of colibri.files.kinds whose `read` reads it."""

OFFICE = 0.99
PDF = 0.95  # on the mean, and of each language but those
PDF_REPORTED = frozenset({"hi", "ko"})  # blanks within words, as PDFium tells them


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files LANGUAGE.ENDING."""
    folder = tmp_path_factory.mktemp("corpus")
    soffice = shutil.which("soffice")
    assert soffice is not None, "soffice is not installed; `run.py test-files` says how"
    for flat, endings in MADE.items():
        for language, text in TEXTS.items():
            (folder / f"{language}.{flat}").write_bytes(written(text, language, flat))
        for ending in endings:
            sources = [str(folder / f"{language}.{flat}") for language in TEXTS]
            profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
            words = [soffice, profile, "--headless", "--convert-to", ending, "--outdir", str(folder), *sources]
            subprocess.run(words, check=True, capture_output=True, timeout=600)
    return folder


def recall(text: str, language: str) -> float:
    wanted = Counter(_plain(word) for word in TEXTS[language].words(language))
    text = _plain(text)
    there = Counter(char for char in text if not char.isspace()) if language in BY_CHARACTERS else Counter(text.split())
    return (wanted & there).total() / wanted.total()


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def recalls(ending: str, folder: Path) -> dict[str, float]:
    """Language -> share of the words that come back, each as often as it was written. Prints them."""
    read = importlib.import_module(f"colibri.files.kinds.{READERS[ending]}").read
    found = {}
    for language in TEXTS:
        name = f"{language}.{ending}"
        content: FileText = read(Source(name=name, data=(folder / name).read_bytes()))
        found[language] = recall(content.text, language)
    shares = " ".join(f"{language} {share:.3f}" for language, share in found.items())
    print(f"{ending:4} mean {fmean(found.values()):.3f}: {shares}")  # noqa: T201
    return found


@pytest.mark.parametrize("ending", [ending for ending in READERS if ending != "pdf"])
def test_words_come_back_from_office_files(ending: str, made: Path) -> None:
    assert {name: share for name, share in recalls(ending, made).items() if share < OFFICE} == {}


def test_words_come_back_from_pdf(made: Path) -> None:
    found = recalls("pdf", made)
    assert fmean(found.values()) >= PDF
    assert {name: share for name, share in found.items() if share < PDF and name not in PDF_REPORTED} == {}
