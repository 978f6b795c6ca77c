#!/usr/bin/env bash
# One would expect: a file whose name is not UTF-8, as a disk or an archive of another system brings it, is told as Python
# tells all names (os.fsdecode, PEP 383), or is left out.
# What happens: the first event of it ends the watch: WatchfilesRustInternalError "Unable to decode path … to string".
# What came in the same moment is lost with it, and a new watch ends with the next event of that file.
# Whom it matters to: whoever watches folders that others fill; a program has to begin anew and look at everything.
# Versions: watchfiles 1.3.0. Source: src/lib.rs (`path_buf.to_str()`). Linux. Exit code 1 when this changes.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "watchfiles==1.3.0"
cat > "$scratch/one.py" <<'PY'
import os, sys
from watchfiles import watch

folder, step = os.fsencode(sys.argv[1]), 0
try:
    for changes in watch(sys.argv[1], watch_filter=None, step=100, rust_timeout=1, yield_on_timeout=True, raise_interrupt=False):
        step += 1
        if step == 3:
            open(folder + b"/caf\xe9.txt", "w").close()
        if step == 20:
            print("told or left out")
            break
except RuntimeError as error:
    print(f"ended: {error}")
PY
mkdir "$scratch/folder"
said=$("$scratch/venv/bin/python" "$scratch/one.py" "$scratch/folder")
echo "$said"
case "$said" in ended:*) ;; *) echo "changed: the finding holds no more"; exit 1 ;; esac
