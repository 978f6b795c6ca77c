"""The reading process: takes files on its standard input, answers with what is in them, ends when that ends."""

import os
import signal
import sys
from queue import SimpleQueue
from threading import Thread
from typing import IO

from colibri.errors import ColibriError, MissingExtra
from colibri.files.reading import Reading, read
from colibri.files.room import memory
from colibri.files.room.frames import Frame, framed, receive, send
from colibri.files.source import Source

_KEPT = 0.8  # of a file's time, after which a reader that can ends with what it has


def main() -> None:
    """Serve one program."""
    try:
        _serve()
    except MemoryError:  # beside a file's reading, whose own is answered
        os._exit(memory.NO_MEMORY)


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program ends this process, whatever Ctrl-C means to it
    asked, answers = _pipes()
    first = receive(asked)
    if first is None:
        return
    seconds = first.fields["seconds"]
    wanted = Reading(**first.fields["reading"])
    waiting: SimpleQueue[Frame] = SimpleQueue()
    Thread(target=_listen, args=(asked, waiting), daemon=True).start()
    memory.limit(first.fields["memory_bytes"] if first.fields["limited"] else None)
    send(answers, Frame("ready", {"peak_bytes": memory.peak_bytes()}))
    while True:
        frame = waiting.get()
        memory.limit_seconds(seconds)
        send(answers, _answer(frame, wanted, _KEPT * seconds, answers))
        del frame


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Both ends, where no library's print can get between the messages."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for own in (0, 1, 2):
        os.dup2(nothing, own)
    os.close(nothing)
    return asked, answers


def _listen(asked: IO[bytes], waiting: "SimpleQueue[Frame]") -> None:
    """The program is gone when its end of the pipe is: then so is this process, whatever it is reading."""
    try:
        while (frame := receive(asked)) is not None:
            waiting.put(frame)
    except MemoryError:
        os._exit(memory.NO_MEMORY)
    os._exit(0)


def _answer(frame: Frame, wanted: Reading, seconds: float, answers: IO[bytes]) -> Frame:
    """What comes after the last item."""
    try:
        source = Source(name=frame.fields["name"], data=frame.body, budget=wanted.budget(seconds))
        for item in read(source, wanted):
            send(answers, framed(item))
    except BrokenPipeError:
        os._exit(0)
    except MissingExtra as error:
        return Frame("missing", {"why": str(error)})
    except ColibriError as error:
        return Frame("unreadable", {"why": str(error)})
    except MemoryError:
        return Frame("memory")
    # What a file holds may not go through the pipe: fields nested too deep for JSON. It costs that file.
    except Exception as error:
        return Frame("unreadable", {"why": f"cannot be read ({type(error).__name__}: {error})"})
    return Frame("end")


if __name__ == "__main__":
    main()
    sys.exit(0)
