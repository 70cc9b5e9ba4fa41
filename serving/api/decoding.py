"""Decoding of JSON bodies within bounds of time and memory, whatever is in them.

pydantic holds every value of a body (64 bytes each) and every error (400 bytes each) before it returns: 8 MiB of
``{},`` made 5 million errors in 27 s and 3 GB.
"""

from __future__ import annotations

from itertools import count
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from serving.api.field_types import MAX_UNKNOWN_FIELDS, TooManyUnknownFields
from serving.api.refusals import Refusal
from serving.client.request_types import MAX_ROWS

MAX_VALUES = 10 * MAX_ROWS
FREE_VALUES = 100_000
BYTES_PER_VALUE = 8
"""A value of a request takes more: the shortest field of a transaction, ``"margin":1,``, takes 11 bytes."""

Model = TypeVar("Model", bound=BaseModel)


def decode(schema: type[Model], body: bytes) -> Model:
    """Read a body by its schema.

    Raises
    ------
    Refusal
        400: the body is not valid, or holds too many values for its size to be.
    """
    # Commas in texts count too; to be refused for them, a request must consist of little else.
    if body.count(b",") > min(MAX_VALUES, FREE_VALUES + len(body) // BYTES_PER_VALUE):
        raise Refusal(400, "The body holds more values than a request of its size can. Split it.")
    try:
        return schema.model_validate_json(body, context=count())
    except TooManyUnknownFields:
        raise Refusal(
            400, f"The request has more than {MAX_UNKNOWN_FIELDS} fields that are not in its schema."
        ) from None
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise Refusal.of(found) from None
