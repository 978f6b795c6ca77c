"""A framework that is not here, or older or newer than what was tried, is an error at import that says so."""

import re
import tomllib
from pathlib import Path

import pytest

from colibri.compat.versions import require
from colibri.errors import MissingExtra

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A distribution called frame, 1.4.2."""
    info = tmp_path / "frame-1.4.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: frame\nVersion: 1.4.2\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "frame"


@pytest.mark.parametrize(
    ("least", "below"), [("1.4.2", "2"), ("0.9", "1.4.3"), ("1.4", "1.5"), ("1", "1.10"), ("1.4.2.0", "1.5.0")]
)
def test_what_lies_between_is_taken(least: str, below: str, installed: str) -> None:
    require("colibri.compat.x", installed, least, below, "langchain")


@pytest.mark.parametrize(
    ("least", "below"), [("1.4.3", "2"), ("1.10", "2"), ("0.9", "1.4.2"), ("0.9", "1"), ("2", "3")]
)
def test_what_does_not_is_named(least: str, below: str, installed: str) -> None:
    said = rf"colibri.compat.x: found frame 1.4.2, wanted frame>={least},<{below} \(colibri-edge\[langchain\]\): .*pip"
    with pytest.raises(MissingExtra, match=said) as raised:
        require("colibri.compat.x", installed, least, below, "langchain")
    assert isinstance(raised.value, ImportError)


def test_what_is_not_here_is_named() -> None:
    with pytest.raises(MissingExtra, match=r"colibri.compat.x needs no-such-frame>=1,<2 \(colibri-edge\[langchain\]\)"):
        require("colibri.compat.x", "no-such-frame", "1", "2", "langchain")


_CALL = re.compile(r'require\(\s*(?:__name__|"[\w.]+"),\s*"([^"]+)",\s*"([^"]+)",\s*"([^"]+)",\s*"([^"]+)"\s*,?\s*\)')


def test_bounds_are_those_of_the_extras() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    folder = ROOT / "runtime" / "colibri" / "compat"
    calls = [call for path in folder.rglob("*.py") for call in _CALL.findall(path.read_text(encoding="utf-8"))]
    for distribution, least, below, extra in calls:
        assert f"{distribution}>={least},<{below}" in extras[extra]
