"""Words that find a document though they stand nowhere in its text, such as the name of its file.

They lie in its payload, `{"file": {"about": "passport scan 2024"}}`, so that whatever keeps a payload keeps them: an
export, a repair, another payload. Where a text is encoded they become one more passage, whose characters are (0, 0).
"""

from collections.abc import Mapping
from typing import Any

from colibri.vectors import Span

NOWHERE = Span(0, 0)
"""Where such a passage lies in the text."""


def about(payload: Mapping[str, Any] | None) -> str:
    """The words; "" for none."""
    file = None if payload is None else payload.get("file")
    found = file.get("about") if isinstance(file, Mapping) else None
    return found.strip() if isinstance(found, str) else ""
