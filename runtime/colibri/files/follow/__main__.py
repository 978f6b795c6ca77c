"""The process that follows folders: takes looks on its standard input, tells on its output, ends when that ends."""

import json
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import IO, Any

from colibri.files.follow.work import Interrupted, Work, failure
from colibri.machine import give_way, give_way_a_little


def main() -> None:
    """Serve one program. The first line says which index; each that follows is a look, or wants the one under way to
    end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program ends this process, whatever Ctrl-C means to it
    asked, answers = _pipes()
    give_way_a_little()
    first = json.loads(asked.readline() or "null")
    if first is None:
        return
    work = Work(Path(first["place"]), first["options"], give_way, limits=first["limits"])
    looks: SimpleQueue[dict[str, Any]] = SimpleQueue()
    unwanted = Event()
    Thread(target=_listen, args=(asked, looks, unwanted), daemon=True).start()

    def tell(message: dict[str, Any]) -> None:
        try:
            answers.write(json.dumps(message).encode() + b"\n")
            answers.flush()
        except BrokenPipeError:  # the program is gone
            os._exit(0)

    while True:
        look = looks.get()
        if "warm" in look:
            with suppress(Exception):  # the look that follows says why
                work.warm()
            continue
        tell({"phase": "looking"})
        try:
            tell({"done": work.run(look, tell, unwanted.is_set)})
        except Interrupted as ended:
            tell({"interrupted": True, "long": ended.long})
        except Exception as error:  # whatever it was, the program says it and asks again
            work.close()
            tell(failure(error))


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Both ends, where no library's print can get between the messages. Errors go where the program's do."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for own in (0, 1):
        os.dup2(nothing, own)
    os.close(nothing)
    return asked, answers


def _listen(asked: IO[bytes], looks: "SimpleQueue[dict[str, Any]]", unwanted: Event) -> None:
    """The program is gone when its end of the pipe is: then so is this process. An index loses nothing by that."""
    for line in asked:
        message = json.loads(line)
        if message.get("stop"):
            unwanted.set()
        else:
            unwanted.clear()  # here, where what comes after it cannot be overtaken
            looks.put(message)
    os._exit(0)


if __name__ == "__main__":
    main()
    sys.exit(0)
