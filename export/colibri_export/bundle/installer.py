"""python3 install.py FOLDER: compare every file with SHA256SUMS, then make a virtual environment of it there."""

import hashlib
import pathlib
import shutil
import subprocess
import sys
import venv

here, target = pathlib.Path(__file__).resolve().parent, pathlib.Path(*sys.argv[1:2] or sys.exit(__doc__)).absolute()
listed = dict(line.split("  ", 1)[::-1] for line in (here / "SHA256SUMS").read_text("utf-8").splitlines())
found = {path.relative_to(here).as_posix(): path for path in here.rglob("*") if path.is_file()}
found.pop("SHA256SUMS")
other = {name for name, path in found.items() if listed.get(name) != hashlib.sha256(path.read_bytes()).hexdigest()}
if changed := sorted(other | (listed.keys() - found.keys())):
    sys.exit(f"nothing is installed: missing, changed or not listed in SHA256SUMS: {', '.join(changed)}")
if (running := "{}.{}".format(*sys.version_info)) != (wanted := (here / "PYTHON").read_text().strip()):
    sys.exit(f"nothing is installed: this bundle is for Python {wanted}, and this is {running}")
venv.create(target, with_pip=True)
python = target / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--require-hashes"]
subprocess.run([*pip, "--find-links", str(here / "wheels"), "-r", str(here / "requirements.txt")], check=True)
package = subprocess.check_output([python, "-c", "import colibri; print(colibri.__path__[0])"], text=True).strip()
shutil.copytree(here / "artefacts", pathlib.Path(package, "artefacts"), dirs_exist_ok=True)
for name in sorted(path.name for path in (here / "artefacts").iterdir()):
    subprocess.run([python, "-m", "colibri", "verify", name], check=True)
print(f"installed: {python.parent / 'colibri'}")
