"""What programs do to files when they save, move, copy and fetch: their system calls, one a line, and their source.

    write PATH TEXT     open(O_WRONLY|O_CREAT|O_TRUNC), write, close      append PATH TEXT    with O_APPEND
    creat PATH TEXT     with O_CREAT|O_EXCL                               truncate PATH       to nothing
    rename OLD NEW      link OLD NEW      symlink TARGET PATH             exchange OLD NEW    renameat2(RENAME_EXCHANGE)
    unlink PATH         mkdir PATH        rmdir PATH      utime PATH SECONDS (of 1970)        chmod PATH MODE

A path is relative to the history's folder; one that begins with / lies beside it, in a folder that no index knows.
"""

import ctypes
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


@dataclass(frozen=True, kw_only=True)
class History:
    """source: the program, and where its calls are written down. before: files that are there, with what they hold."""

    source: str
    before: Mapping[str, str] = field(default_factory=dict)
    calls: Sequence[str]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def _history(source: str, before: Mapping[str, str], calls: str) -> History:
    return History(source=source, before=before, calls=_lines(calls))


NOTE = {"notes.md": "The old text of a note."}
REPORT = {"report.txt": "The old text of a report."}
FOLDER = {"a/one.md": "The first of a folder.", "a/b/two.md": "The second, deeper.", "a/b/three.txt": "And a third."}

HISTORIES: dict[str, History] = {
    "vim": _history(
        "vim 9, src/bufwrite.c: 4913 shows whether files can be made; 'backupcopy' is auto",
        NOTE,
        """creat .notes.md.swp b0VIM
        creat 4913
        unlink 4913
        rename notes.md notes.md~
        write notes.md The new text that vim wrote.
        chmod notes.md 644
        unlink notes.md~
        unlink .notes.md.swp""",
    ),
    "vim-copy": _history(
        "vim 9, src/bufwrite.c with 'backupcopy' yes: the backup is a copy, the file is written in place",
        NOTE,
        """creat notes.md~ The old text of a note.
        write notes.md The new text that vim wrote in place.
        unlink notes.md~""",
    ),
    "vscode": _history(
        "VS Code, src/vs/platform/files/node/diskFileSystemProvider.ts, doWriteFile",
        NOTE,
        """truncate notes.md
        append notes.md The new text that VS Code wrote.""",
    ),
    "vscode-atomic": _history(
        "VS Code, the same file, doWriteFileAtomic: postfix .vsctmp",
        NOTE,
        """write notes.md.vsctmp The new text that came atomically.
        rename notes.md.vsctmp notes.md""",
    ),
    "emacs": _history(
        "GNU Emacs, lisp/files.el backup-buffer (a rename, for the first save), src/filelock.c: .#name is a link",
        NOTE,
        """symlink user@host.1234:1 .#notes.md
        rename notes.md notes.md~
        write notes.md The new text of Emacs.
        unlink .#notes.md
        write #notes.md# An autosaved text.
        unlink #notes.md#
        write notes.md The second text of Emacs.""",
    ),
    "emacs-precious": _history(
        "GNU Emacs, lisp/files.el basic-save-buffer-2 with file-precious-flag",
        NOTE,
        """creat tmpQ1x9 The new text, written apart.
        rename notes.md notes.md~
        rename tmpQ1x9 notes.md""",
    ),
    "gedit": _history(
        "GLib, gio/glocalfileoutputstream.c handle_overwrite_open: what gedit, Text Editor and all of GIO do",
        NOTE,
        """creat .goutputstream-AB12CD The new text that GIO wrote.
        link notes.md notes.md~
        rename .goutputstream-AB12CD notes.md""",
    ),
    "kate": _history(
        "Qt, qtbase/src/corelib/io/qsavefile.cpp: Kate and most of KDE",
        NOTE,
        """creat notes.md.KxTqRz The new text that
        append notes.md.KxTqRz  a QSaveFile holds.
        rename notes.md.KxTqRz notes.md""",
    ),
    "nano": _history(
        "GNU nano, src/files.c write_file: in place, its lock beside",
        NOTE,
        """creat .notes.md.swp nano
        write notes.md The new text of nano.
        unlink .notes.md.swp""",
    ),
    "obsidian": _history(
        "Obsidian, by Node's fs.writeFile (lib/internal/fs): truncated, then in pieces",
        NOTE,
        """truncate notes.md
        append notes.md The new text of
        append notes.md  a vault, in
        append notes.md  several pieces.""",
    ),
    "word": _history(
        "Microsoft, 'Description of how Word creates temporary files' (KB 211632), as a save does over a share",
        REPORT,
        """creat ~$port.txt owner
        creat ~WRD0000.tmp The new text of a report.
        rename report.txt ~WRL0001.tmp
        rename ~WRD0000.tmp report.txt
        unlink ~WRL0001.tmp
        unlink ~$port.txt""",
    ),
    "libreoffice": _history(
        "LibreOffice, svl/source/misc/lockfilecommon.cxx (.~lock.NAME#), sfx2/source/doc/docfile.cxx (lu….tmp)",
        REPORT,
        """creat .~lock.report.txt# user
        creat lu31415abc.tmp The new text of an office.
        rename lu31415abc.tmp report.txt
        unlink .~lock.report.txt#""",
    ),
    "rsync": _history(
        "rsync, receiver.c get_tmpname and robust_rename; generator.c sets times last",
        NOTE,
        """creat .notes.md.Xa12Zq The new text from afar.
        utime .notes.md.Xa12Zq 1600000000
        rename .notes.md.Xa12Zq notes.md
        mkdir sub
        creat sub/.more.md.Bb34Yy Another text from afar.
        rename sub/.more.md.Bb34Yy sub/more.md""",
    ),
    "rsync-backup": _history(
        "rsync --backup --fsync, backup.c make_backup: link or rename to name~",
        NOTE,
        """creat .notes.md.Xa12Zq The new text, the old one is kept.
        link notes.md notes.md~
        rename .notes.md.Xa12Zq notes.md""",
    ),
    "rsync-delete": _history(
        "rsync --delete-after --inplace, delete.c, receiver.c",
        {**FOLDER, **NOTE},
        """write notes.md Written in place from afar.
        unlink a/b/two.md
        unlink a/b/three.txt
        rmdir a/b
        unlink a/one.md
        rmdir a""",
    ),
    "syncthing": _history(
        "Syncthing, lib/fs/tempname.go and lib/model/folder_sendrecv.go; the old one goes to .stversions",
        NOTE,
        """creat .syncthing.notes.md.tmp The new text of
        append .syncthing.notes.md.tmp  another machine.
        utime .syncthing.notes.md.tmp 1700000000
        mkdir .stversions
        rename notes.md .stversions/notes~20260101-120000.md
        rename .syncthing.notes.md.tmp notes.md""",
    ),
    "rclone": _history(
        "rclone 1.63 and later, fs/operations/copy.go: --partial-suffix",
        NOTE,
        """creat notes.md.6d1fae2b.partial The new text from a cloud.
        utime notes.md.6d1fae2b.partial 1650000000
        rename notes.md.6d1fae2b.partial notes.md""",
    ),
    "sed": _history(
        "GNU sed -i, sed/execute.c open_next_file and closedown: sed and six letters, rename",
        NOTE,
        """creat sedQb7xU1 The changed text of a note.
        chmod sedQb7xU1 644
        rename sedQb7xU1 notes.md""",
    ),
    "perl": _history(
        "perl -i, doio.c Perl_nextargv: unlinked while it is open, then made anew",
        NOTE,
        """unlink notes.md
        creat notes.md The changed text,
        append notes.md  by perl.""",
    ),
    "patch": _history(
        "GNU patch -b, src/util.c move_file: name.orig, then the temporary file",
        NOTE,
        """creat po3x8Tb The patched text of a note.
        rename notes.md notes.md.orig
        rename po3x8Tb notes.md""",
    ),
    "checkout": History(
        source="git checkout, entry.c write_entry: unlink, then O_CREAT|O_EXCL; there and back",
        before={f"file{i}.md": f"File {i} of the main branch." for i in range(12)},
        calls=[
            *(
                call
                for i in range(12)
                for call in (f"unlink file{i}.md", f"creat file{i}.md File {i} of the other branch.")
            ),
            *(
                call
                for i in range(6)
                for call in (f"unlink file{i}.md", f"creat file{i}.md File {i} of the main branch.")
            ),
        ],
    ),
    "checkout-folders": _history(
        "git checkout, unpack-trees.c and symlinks.c: files that leave take empty folders along, and come back",
        FOLDER,
        """unlink a/b/two.md
        unlink a/b/three.txt
        rmdir a/b
        unlink a/one.md
        rmdir a
        mkdir c
        creat c/four.md A file that only the other branch has.
        unlink c/four.md
        rmdir c
        mkdir a
        creat a/one.md The first of a folder.
        mkdir a/b
        creat a/b/two.md The second, deeper.""",
    ),
    "mv-in": _history(
        "coreutils mv, src/copy.c: one rename of a folder from elsewhere, whose files nothing is told of",
        {},
        """mkdir /out
        creat /out/one.md A text from outside.
        mkdir /out/deep
        creat /out/deep/two.md Another, deeper.
        rename /out in
        append in/deep/two.md  It grows.""",
    ),
    "mv-out": _history(
        "coreutils mv: a folder leaves for where nothing is indexed, and is written to there",
        FOLDER,
        """rename a /a
        append /a/one.md  Nobody is to know.""",
    ),
    "mv-within": _history(
        "coreutils mv: a folder gets another name, and is written to at once",
        FOLDER,
        """rename a moved
        append moved/b/two.md  It grows.
        rename moved/one.md moved/b/one.md
        mkdir further
        rename moved/b further/b""",
    ),
    "cp": _history(
        "coreutils cp -r, src/copy.c: mkdir, then O_CREAT|O_EXCL, into folders that are not watched yet",
        FOLDER,
        """mkdir copy
        creat copy/one.md The first of a folder.
        mkdir copy/b
        creat copy/b/two.md The second, deeper.
        creat copy/b/three.txt And a third.""",
    ),
    "unzip": _history(
        "Info-ZIP unzip, extract.c, unix/unix.c close_outfile: times of the archive, long ago",
        {},
        """mkdir archive
        mkdir archive/sub
        creat archive/sub/old.txt A text of long ago.
        utime archive/sub/old.txt 500000000
        creat archive/older.md An older one.
        utime archive/older.md 400000000
        utime archive/sub 500000000""",
    ),
    "tar": _history(
        "GNU tar x, src/extract.c: over what is there (unlink, O_EXCL), times of folders last",
        FOLDER,
        """unlink a/one.md
        creat a/one.md The first, from a backup.
        utime a/one.md 900000000
        mkdir a/c
        creat a/c/four.md The fourth, from a backup.
        utime a/c/four.md 900000000
        utime a/c 900000000
        utime a 900000000""",
    ),
    "rm-undo": _history(
        "XDG Trash specification, as gio trash: a folder is renamed into the trash, and back",
        FOLDER,
        """mkdir /Trash
        write /Trash/a.trashinfo Path=a
        rename a /Trash/a
        rename /Trash/a a
        unlink /Trash/a.trashinfo""",
    ),
    "rm-restored": _history(
        "coreutils rm -r (fts, deepest first), then what a backup has of it",
        FOLDER,
        """unlink a/b/two.md
        unlink a/b/three.txt
        rmdir a/b
        unlink a/one.md
        rmdir a
        mkdir a
        creat a/one.md The first of a folder.
        utime a/one.md 800000000""",
    ),
    "download": _history(
        "Firefox (.part) and Chromium (.crdownload), components/download: written under another name",
        {},
        """creat manual.txt
        creat manual.txt.part The first half of
        append manual.txt.part  a manual.
        rename manual.txt.part manual.txt
        creat Unconfirmed 31415.crdownload A second manual.
        rename Unconfirmed 31415.crdownload second.txt""",
    ),
    "maildir": _history(
        "maildir(5): written in tmp, renamed to new, then to cur with its flags",
        {},
        """mkdir tmp
        mkdir new
        mkdir cur
        creat tmp/1700.M1P2.host.eml Subject: A letter. To whom it may concern.
        rename tmp/1700.M1P2.host.eml new/1700.M1P2.host.eml
        rename new/1700.M1P2.host.eml cur/1700.M1P2.host.eml""",
    ),
    "logrotate": _history(
        "logrotate, logrotate.c rotateSingleLog: renames, then a new file",
        {"app.txt": "The first lines of a log.", "app.txt.1": "Those before."},
        """append app.txt  One more.
        rename app.txt.1 app.txt.2
        rename app.txt app.txt.1
        creat app.txt
        append app.txt The first line of a new log.
        append app.txt  And a second.""",
    ),
    "dpkg": _history(
        "dpkg, src/main/archives.c and unpack.c: name.dpkg-new, a link to the old as name.dpkg-tmp, renames",
        NOTE,
        """creat notes.md.dpkg-new The text of a new package.
        link notes.md notes.md.dpkg-tmp
        rename notes.md.dpkg-new notes.md
        unlink notes.md.dpkg-tmp""",
    ),
    "configmap": _history(
        "Kubernetes, pkg/volume/util/atomic_writer.go: links that are exchanged; links are not followed here",
        {},
        """mkdir ..2026_01
        creat ..2026_01/settings.txt The first settings.
        symlink ..2026_01 ..data
        symlink ..data/settings.txt settings.txt
        mkdir ..2026_02
        creat ..2026_02/settings.txt The second settings.
        symlink ..2026_02 ..data_tmp
        rename ..data_tmp ..data
        creat beside.txt A file beside them.""",
    ),
    "swap": _history(
        "mv a t; mv b a; mv t b: two of one size get each other's names",
        {"left.md": "This is the left.", "right.md": "This is a right."},
        """rename left.md between
        rename right.md left.md
        rename between right.md""",
    ),
    "exchange": _history(
        "renameat2(2) RENAME_EXCHANGE, mv --exchange of coreutils 9.5: two files at once",
        {"left.md": "This is the left.", "right.md": "This is a right."},
        """exchange left.md right.md""",
    ),
    "case": _history(
        "mv readme.md README.md: a name that differs by case alone",
        {"readme.md": "What one should know."},
        """rename readme.md README.md
        append README.md  And a little more.""",
    ),
    "file-and-folder": _history(
        "rm a; mkdir a: a folder takes the name of a file, and gives it back",
        {"thing.md": "A file at first."},
        """unlink thing.md
        mkdir thing.md
        creat thing.md/inner.txt A file in the folder of that name.
        unlink thing.md/inner.txt
        rmdir thing.md
        creat thing.md A file again.""",
    ),
    "gitignore": _history(
        "gitignore(5): what it leaves out leaves, and comes back with it gone",
        {**FOLDER, "keep.md": "A text to keep."},
        """write .gitignore a/b/
        write a/b/two.md Changed where nobody looks.
        unlink .gitignore
        write .gitignore *.txt""",
    ),
    "hidden": _history(
        "mv a .a; mv .a a: a folder that is hidden, and shown again",
        FOLDER,
        """rename a .a
        append .a/one.md  Written while it was hidden.
        rename .a shown""",
    ),
    "touch": _history(
        "coreutils touch and chmod: times and modes alone",
        NOTE,
        """utime notes.md 1234567890
        chmod notes.md 600""",
    ),
    "emptied": _history(
        "a shell's > file, and >> file: emptied, and filled again",
        {**NOTE, "other.md": "Another text."},
        """truncate notes.md
        append notes.md A first line.
        append notes.md  A second.
        truncate other.md""",
    ),
    "stash": _history(
        "git stash and git stash pop: entry.c write_entry (unlinked, then O_EXCL), unpack-trees.c for what was added",
        {**NOTE, "added.md": "A file that only the working tree has.", "sub/kept.md": "A file that stays as it is."},
        """mkdir .git
        creat .git/index.lock x
        unlink notes.md
        creat notes.md The text of the last commit.
        unlink added.md
        rename .git/index.lock .git/index
        creat .git/index.lock y
        unlink notes.md
        creat notes.md The old text of a note.
        creat added.md A file that only the working tree has.
        rename .git/index.lock .git/index""",
    ),
    "tar-over": _history(
        "GNU tar -x over a tree, src/extract.c: what is there is unlinked, made anew, and given the archive's time",
        FOLDER,
        """utime a/one.md 1000000000
        unlink a/one.md
        creat a/one.md The other of a folder.
        utime a/one.md 1000000000
        unlink a/b/two.md
        creat a/b/two.md The second, of the archive.
        utime a/b/two.md 1000000000
        utime a/b 1000000000
        chmod a/b 755
        creat a/b/new.md A file that was not there.
        utime a/b/new.md 1000000000""",
    ),
    "cached": _history(
        "a synchroniser with a cache in the folder (.dropbox.cache): written there, the old kept there, renamed",
        {**NOTE, "other.md": "Another text."},
        """mkdir .dropbox.cache
        creat .dropbox.cache/new1 The new text from the other machine.
        link notes.md .dropbox.cache/old1
        rename .dropbox.cache/new1 notes.md
        utime notes.md 1100000000
        rename other.md .dropbox.cache/deleted1
        unlink .dropbox.cache/old1
        write other-conflicted.md Both changed it.
        unlink .dropbox.cache/deleted1""",
    ),
    "links": _history(
        "ln -s, as people do it: a file or folder lies elsewhere, a link is where it was, and back",
        {**NOTE, **FOLDER},
        """rename notes.md /notes.md
        symlink ../notes.md notes.md
        rename a /a
        symlink /nowhere a
        unlink notes.md
        rename /notes.md notes.md
        write notes.md The text that came back.
        unlink a
        rename /a a
        symlink notes.md again.md""",
    ),
    "chmod": _history(
        "chmod 000 and back, of a file and of a folder (root reads them nevertheless)",
        {**NOTE, **FOLDER},
        """chmod notes.md 000
        chmod a 000
        chmod a 755
        write a/one.md The first, changed after that.
        chmod notes.md 644
        chmod a/b 000
        chmod a/b 755""",
    ),
    "log": _history(
        "syslog and whatever else writes a line at a time",
        {"the.log": "A first line.", **NOTE},
        "\n".join(f"append the.log Line {i} of a log." for i in range(40)),
    ),
    "turned": _history(
        "mv, three times: folders change their names in a ring, and another takes the first one's",
        {"a/one.md": "The one.", "b/two.md": "The two.", "c/three.md": "The three."},
        """rename a old
        rename b a
        rename c b
        rename old c
        write a/one.md A new one where the two was.
        exchange a b
        mkdir old
        write old/one.md The one.""",
    ),
}
assert len(HISTORIES) >= 30


def call(line: str, folder: Path) -> None:
    """Do one of them. folder: the history's."""
    verb, _, rest = line.partition(" ")
    name, _, text = rest.partition(" ")
    if verb in {"rename", "creat"} and name == "Unconfirmed":  # a name with a blank in it
        more, _, text = text.partition(" ")
        name = f"{name} {more}"
    path = _place(name, folder)
    if verb in {"write", "creat", "append"}:
        flags = {"write": os.O_TRUNC, "creat": os.O_EXCL, "append": os.O_APPEND}[verb]
        number = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o644)
        os.write(number, text.encode())
        os.close(number)
    elif verb == "truncate":
        os.truncate(path, 0)
    elif verb == "symlink":
        _place(text, folder).symlink_to(name)
    elif verb in {"rename", "link", "exchange"}:
        _two(verb, path, _place(text, folder))
    elif verb == "utime":
        os.utime(path, (int(text), int(text)))
    elif verb == "chmod":
        path.chmod(int(text, 8))
    else:
        {"unlink": os.unlink, "mkdir": os.mkdir, "rmdir": os.rmdir}[verb](path)


def _two(verb: str, old: Path, new: Path) -> None:
    if verb == "rename":
        old.replace(new)
    elif verb == "link":
        new.hardlink_to(old)
    else:
        done = ctypes.CDLL(None, use_errno=True).renameat2(
            _AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), _RENAME_EXCHANGE
        )
        if done:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _place(name: str, folder: Path) -> Path:
    return folder.parent.parent / f"beside-{folder.name}" / name[1:] if name.startswith("/") else folder / name
