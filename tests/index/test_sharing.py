"""Two users of one group write the same index, whatever the primary group of each."""

import os
import stat
from pathlib import Path

import pytest

import other_user
from colibri import Index
from rounds import rounds
from store_contract import DIM, SPACE

GROUP = 55_555
ONE, OTHER = other_user.NOBODYS, other_user.NOBODYS + 1

_NOT_HERE = other_user.why_not()
as_others = pytest.mark.skipif(_NOT_HERE is not None, reason=_NOT_HERE or "")

_WRITE = f"""
import sys, numpy, colibri
from colibri import Index
place, name = sys.argv[1:]
vectors = numpy.eye(3, {DIM}, dtype=numpy.float32)
with Index.open(place, dim={DIM}, space_id={SPACE!r}) as index:
    index.add([{{"id": name + str(i), "vectors": vectors}} for i in range(3)])
    index.delete([name + "0"])
    index.compact()
    again = Index.open(place)
    again.upsert([{{"id": "both", "vectors": vectors, "payload": {{"by": name}}}}])
    again.close()
    print(index.count())
"""


def write(user: int, place: Path, name: str) -> int:
    words = (str(place), name)
    done = other_user.python(_WRITE, *words, user=user, groups=(GROUP,), umask=0o002, folder=place.parent)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@as_others
@pytest.mark.parametrize("mode", rounds([0o2770, 0o775, 0o777], [0o2775, 0o775, 0o2770, 0o777]))
def test_both_users_write_one_index(mode: int) -> None:
    with other_user.open_folder(mode, GROUP) as folder:
        place = folder / "index"
        if mode == 0o775:  # nothing hands the group on: whoever makes the index's folder does
            place.mkdir()
            os.chown(place, ONE, GROUP)
            place.chmod(0o775)
        elif mode == 0o777:
            place.mkdir()
            place.chmod(0o777)
        counts = [write(user, place, name) for user, name in ((ONE, "a"), (OTHER, "b"), (ONE, "c"), (OTHER, "d"))]
        assert counts == [3, 5, 7, 9]
        for path in (place / "index.sqlite", place / "index.json", place / "writer.lock", *place.glob("segments/*")):
            found = path.stat()
            assert stat.S_IMODE(found.st_mode) == path.parent.stat().st_mode & 0o666, path
            assert found.st_gid == path.parent.stat().st_gid or mode == 0o777, path


@as_others
def test_one_writes_while_another_has_it_open() -> None:
    """So that the log and its shared memory, which the first made, are the second's as well."""
    with other_user.open_folder(0o2775, GROUP) as folder:
        place = folder / "index"
        write(ONE, place, "a")
        inner = f"""
import subprocess, sys
from colibri import Index
with Index.open({str(place)!r}) as index:
    index.set_payloads({{"both": {{"by": "nobody"}}}})
    print("open", flush=True)
    sys.stdin.read()
    print(index.count())
"""
        with other_user.start(inner, user=ONE, groups=(GROUP,), umask=0o002, folder=folder) as holding:
            assert holding.stdout is not None
            assert holding.stdout.readline() == "open\n", holding.communicate()[1]
            for end in ("-wal", "-shm"):
                found = (place / f"index.sqlite{end}").stat()
                assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o664, GROUP)
            assert write(OTHER, place, "b") == 5
            assert holding.communicate()[0] == "5\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize(("mode", "files"), [(0o700, 0o600), (0o755, 0o644), (0o775, 0o664)])
def test_files_may_be_read_and_written_as_their_folder(tmp_path: Path, mode: int, files: int) -> None:
    place = tmp_path / "index"
    place.mkdir()
    place.chmod(mode)
    with Index.open(place, dim=DIM, space_id=SPACE):
        for name in ("index.sqlite", "index.json", "writer.lock"):
            assert stat.S_IMODE((place / name).stat().st_mode) == files, name
        (place / "index.sqlite").chmod(0o600)
    with Index.open(place):
        pass
    assert stat.S_IMODE((place / "index.sqlite").stat().st_mode) == 0o600, "what a user has set stays"
