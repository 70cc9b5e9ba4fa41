"""Structured logs: one JSON object a line, and nothing of what a customer sent in any of them."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

from pythonjsonlogger.json import JsonFormatter

ACCESS = "stayworth.access"


class ValuelessFormatter(JsonFormatter):
    """Writes where an exception arose and its type, but not its words: they may hold data.

    Examples
    --------
    >>> formatter = ValuelessFormatter()
    >>> try:
    ...     int("s3cret")
    ... except ValueError as error:
    ...     written = formatter.formatException((type(error), error, error.__traceback__))
    >>> written.splitlines()[-1], "s3cret" in written.splitlines()[-1]
    ('builtins.ValueError', False)
    """

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp="time",
            json_ensure_ascii=False,
        )

    def formatException(  # noqa: N802
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return the frames and the type, without the message."""
        kind, _, trace = ei
        if kind is None:
            return ""
        return f"{''.join(traceback.format_tb(trace))}{kind.__module__}.{kind.__qualname__}"


def log_json() -> None:
    """Send every logger's records to the standard error as JSON, in the place of whatever it wrote before."""
    handler = logging.StreamHandler()
    handler.setFormatter(ValuelessFormatter())
    for name in list(logging.Logger.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("stayworth", "bentoml"):
        logging.getLogger(name).setLevel(logging.INFO)
