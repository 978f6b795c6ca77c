"""The page of `colibri ui` and `colibri serve --ui`: search as one types, on this machine or in this house.

In come requests of one page, out go its files and JSON. Who may ask is in `guard`, the page itself in `page/`, what it
asks for in `messages`. It stands on `index`, `files` and `server`. Only `cli` imports it; it must never serve a file of
the disk, and what it opens is a file of its index.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.ui.client import ask_page
    from colibri.ui.guard import Guard
    from colibri.ui.program import READ_ONLY, add_search_page, page_address, serve_page
else:
    __getattr__, __dir__ = door(
        __name__,
        {"client": "ask_page", "guard": "Guard", "program": "READ_ONLY add_search_page page_address serve_page"},
    )
