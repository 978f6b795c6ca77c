"""One process of bench_files.py: reads one file by one engine and prints what it took. Arguments: ENGINE FILE OUT."""

import io
import json
import logging
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path


def by_colibri() -> Callable[[bytes], str]:
    from colibri.files.kinds.pdf import read  # noqa: PLC0415
    from colibri.files.source import Source  # noqa: PLC0415

    import_module("pypdfium2")  # before the clock starts
    return lambda data: read(Source(name="file.pdf", data=data)).text


def by_pypdf() -> Callable[[bytes], str]:
    """As Colibri read PDF up to its first release."""
    import pypdf  # noqa: PLC0415

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)

    def read(data: bytes) -> str:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ValueError("is encrypted")
        return "\n\n".join(page.extract_text() for page in reader.pages).strip()

    return read


def main(engine: str, file: str, out: str) -> None:
    """Print JSON: seconds, those of the processor, the most memory that the process ever held, what failed."""
    read = {"colibri": by_colibri, "pypdf": by_pypdf}[engine]()
    data = Path(file).read_bytes()
    text, error = "", None
    began, busy = time.perf_counter(), time.process_time()
    try:
        text = read(data)
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - busy
    Path(out).write_text(text, encoding="utf-8", errors="replace")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak, "error": error}))


if __name__ == "__main__":
    main(*sys.argv[1:])
