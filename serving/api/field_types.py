"""Types of a request's fields, read strictly: unknown fields, numbers for text, NaN and infinities are refused."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationInfo
from pydantic_core import PydanticKnownError

from features.log.amounts import LARGEST_AMOUNT

MAX_UNKNOWN_FIELDS = 50

_DECIMAL = r"^[+-]?[0-9]{1,12}(\.[0-9]{1,9})?$"
_LEAP_YEAR = r"([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)"
_DAY_OF_ANY_YEAR = (
    r"((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_DAY = rf"([1-9][0-9]{{3}}-{_DAY_OF_ANY_YEAR}|{_LEAP_YEAR}-02-29)"  # each is one that exists
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?"
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_TRIMMED = rf"^[^\s{_CONTROL}]([^{_CONTROL}]*[^\s{_CONTROL}])?$"

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_TRIMMED)]
Moment = Annotated[
    str,
    StringConstraints(max_length=40, pattern=rf"^{_DAY}([T ]{_TIME})?$"),
    Field(examples=["1998-01-05"]),
]
Amount = Annotated[
    Annotated[float, Field(gt=-LARGEST_AMOUNT, lt=LARGEST_AMOUNT)]
    | Annotated[str, StringConstraints(max_length=40, pattern=_DECIMAL)],
    Field(examples=[20.5, "20.50"]),
]

Cost = Annotated[float, Field(ge=0, lt=LARGEST_AMOUNT)]


class TooManyUnknownFields(Exception):
    """A request has more unknown fields than it is worth to report."""


def _refuse_unknown(value: object, info: ValidationInfo) -> object:
    """Refuse a field that is not in the schema; the last of too many ends the validation.

    ``extra="forbid"`` would make an error of each, however many. The validation's context counts them.
    """
    if info.context is not None and next(info.context) >= MAX_UNKNOWN_FIELDS:
        raise TooManyUnknownFields
    raise PydanticKnownError("extra_forbidden")


Unknown = Annotated[Any, BeforeValidator(_refuse_unknown)]
STRICT = ConfigDict(
    strict=True,
    extra="allow",  # and then refused by the type of what is extra
    hide_input_in_errors=True,
    json_schema_extra={"additionalProperties": False},
)


class StrictModel(BaseModel):
    """A part of a request, without unknown fields."""

    model_config = STRICT
    __pydantic_extra__: dict[str, Unknown]
