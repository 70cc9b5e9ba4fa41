"""What a log may hold of an exception."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from serving.api.logs import log_json


@pytest.fixture
def _own_handlers() -> Iterator[None]:
    """The loggers as they were, afterwards."""
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.Logger.manager.loggerDict))]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate


@pytest.mark.usefixtures("_own_handlers")
def test_a_logged_exception_shows_its_place_and_type_but_not_its_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    value = "s3" + "cret"
    logging.getLogger("another.library").addHandler(logging.StreamHandler())
    log_json()

    try:
        int(value)
    except ValueError:
        logging.getLogger("another.library").exception("It failed.")

    (line,) = capsys.readouterr().err.splitlines()
    written = json.loads(line)
    assert (written["level"], written["logger"], written["message"]) == (
        "ERROR",
        "another.library",
        "It failed.",
    )
    assert "int(value)" in written["exception"]
    assert written["exception"].endswith("builtins.ValueError")
    assert value not in line
