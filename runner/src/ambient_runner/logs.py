"""Log lines: one JSON object each on standard error, without secrets."""

import json
import logging
import sys
from datetime import UTC, datetime

from ambient_runner.redaction import Redactor


class JsonFormatter(logging.Formatter):
    """Formats a record and redacts the whole line."""

    def __init__(self, redactor: Redactor, session_id: str) -> None:
        super().__init__()
        self._redactor = redactor
        self._session_id = session_id

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "session": self._session_id,
            "message": self._redactor.text(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = self._redactor.text(self.formatException(record.exc_info))
        return json.dumps(line)


def set_up_logs(redactor: Redactor, session_id: str) -> None:
    """Send everything to standard error; request lines of the HTTP client would repeat URLs, so not those."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(JsonFormatter(redactor, session_id))
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.INFO)
    for noisy in ("httpx", "httpcore", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
