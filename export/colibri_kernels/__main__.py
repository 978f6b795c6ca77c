"""`python -m colibri_kernels`."""

import argparse
import logging
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from colibri.errors import ColibriError
from colibri.machine.cores import available_cores
from colibri.scoring.library import target as this_platform
from colibri_kernels.linking import ZIG
from colibri_kernels.targets import TARGETS, target
from colibri_kernels.wheels import platform_wheel, pure_wheel


def main(words: list[str] | None = None) -> int:
    """Run a verb; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m colibri_kernels", description="Compile scoring kernels ahead.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    made = verbs.add_parser("build", help="a shared library a platform, with its JSON beside it")
    own = this_platform()
    made.add_argument("--target", action="append", choices=[*TARGETS, "all"], help=f"may be repeated; default: {own}")
    made.add_argument("--out", type=Path, default=Path("build/kernels"), help="default: %(default)s")
    made.add_argument("--linker", help=f"{ZIG}, or a command; default: {ZIG} where it is installed, else the system's")
    cut = verbs.add_parser("wheels", help="a wheel a platform from one for any, with the libraries that were built")
    cut.add_argument("pure", type=Path, metavar="WHEEL", help="or a folder that holds one for any platform")
    cut.add_argument("--target", action="append", choices=TARGETS, help="may be repeated; default: all")
    cut.add_argument("--libraries", type=Path, default=Path("build/kernels"), help="default: %(default)s")
    cut.add_argument("--out", type=Path, default=Path("build/wheels"), help="default: %(default)s")
    asked = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        if asked.verb == "wheels":
            pure = pure_wheel(asked.pure)
            for name in asked.target or TARGETS:
                print(platform_wheel(pure, target(name), asked.libraries, asked.out))  # noqa: T201 - its answer
            return 0
        from colibri_kernels.library import build  # noqa: PLC0415 - --help needs no numba

        # Processes and no threads: numba holds Python's lock while it lowers. Begun anew: none has been forked from one
        # that has threads.
        with ProcessPoolExecutor(available_cores(), get_context("spawn")) as pool:
            for name in TARGETS if "all" in (asked.target or []) else asked.target or [own]:
                print(build(target(name), asked.out, asked.linker, each=pool.map))  # noqa: T201
    except ColibriError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
