"""What a log may hold of an exception."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from pydantic import BaseModel, ValidationError

from serving.api.refusals import keep_values_out_of_logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a handler, that was there before the values were kept out, writes."""
    handler = logging.StreamHandler(io.StringIO())
    logging.getLogger("stayworth.test").addHandler(handler)
    keep_values_out_of_logs()
    yield handler.stream
    logging.getLogger("stayworth.test").removeHandler(handler)


def test_a_logged_exception_shows_its_place_and_type_but_not_its_words(written: io.StringIO) -> None:
    value = "s3" + "cret"

    try:
        int(value)
    except ValueError:
        logging.getLogger("stayworth.test.deeper").exception("It failed.")

    assert written.getvalue().startswith("It failed.\n")
    assert "int(value)" in written.getvalue()
    assert written.getvalue().endswith("builtins.ValueError\n")
    assert value not in written.getvalue()


def test_a_request_that_does_not_fit_the_schema_is_not_logged_as_our_failure(written: io.StringIO) -> None:
    class Order(BaseModel):
        amount: float

    try:
        Order.model_validate_json('{"amount": "s3cret"}')
    except ValidationError:
        logging.getLogger("stayworth.test").exception("Exception on /score")

    assert written.getvalue() == ""
