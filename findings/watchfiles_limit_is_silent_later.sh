#!/usr/bin/env bash
# One would expect: where the system lets no more folders be watched (fs.inotify.max_user_watches, ENOSPC), watchfiles
# says so whenever that happens. At the start it does: OSError "OS file watch limit reached".
# What happens: of folders that come while it runs those beyond the limit are not watched, and nothing says so: no
# exception, no log. 99 folders come under a limit of 20, then a file in each: 19 files are told.
# Whom it matters to: whoever watches large trees that grow (a checkout, node_modules, an archive that is unpacked). One
# can ask oneself: inotify_add_watch of one folder more fails with ENOSPC then.
# Versions: watchfiles 1.3.0. Source: src/lib.rs, notify/src/inotify.rs (handle_inotify). Linux; the limit is lowered in a
# user namespace of its own (`unshare -Ur`). Exit code 1 when this changes.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "watchfiles==1.3.0"
cat > "$scratch/one.py" <<'PY'
import sys
from pathlib import Path
from watchfiles import watch

folder, told, step = Path(sys.argv[1]), set(), 0
for changes in watch(folder, watch_filter=None, step=100, rust_timeout=1, yield_on_timeout=True, raise_interrupt=False):
    told |= {path for _, path in changes if path.endswith("file")}
    step += 1
    if step == 3:
        for number in range(99):
            (folder / str(number)).mkdir()
    if step == 20:
        for number in range(99):
            (folder / str(number) / "file").write_text("x")
    if step == 40:
        break
print(len(told))
PY
mkdir "$scratch/folder"
told=$(unshare -Ur bash -c 'echo 20 > /proc/sys/user/max_inotify_watches; "$0" "$1" "$2"' "$scratch/venv/bin/python" "$scratch/one.py" "$scratch/folder")
echo "99 folders came, 20 may be watched: of a file in each $told are told, without a word of the others"
if [ "$told" -ge 99 ]; then
    echo "changed: the finding holds no more"
    exit 1
fi
