"""Why a value of a file is refused, in the words of who wrote the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from features.suggestion import did_you_mean

_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text in quotes",
    "date": "a date such as 2015-01-31",
    "list": "a list",
    "dict": "a table",
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
        return "is missing"
    if kind == "extra_forbidden":
        names = sorted(known)
        return "is not known" + (
            f".{did_you_mean(str(problem['loc'][-1]), names)} Known are {', '.join(names)}" if names else ""
        )
    if kind in _BOUNDS:
        words, limit = _BOUNDS[kind]
        return f"has to be {words} {problem['ctx'][limit]:g}, not {given!r}"
    if kind == "literal_error":
        return f"has to be {problem['ctx']['expected']}, not {given!r}"
    if wanted := _KINDS.get(kind.split("_")[0]):
        return f"has to be {wanted}, not {given!r}"
    message: str = problem["msg"].removeprefix("Value error, ").rstrip(".")
    return message
