#!/usr/bin/env bash
# One would expect: with ignore_permission_denied=True a folder that is closed to the user (lost+found of a disk, another
# user's, a container's) is left out of a recursive watch, and all others are watched.
# What happens: those that a walk meets after the closed one are not watched either, and nothing says so: of 19 open
# folders and a closed one a new file in each is told of some alone. Other errors are ignored by the same word as well: a
# path that is not there, and inotify's limit (fs.inotify.max_user_watches). With False, the default, the closed folder
# ends the watch with PermissionError.
# Whom it matters to: whoever watches disks or homes. Each folder can be watched by itself (recursive=False, the folders
# from a walk of one's own); an inotify_add_watch of one's own tells the limit.
# Versions: watchfiles 1.3.0. Source: src/lib.rs (ignore_permission_denied), notify/src/inotify.rs (add_watch). Linux. As
# root it becomes another user. Exit code 1 when this changes.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "watchfiles==1.3.0"
cat > "$scratch/one.py" <<'PY'
import os, platform, sys  # platform, which watchfiles imports late: another user may not read this Python
from pathlib import Path

import anyio
from watchfiles import watch

folder, told, step = Path(sys.argv[1]), set(), 0
open_ones = [folder / f"{number:02}" for number in range(20) if number != 5]
for one in [*open_ones, folder / "05"]:
    (one / "below").mkdir(parents=True)
(folder / "05").chmod(0)
if os.getuid() == 0:
    for path in [folder, *(path for one in open_ones for path in (one, one / "below"))]:
        os.chown(path, 65534, 65534)
    os.setgid(65534)
    os.setuid(65534)
for changes in watch(folder, watch_filter=None, step=100, rust_timeout=1, yield_on_timeout=True, raise_interrupt=False,
                     ignore_permission_denied=True):
    told |= {path for _, path in changes}
    step += 1
    if step == 3:
        for one in open_ones:
            (one / "below" / "file").write_text("x")
    if step == 20:
        break
print(len(told))
PY
mkdir "$scratch/folder"
told=$("$scratch/venv/bin/python" "$scratch/one.py" "$scratch/folder")
chmod 700 "$scratch/folder/05"
echo "19 open folders and a closed one: of a new file in each of the open ones $told are told"
if [ "$told" -ge 19 ]; then
    echo "changed: the finding holds no more"
    exit 1
fi
