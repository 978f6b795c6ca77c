"""Prove docker/cpu.Dockerfile where nothing can build it (docker/image.py does): its steps run in a folder.

    python docker/prove.py

COPY and RUN lines are executed as they stand, with the paths they make (/src, /opt, /data, /tmp) put under a temporary
folder; then ENTRYPOINT and CMD start under the ENV lines and may not write to /opt; the HEALTHCHECK has to succeed, a
request with a key has to be answered, and SIGTERM has to end it with 0. Not proven: the base images, USER, and that
COPY --from and --chown do as Docker says.
"""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from asking import answered, free_port

ROOT = Path(__file__).parents[1]
UNDER = ("/src", "/opt", "/data", "/tmp")
_PATH = re.compile(rf"(?<![\w.])({'|'.join(UNDER)})(?=[/:'\" ]|$)")


def instructions(file: Path) -> list[tuple[str, str]]:
    """Its lines, continued ones joined: (word, rest)."""
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


class Tree:
    """The folder that stands for a root filesystem; both stages share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = folder
        self.environment = {"PATH": os.environ["PATH"]} | {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
        for name in UNDER:
            (folder / name[1:]).mkdir()

    def inside(self, text: str) -> str:
        """The same words with absolute paths under the folder."""
        return _PATH.sub(lambda found: f"{self.folder}{found[1]}", text)

    def copy(self, rest: str) -> None:
        """COPY out of the checkout; what comes from another stage is here already."""
        if rest.startswith("--from"):
            return
        *sources, target = rest.split()
        for source in sources:
            place = Path(self.inside(target)) if target.startswith("/") else self.at / target
            if (ROOT / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, place, dirs_exist_ok=True, ignore=ignored)
            else:
                shutil.copy(ROOT / source, place / source if target.endswith("/") else place)

    def run(self, rest: str) -> None:
        """RUN, as a shell would."""
        print(f"RUN {rest}", flush=True)
        subprocess.run(["sh", "-euc", self.inside(rest)], cwd=self.at, env=self.environment, check=True)

    def env(self, rest: str) -> None:
        """ENV: names and values."""
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            self.environment[name] = self.inside(value).replace("$PATH", self.environment["PATH"])


def main() -> None:
    """All of it; an error ends it with a traceback."""
    with tempfile.TemporaryDirectory() as made:
        tree = Tree(Path(made))
        last: dict[str, str] = {}
        for word, rest in instructions(ROOT / "docker" / "cpu.Dockerfile"):
            if word == "WORKDIR":
                tree.at = Path(tree.inside(rest))
            elif word in {"COPY", "RUN", "ENV"}:
                getattr(tree, word.lower())(rest)
            else:
                last[word] = rest
        shutil.rmtree(tree.folder / "src")  # the second stage has none of it
        serve(tree, last)
    print("the CPU image's steps work")


def serve(tree: Tree, last: dict[str, str]) -> None:
    """Start what the image would start, ask it, and end it."""
    port = free_port()
    command = [tree.inside(word) for word in (*json.loads(last["ENTRYPOINT"]), *json.loads(last["CMD"]))]
    tree.environment |= {"COLIBRI_SERVE_HOST": "127.0.0.1", "COLIBRI_SERVE_PORT": port}
    keys = tree.environment["COLIBRI_SERVE_KEYS_FILE"]
    # Root may write anywhere; without these capabilities it may not, like anybody else.
    lacking = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all"]
    user = lacking if os.getuid() == 0 else []
    subprocess.run(["chmod", "-R", "a-w", tree.folder / "opt"], check=True)
    words: dict[str, Any] = {"env": tree.environment, "cwd": tree.folder}
    add = [*user, "colibri", "keys", "add", "proof", "--keys-file", keys]
    key = subprocess.run(add, capture_output=True, text=True, check=True, **words).stdout.strip()
    process = subprocess.Popen([*user, *command], stdout=subprocess.PIPE, text=True, **words)
    assert process.stdout is not None
    try:
        print(process.stdout.readline().strip())
        check = json.loads(last["HEALTHCHECK"].partition(" CMD ")[2])
        subprocess.run([*user, *check], check=True, **words)
        assert answered(port, key) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
        subprocess.run(["chmod", "-R", "u+w", tree.folder / "opt"], check=True)


if __name__ == "__main__":
    main()
