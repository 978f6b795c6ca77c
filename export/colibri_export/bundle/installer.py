"""python3 install.py FOLDER: compare every file with SHA256SUMS, then make a virtual environment of it there."""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import venv

here, target = pathlib.Path(__file__).resolve().parent, pathlib.Path(*sys.argv[1:2] or sys.exit(__doc__)).absolute()
found = {path.relative_to(here).as_posix(): path for path in here.rglob("*") if path.is_symlink() or not path.is_dir()}
plain = {name: path for name, path in found.items() if path.is_file() and not path.is_symlink()}
sums = plain.pop("SHA256SUMS").read_text("utf-8", "replace") if "SHA256SUMS" in plain else ""
listed = dict(line.partition("  ")[::-2] for line in sums.splitlines())  # name: hash
other = {name for name, path in plain.items() if listed.get(name) != hashlib.sha256(path.read_bytes()).hexdigest()}
if changed := sorted(other | ({"SHA256SUMS", *listed} ^ found.keys()) | (listed.keys() - plain.keys())):
    sys.exit(f"nothing is installed: missing, changed or not listed in SHA256SUMS: {', '.join(changed)}")
if (running := "{}.{}".format(*sys.version_info)) != (wanted := (here / "PYTHON").read_text().strip()):
    sys.exit(f"nothing is installed: this bundle is for Python {wanted}, and this is {running}")
venv.create(target, with_pip=True)
# -I: packages of the current folder or of PYTHONPATH would be taken for installed ones, or be run.
python = [str(target / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")), "-I"]
pip = [*python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--require-hashes"]
subprocess.run([*pip, "--find-links", str(here / "wheels"), "-r", str(here / "requirements.txt")], check=True)
package = subprocess.check_output([*python, "-c", "import colibri; print(colibri.__path__[0])"], text=True).strip()
for name in sorted({name.split("/")[1] for name in listed if name.startswith("artefacts/")}):
    shutil.copytree(here / "artefacts" / name, pathlib.Path(package, "artefacts", name), dirs_exist_ok=True)
    subprocess.run([*python, "-m", "colibri", "verify", name], check=True)
print(f"installed: {pathlib.Path(python[0]).parent / 'colibri'}")
