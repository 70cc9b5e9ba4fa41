"""Why a value of a file is refused, in the words of who wrote the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from features.language import translatable, translated
from features.suggestion import did_you_mean

_BOUNDS = {
    "greater_than_equal": (translatable("has to be at least {limit:g}, not {given!r}"), "ge"),
    "greater_than": (translatable("has to be more than {limit:g}, not {given!r}"), "gt"),
    "less_than_equal": (translatable("has to be at most {limit:g}, not {given!r}"), "le"),
    "less_than": (translatable("has to be less than {limit:g}, not {given!r}"), "lt"),
}
_KINDS = {
    "int": translatable("has to be a whole number, not {given!r}"),
    "float": translatable("has to be a number, not {given!r}"),
    "bool": translatable("has to be true or false, not {given!r}"),
    "string": translatable("has to be text in quotes, not {given!r}"),
    "date": translatable("has to be a date such as 2015-01-31, not {given!r}"),
    "list": translatable("has to be a list, not {given!r}"),
    "dict": translatable("has to be a table, not {given!r}"),
}


def why(problem: Mapping[str, Any], known: Iterable[str] = ()) -> str:
    """Return what is wrong with a value, to follow its name.

    Parameters
    ----------
    problem : mapping, one of `pydantic.ValidationError.errors`
    known : iterable of str, the names that the table may have

    Examples
    --------
    >>> why({"type": "greater_than_equal", "loc": ("unit_cost",), "input": -3, "ctx": {"ge": 0.0}, "msg": ""})
    'has to be at least 0, not -3'
    >>> why({"type": "extra_forbidden", "loc": ("unit_csot",), "input": 3, "msg": ""}, ["unit_cost", "kind"])
    'is not known. Did you mean unit_cost? Known are kind, unit_cost'
    """
    kind, given = problem["type"], problem["input"]
    if kind == "missing":
        return translated("is missing")
    if kind == "extra_forbidden":
        names = sorted(known)
        if not names:
            return translated("is not known")
        near = did_you_mean(str(problem["loc"][-1]), names)
        return translated("is not known.{near} Known are {names}", near=near, names=names)
    if kind in _BOUNDS:
        words, limit = _BOUNDS[kind]
        return translated(words, limit=problem["ctx"][limit], given=given)
    if kind == "literal_error":
        return translated(
            "has to be {expected}, not {given!r}", expected=problem["ctx"]["expected"], given=given
        )
    if wanted := _KINDS.get(kind.split("_")[0]):
        return translated(wanted, given=given)
    message: str = problem["msg"].removeprefix("Value error, ").rstrip(".")
    return message
