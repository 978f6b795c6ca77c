"""A program that PyInstaller froze reads files in a process of its own. `run.py test-frozen` runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PyInstaller")

HERE = Path(__file__).parent


@pytest.mark.parametrize("form", ["--onedir", "--onefile"])
def test_a_frozen_program_reads_files(tmp_path: Path, form: str) -> None:
    from colibri.files.room.frozen import hook_dirs

    words = ["--noconfirm", "--log-level", "ERROR", form, "--name", "program", "--additional-hooks-dir", *hook_dirs()]
    places = [word for name in ("dist", "work", "spec") for word in (f"--{name}path", str(tmp_path / name))]
    subprocess.run([sys.executable, "-m", "PyInstaller", *words, *places, str(HERE / "program.py")], check=True)
    program = tmp_path / "dist" / ("program/program" if form == "--onedir" else "program")
    (tmp_path / "a.html").write_text("<p>Seven gulls", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "Eight"}', encoding="utf-8")
    files = [str(tmp_path / name) for name in ("a.html", "b.jsonl")]
    done = subprocess.run([str(program), *files], capture_output=True, text=True, check=False, timeout=120, cwd="/")
    lines = done.stdout.splitlines()
    assert lines[0].endswith("frozen: True"), done.stderr
    assert [line.rpartition(" 1 ")[2] for line in lines[1:]] == ["Seven gulls", "Eight"]
