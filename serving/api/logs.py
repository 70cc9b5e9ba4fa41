"""Structured logs: one JSON object a line, and nothing of what a customer sent in any of them."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

ACCESS = "stayworth.access"


class JsonFormatter(logging.Formatter):
    """Writes a record's time, level, logger, message and ``extra={"fields": {…}}`` as one line of JSON.

    Of an exception it writes where it arose and its type, but not its words: they may hold data.

    Examples
    --------
    >>> record = logging.LogRecord("stayworth", logging.INFO, "", 0, "Version %s scores.", ("2",), None)
    >>> record.fields = {"request_id": "crm-7"}
    >>> JsonFormatter().format(record)
    '{"time":"...Z","level":"INFO","logger":"stayworth","message":"Version 2 scores.","request_id":"crm-7"}'
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info and (kind := record.exc_info[0]) is not None:
            frames = traceback.format_tb(record.exc_info[2])
            line["exception"] = f"{''.join(frames)}{kind.__module__}.{kind.__qualname__}"
        return to_json(line, serialize_unknown=True).decode()


def log_json() -> None:
    """Replace every logger's handlers by one that writes JSON to the standard error."""
    # Not written, so not looked up for each record (https://docs.python.org/3/howto/logging.html#optimization).
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    for name in list(logging.Logger.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("stayworth", "bentoml"):
        logging.getLogger(name).setLevel(logging.INFO)
