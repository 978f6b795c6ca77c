"""Kernels compiled ahead: from the texts in `colibri.scoring.kernels` to one shared library a platform.

    python -m colibri_kernels build [--target linux-x86_64 ...] [--out FOLDER] [--linker zig | COMMAND]
    python -m colibri_kernels wheels PURE-WHEEL [--out FOLDER]

numba makes LLVM code of each kernel and kind of rows (`code`), LLVM makes an object of it for each processor
(`objects`, `targets`), a linker makes a library of all of a platform's (`linking`), which is looked into before it is
kept (`symbols`, `library`). `colibri.scoring.library` loads it. It needs the extra [kernels].
"""
