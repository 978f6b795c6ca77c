"""A room of its own for reading files: another process, with limits on time, memory and unpacked bytes.

No file can stop a run or end the program: the one that does is named with the reason, and what was read of it before
stays. `worker` is the side of the program, `python -m colibri.files.room` the other one; they talk in `frames`.

A frozen program (PyInstaller, Nuitka) starts itself for it, with `COLIBRI_FILES_ROOM` set in the environment: `import
colibri` sees that and never returns. So such a program should import colibri before it does anything else.
"""

VARIABLE = "COLIBRI_FILES_ROOM"
