"""Where this user's home is, if anybody knows. In a container that runs as any number there is none (OpenShift,
`docker run -u 54321`), and what expands "~" makes a folder of that name."""

import os
import stat
import sys
from pathlib import Path


def home() -> Path | None:
    """The user's home folder; None: neither HOME nor the system's list of users has one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def user_data() -> Path | None:
    """The user's folder for what Colibri keeps for good: LOCALAPPDATA, ~/Library/Application Support, XDG_DATA_HOME or
    ~/.local/share; then /colibri. None where no home folder is known. It may not be there yet."""
    return _of_colibri(("XDG_DATA_HOME", ".local", "share"))


def user_config() -> Path | None:
    """The user's folder for what they say about Colibri: XDG_CONFIG_HOME or ~/.config, on Windows and macOS as
    `user_data`; then /colibri. None where no home folder is known. It may not be there."""
    return _of_colibri(("XDG_CONFIG_HOME", ".config"))


def _of_colibri(xdg: tuple[str, ...]) -> Path | None:
    variable, *below = {
        "win32": ("LOCALAPPDATA", "AppData", "Local"),
        "darwin": ("", "Library", "Application Support"),
    }.get(sys.platform, xdg)
    said, user = os.environ.get(variable, ""), home()
    base = Path(said) if Path(said).is_absolute() else user and user.joinpath(*below)  # XDG: a relative one is none
    return base and base / "colibri"


def why_no_home() -> str:
    """In words, for when `home` is None."""
    return f"no home folder is known: HOME is not set, and the system has no user {user_number()}"


def can_be(folder: Path) -> bool:
    """Whether a folder is there, or may be made by this user."""
    # Path.exists raises for what lies in a folder that is closed to this user.
    there = next((path for path in (folder, *folder.parents) if os.path.exists(path)), None)  # noqa: PTH110
    return there == folder or (there is not None and os.access(there, os.W_OK | os.X_OK))


def temporary_folder() -> Path:
    """Among temporary files, for this user alone, the same in each process; a new one where somebody else has taken
    the name. Raises OSError where nothing can be written at all."""
    import tempfile  # noqa: PLC0415 - 10 ms, and hardly ever needed

    own = Path(tempfile.gettempdir()) / f"colibri-{user_number()}"
    own.mkdir(mode=0o700, exist_ok=True)
    found = own.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == user_number() and not found.st_mode & 0o022:
        return own
    return Path(tempfile.mkdtemp(prefix="colibri-"))


def user_number() -> int:
    """As the system counts users; 0 on Windows, which does not."""
    return os.getuid() if hasattr(os, "getuid") else 0
