"""The configuration file: what it says of which index, and that whatever is not understood is refused."""

from pathlib import Path

import pytest

from colibri.errors import InputError
from colibri.own import Settings, configuration_file, configured_names, settings_of
from colibri.own.configuration import trusted


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "colibri").mkdir()
    return tmp_path / "colibri" / "config.toml"


def test_without_a_file_nothing_is_configured(file: Path) -> None:
    assert configuration_file() == file
    assert settings_of("default") == settings_of("work") == Settings()
    assert configured_names() == ()
    assert trusted() == ()


def test_what_it_says_of_each_index(file: Path, tmp_path: Path) -> None:
    file.write_bytes(
        "\ufeff"  # as editors of Windows begin a file
        'roots = ["~/Documents", "/data/ärzte"]\nignore = ["*.log", "drafts/"]\nkinds = ["pdf"]\ntrusted = ["/srv"]\n\n'
        '[index.work]\nroots = ["~"]\nignore = []\n[index."my art"]\nkinds = ["source code"]\n'.encode()
    )
    home = tmp_path / "home"
    own = {"file": file, "ignore": ("*.log", "drafts/"), "kinds": ("pdf",)}
    assert settings_of("default") == Settings(roots=(home / "Documents", Path("/data/ärzte")), **own)  # type: ignore[arg-type]
    assert settings_of("work") == Settings(file=file, roots=(home,), kinds=("pdf",))
    assert settings_of("my art") == Settings(file=file, ignore=("*.log", "drafts/"), kinds=("source code",))
    assert settings_of("another") == Settings(**own)  # type: ignore[arg-type]
    assert configured_names() == ("default", "work", "my art")
    assert trusted() == (Path("/srv"),)


def test_default_may_have_a_table_of_its_own(file: Path) -> None:
    file.write_text('ignore = ["a"]\n[index.default]\nroots = ["/x"]\n')
    assert settings_of("default") == Settings(file=file, roots=(Path("/x"),), ignore=("a",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('rots = ["/x"]', "unknown key 'rots'; the nearest is 'roots'"),
        ("Roots = []", "unknown key 'Roots'; the nearest is 'roots'"),
        ("ignores = []", "unknown key 'ignores'; the nearest is 'ignore'"),
        ("[indexes.work]", "unknown key 'indexes'; the nearest is 'index'"),
        ("zzz = 1", "unknown key 'zzz'; there is roots, ignore, kinds, trusted, index"),
        ("[index.work]\nkind = []", r"\[index.work\] unknown key 'kind'; the nearest is 'kinds'"),
        ("[index.work]\ntrusted = []", r"\[index.work\] unknown key 'trusted'; there is roots, ignore, kinds"),
        ('[index]\nroots = ["/x"]', r"\[index.roots\] found \['/x'\], wanted a table"),
        ("index = 1", "index: found 1, wanted a table such as"),
        ('[index."a/b"]', r"'a/b' is no name of an index: it has '/'"),
        ('[index.".."]', "is no name of an index"),
        ('roots = "/x"', "roots: found '/x', wanted a list such as"),
        ("roots = [1]", "roots: found 1 in it, wanted texts"),
        ('roots = [""]', "roots: found '' in it, wanted texts"),
        ('roots = ["notes"]', "roots: found 'notes', wanted an absolute path"),
        ('roots = ["~me/notes"]', "roots: found '~me/notes', wanted an absolute path"),
        ('trusted = ["."]', "trusted: found '.', wanted an absolute path"),
        ("ignore = {}", "ignore: found {}, wanted a list"),
        ("roots = [", r"is no TOML: .*\(at end of document\)"),
        ('roots = []\nroots = ["/x"]', "is no TOML: "),
        ("x = " + "[" * 3000, "is no TOML: "),
    ],
)
def test_what_cannot_be_is_refused_with_the_place(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    for asked in (lambda: settings_of("another"), configured_names, trusted):
        with pytest.raises(InputError, match=said) as refused:
            asked()
        assert str(refused.value).startswith(f"{file}: ")


def test_a_file_that_cannot_be_read_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes(b"roots = ['\xff']")
    with pytest.raises(InputError, match="not UTF-8 at byte 10"):
        trusted()
    file.unlink()
    file.mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        trusted()
    monkeypatch.setattr("colibri.own.configuration.home", lambda: None)
    file.rmdir()
    file.write_text('roots = ["~/x"]')
    with pytest.raises(InputError, match="roots: '~/x': no home folder is known"):
        settings_of("default")


def test_a_variable_names_another_and_that_has_to_be_there(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLIBRI_CONFIG", "~/other.toml")
    assert configuration_file() == tmp_path / "home" / "other.toml"
    with pytest.raises(InputError, match="no such file, and COLIBRI_CONFIG names it"):
        settings_of("default")
    monkeypatch.setenv("COLIBRI_CONFIG", "")
    assert configuration_file() == file
    assert settings_of("default") == Settings()


@pytest.mark.parametrize(
    ("platform", "variables", "below"),
    [
        ("linux", {}, ".config/colibri/config.toml"),
        ("darwin", {}, "Library/Application Support/colibri/config.toml"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/colibri/config.toml"),
    ],
)
def test_folders_of_each_system(
    platform: str, variables: dict[str, str], below: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert configuration_file() == tmp_path / below


def test_without_a_home_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colibri.own.configuration.user_config", lambda: None)
    assert configuration_file() is None
    assert settings_of("default") == Settings()
