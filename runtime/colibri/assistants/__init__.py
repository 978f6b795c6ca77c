"""`colibri mcp`: indexes for assistants that speak the Model Context Protocol (extra [mcp]); nothing is ever written.

In come a program's calls, out go passages with their places, bounded, as words for a model and as structure for a
program. `library.py` knows the indexes and answers, `answers.py` is what an answer holds, `words.py` says it in words;
`tools.py` alone imports the protocol's package, a second of work. It stands on `index` and `files`. It must never
import a server or the command; only `cli` imports it.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.assistants.answers import Listing, Reading, Results
    from colibri.assistants.library import Library, named
    from colibri.assistants.serving import http_app, run_stdio
    from colibri.assistants.words import in_words
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "answers": "Listing Reading Results",
            "library": "Library named",
            "serving": "http_app run_stdio",
            "words": "in_words",
        },
    )
