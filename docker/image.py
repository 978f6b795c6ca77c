"""Build docker/cpu.Dockerfile for real, and run what it makes: `python3 run.py test-image`.

    python docker/image.py [--gpu] [--base FOLDER] [--keep]

Needs root, buildah and debootstrap (Debian's packages). No registry is asked: debootstrap makes a Debian with Python,
which gets the name that FROM asks for; its Python may be another one than that image's. Then what the image holds is
looked at, and it is started as its USER on a root that nobody may write to: it has to be healthy, answer a request that
has a key, and end by SIGTERM with 0; then again with weights that were packed into its volume, which it has to map.
Starts are timed. Where one of these is not there, docker/prove.py runs the image's steps in a folder, and says so.

--gpu does the same with docker/gpu.Dockerfile, which brings some GB of CUDA's packages; where the machine has no GPU
it has to serve from the CPU. Packed weights are not its own.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asking import answered, free_port, until_ready

ROOT = Path(__file__).resolve().parents[1]
IMAGE = "localhost/colibri-test-image"
MEGABYTES = 260  # /opt/colibri of the CPU image; 526 before numba, the hub's client and pip left it
PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates"
STARTS = 5


def main() -> int:
    """All of it; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gpu", action="store_true", help="docker/gpu.Dockerfile in place of cpu.Dockerfile")
    parser.add_argument("--base", type=Path, help="a root filesystem that debootstrap made before")
    parser.add_argument("--keep", action="store_true", help="leave the image and its base in buildah's storage")
    asked = parser.parse_args()
    lacks = [name for name in ("buildah", "debootstrap", "unshare") if shutil.which(name) is None]
    lacks += [] if os.getuid() == 0 else ["root"]
    if lacks:
        print(f"no {', '.join(lacks)} here: the image is not built, its steps run in a folder (docker/prove.py)")
        return subprocess.run([sys.executable, str(ROOT / "docker" / "prove.py")], check=False).returncode
    made, file = [IMAGE], f"docker/{'gpu' if asked.gpu else 'cpu'}.Dockerfile"
    try:
        made += [name for name in bases(file) if made_base(name, asked.base)]
        started = time.perf_counter()
        build(file)
        print(f"built in {time.perf_counter() - started:.0f} s")
        with mounted() as root:
            look(root, None if asked.gpu else MEGABYTES)
            facts = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
            serve(root, facts, (False,) if asked.gpu else (False, True))
    finally:
        if not asked.keep:
            # The base has a name that is another's: left behind, it would be taken for that one.
            subprocess.run(["buildah", "rmi", "--force", *made], check=False, capture_output=True)
    return 0


def buildah(*words: str) -> str:
    """What it says on stdout. Raises CalledProcessError, its stderr seen."""
    return subprocess.run(["buildah", *words], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def bases(file: str) -> set[str]:
    """What a Dockerfile's FROM lines ask for, as a registry would call it."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return {f"docker.io/library/{line.split()[1]}" for line in lines if line.startswith("FROM ")}


def made_base(name: str, root: Path | None) -> bool:
    """A Debian with Python under that name; False where storage has an image of that name already."""
    if (
        subprocess.run(["buildah", "inspect", "--type", "image", name], check=False, capture_output=True).returncode
        == 0
    ):
        return False
    with tempfile.TemporaryDirectory() as made:
        if root is None:
            root = Path(made) / "root"
            suite = name.rpartition("-")[2]
            words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(root)]
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        container = buildah("from", "scratch")
        try:
            copied = Path(buildah("mount", container))
            subprocess.run(["cp", "-a", f"{root}/.", str(copied)], check=True)
            buildah("config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", container)
            buildah("commit", "--quiet", container, name)
        finally:
            buildah("rm", container)
    print(f"{name}: a Debian by debootstrap, with its own Python")
    return True


def build(file: str) -> None:
    """A Dockerfile's image, without a registry. pip finds its index and its certificates as pip here does."""
    with tempfile.TemporaryDirectory() as made:
        settings = Path(made) / "pip.conf"
        settings.write_text(pip_settings(), encoding="utf-8")
        binds = [f"{settings}:/etc/pip.conf:ro"]
        if certificates := os.environ.get("SSL_CERT_FILE"):
            binds.append(f"{certificates}:/etc/ssl/certs/ca-certificates.crt:ro")
        words = ["bud", "--isolation", "chroot", "--network", "host", "--pull-never", "--format", "docker"]
        words += [word for bind in binds for word in ("--volume", bind)]
        words += ["--file", file, "--tag", IMAGE, "."]
        subprocess.run(["buildah", *words], cwd=ROOT, check=True)


def pip_settings() -> str:
    """This machine's, but for what names its own files."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    lines = ["[global]", "disable-pip-version-check = true"]
    for line in listed.stdout.splitlines():
        name, _, value = line.partition("=")
        urls = [url for url in value.strip("'").replace("\\n", " ").split() if url.startswith("http")]
        if name.rpartition(".")[2] in {"index-url", "extra-index-url"} and urls:
            lines.append(f"{name.rpartition('.')[2]} = {' '.join(urls)}")
    return "\n".join([*lines, "cert = /etc/ssl/certs/ca-certificates.crt"]) + "\n"


@contextmanager
def mounted() -> Iterator[Path]:
    """The image's root filesystem."""
    container = buildah("from", "--pull-never", IMAGE)
    try:
        yield Path(buildah("mount", container))
    finally:
        buildah("rm", container)


def look(root: Path, most: int | None) -> None:
    """What /opt/colibri holds: no pip, and no more than so many MB; None: however many."""
    home = root / "opt" / "colibri"
    files = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files) / 1e6
    found = sorted({path.name for path in home.glob("lib/python3*/site-packages/*")})
    print(f"/opt/colibri: {size:.1f} MB in {len(files):,} files")
    installers = [name for name in found if name.partition("-")[0] in {"pip", "setuptools", "wheel"}]
    assert not installers, f"the image holds {installers}"
    assert not (root / "opt" / "pip").exists(), "the image holds what built it"
    assert most is None or size <= most, f"/opt/colibri has {size:.1f} MB, wanted at most {most}"


def serve(root: Path, facts: Mapping[str, Any], ways: Sequence[bool]) -> None:
    """Start it as it would be started, ask it, end it; several times, with the milliseconds until it is ready. ways:
    whether its weights are packed first."""
    with tempfile.TemporaryDirectory() as data:
        Path(data).chmod(0o777)
        inside = inner(root, Path(data), facts)
        denied = subprocess.run([*inside, "sh", "-c", "touch /opt/x || touch /x"], check=False, capture_output=True)
        assert denied.returncode != 0, "its user may write outside /data and /tmp"
        keys = ["colibri", "keys", "add", "proof", "--keys-file", "/data/keys.json"]
        key = subprocess.run([*inside, *keys], check=True, capture_output=True, text=True).stdout.strip()
        for packed in ways:
            if packed:
                packing = [*inside, "colibri", "warmup", "--packed"]
                print(subprocess.run(packing, check=True, capture_output=True, text=True).stdout.strip())
            spent = [once(inside, facts, key, packed=packed) for _ in range(STARTS)]
            print(
                f"from its start until /ready, weights {'packed' if packed else 'as they come'}: "
                f"{statistics.median(spent):.0f} ms, median of {STARTS}, {min(spent):.0f} at least"
            )
        ranked = [*inside, "colibri", "rerank", "who lives here?", "Nobody.", "Four people live here."]
        spent, worked = [], []
        for _ in range(STARTS):
            begun, before = time.perf_counter(), cpu_seconds()
            subprocess.run(ranked, check=True, capture_output=True)
            spent.append((time.perf_counter() - begun) * 1e3)
            worked.append((cpu_seconds() - before) * 1e3)
        print(
            f"colibri rerank: {statistics.median(spent):.0f} ms, median of {STARTS}, {min(spent):.0f} at least; "
            f"{statistics.median(worked):.0f} ms of its cores' work"
        )


def cpu_seconds() -> float:
    """Of all processes that this one waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def inner(root: Path, data: Path, facts: Mapping[str, Any]) -> list[str]:
    """What goes before a command of the image: its root read-only, /data and an empty /tmp, its user and variables."""
    script = (
        f"mount --bind {root} {root} && mount --bind {data} {root}/data && mount -t tmpfs none {root}/tmp "
        f"&& mount -t proc none {root}/proc && mount --rbind /dev {root}/dev && mount -o remount,ro,bind {root} "
        f'&& exec setpriv --no-new-privs chroot --userspec={facts["User"]} {root} "$@"'
    )
    environment = [*facts["Env"], f"COLIBRI_SERVE_PORT={free_port()}", "COLIBRI_SERVE_HOST=127.0.0.1"]
    return ["unshare", "--mount", "env", "-i", *environment, "sh", "-euc", script, "sh"]


def once(inside: list[str], facts: Mapping[str, Any], key: str, *, packed: bool) -> float:
    """One life of the server. Milliseconds from its start until it is ready. packed: whether it has to map the volume's
    weights, or has to have none of them."""
    port = next(word.partition("=")[2] for word in reversed(inside) if word.startswith("COLIBRI_SERVE_PORT="))
    begun = time.perf_counter()
    process = subprocess.Popen([*inside, *facts["Entrypoint"], *facts["Cmd"]], stdout=subprocess.PIPE)
    try:
        until_ready(port, process)
        spent = (time.perf_counter() - begun) * 1e3
        health = facts["Healthcheck"]["Test"]
        assert health[0] == "CMD"
        subprocess.run([*inside, *health[1:]], check=True)
        assert answered(port, key) == 1
        mapped = "/cache/colibri/engines/" in Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")
        assert mapped == packed, f"weights of the volume: {mapped}, wanted {packed}"
        process.terminate()
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()
    return spent


if __name__ == "__main__":
    sys.exit(main())
