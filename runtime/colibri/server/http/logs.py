"""Logs as JSON lines on stderr: who asked for what kind of work and what it took; no key, text or vector is in them."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

requests = logging.getLogger("colibri.server.requests")


class JsonLines(logging.Formatter):
    """One object a record; what a record carries as `fields` stands beside its message."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure_logs() -> None:
    """All of this process logs that way, from INFO on; libraries from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("colibri").setLevel(logging.INFO)
    # They would log every connection, with paths.
    logging.getLogger("uvicorn.access").disabled = True
