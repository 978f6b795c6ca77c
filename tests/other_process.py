"""What a process that has nothing of ours finds in an index."""

import subprocess
import sys
from pathlib import Path


def documents_in(place: Path) -> int:
    """How many documents were committed, by SQLite alone, which closes the file as the last one where it is."""
    code = f"import sqlite3; c = sqlite3.connect({str(place / 'index.sqlite')!r}); "
    code += "print(c.execute('SELECT count(*) FROM documents').fetchone()[0]); c.close()"
    return int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
