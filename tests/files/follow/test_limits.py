"""Limits of being told, and drives that others change, by what the system's files say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from colibri.files.follow import limits
from reference import ARTEFACTS
from rounds import rounds
from watcher import Watcher

_NAMESPACE = ["unshare", "-Ur", "bash", "-c"]

MOUNTS = r"""22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:25 / /mnt/share\040one rw,relatime shared:2 master:3 - cifs //server/share rw,vers=3.1.1
31 22 0:26 / /home/me/cloud rw - fuse.rclone remote: rw
32 31 0:27 / /home/me/cloud/local rw - ext4 /dev/sdb1 rw
33 22 0:28 / /mnt/c rw - 9p drvfs rw
34 22 0:29 / /media/usb rw - fuseblk /dev/sdc1 rw
35 22 0:30 / /media/stacked rw - ext4 /dev/sdd1 rw
36 22 0:31 / /media/stacked rw - nfs4 server:/export rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/notes", ""),
        ("/mnt/share one", "cifs"),
        ("/mnt/share one/deep/er", "cifs"),
        ("/mnt/share", ""),
        ("/home/me/cloud/a", "fuse.rclone"),
        ("/home/me/cloud/local/a", ""),
        ("/mnt/c/Users/me", "9p"),
        ("/media/usb/notes", ""),
        ("/media/stacked", "nfs4"),
        ("/", ""),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_drives_that_others_change_are_known_by_their_kind(path: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS, encoding="utf-8")
    assert limits.remote(path, tmp_path / "mountinfo") == kind


def test_without_a_list_of_mounts_nothing_is_remote(tmp_path: Path) -> None:
    assert limits.remote(str(tmp_path), tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("OS file watch limit reached. about [...]"), "fs.inotify.max_user_watches"),
        (OSError(28, "No space left on device (os error 28)"), "fs.inotify.max_user_watches"),
        (RuntimeError("Error creating recommended watcher: Too many open files (os error 24)"), "max_user_instances"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
    ],
)
def test_an_error_says_which_limit_and_what_to_do(error: Exception, said: str) -> None:
    found = limits.explained(error)
    assert said in found
    assert limits.is_reached(found) == ("fs.inotify" in said or "max_user" in said)


def _why_not() -> str:
    if sys.platform != "linux" or not shutil.which("unshare"):
        return "no unshare here"
    done = subprocess.run(
        [*_NAMESPACE, "echo 5 > /proc/sys/user/max_inotify_watches"], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else f"no limits of its own here: {done.stderr.strip()}"


@pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "-")
@pytest.mark.parametrize("later", rounds(quick=[True], soak=[False, True]))
def test_a_limit_is_said_with_its_number_and_all_is_looked_at_instead(later: bool, tmp_path: Path) -> None:
    """At the start, and with folders that come later, of which watchfiles says nothing (findings/)."""
    pytest.importorskip("watchfiles", reason="the extra [desktop] is not installed")
    root = tmp_path / "root"
    root.mkdir()
    (root / "first.txt").write_text("The first text.", encoding="utf-8")

    def folders() -> None:
        for i in range(30):
            (root / str(i)).mkdir()
            (root / str(i) / "a.txt").write_text(f"Text {i}.", encoding="utf-8")

    if not later:
        folders()
    before = [*_NAMESPACE, 'echo 20 > /proc/sys/user/max_inotify_watches; exec "$@"', "-"]
    model = ("--model", str(ARTEFACTS / "tiny-random-bert"))
    with Watcher(tmp_path / "index", root, *model, before=before) as watcher:
        if later:
            watcher.until(lambda line: line["event"] == "watching")
            folders()
        found = watcher.until(lambda line: bool(line.get("note")))
        assert found["event"] == "not watching"
        assert "all 20 folders that may be watched are (fs.inotify.max_user_watches)" in found["note"]
        assert "is looked at every 15 minutes" in found["note"]
        while sum(line.get("indexed", 0) for line in watcher.said) < 31:
            watcher.looked()
        assert watcher.end() == 143
