"""Cohorts of customers that a TOML file describes, each by a name, dates and a condition over the log's columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from features.documents import read_toml
from features.errors import StayworthError
from features.language import translated

_COHORT_KEYS = {"name", "from", "to", "where", "only"}


@dataclass(frozen=True)
class Cohort:
    """Customers with a purchase in a span of days that meets a condition, or all of whose purchases in it meet it.

    Attributes
    ----------
    name : str
    start, end : date or None, the first day and the first day after; None for no limit
    where : str or None, an SQL condition over the columns of the validated log, such as ``channel = 'web'``
    only : bool, whether all purchases in the span have to meet it, such as those who bought only on discount
    """

    name: str
    start: date | None = None
    end: date | None = None
    where: str | None = None
    only: bool = False


def read_cohorts(path: Path) -> list[Cohort]:
    """Read ``[[cohorts]]`` of a TOML file.

    Raises
    ------
    StayworthError
        If the file cannot be read, or a cohort has no name, an unknown key or no day.
    """
    try:
        content = read_toml(path)
    except (OSError, ValueError) as error:
        raise StayworthError(translated("Cannot read {path}: {error}.", path=path, error=error)) from None
    tables = content.get("cohorts")
    if not isinstance(tables, list) or not tables:
        raise StayworthError(
            translated("{path} has no [[cohorts]]. Give each a name, and from, to or where.", path=path)
        )
    cohorts = [_cohort(table, path) for table in tables]
    if len({cohort.name for cohort in cohorts}) < len(cohorts):
        raise StayworthError(translated("{path} has two cohorts of one name. Rename one of them.", path=path))
    return cohorts


def _cohort(table: dict[str, Any], path: Path) -> Cohort:
    name = table.get("name")
    if not isinstance(name, str) or not name.strip() or set(table) - _COHORT_KEYS:
        raise StayworthError(
            translated(
                "{path}: a cohort has a name, and from, to (dates), where or only; this has {keys}.",
                path=path,
                keys=list(table),
            )
        )
    start, end, where, only = (table.get(key) for key in ("from", "to", "where", "only"))
    if any(day is not None and type(day) is not date for day in (start, end)):
        raise StayworthError(
            translated(
                "{path}: from and to of {name!r} are dates without quotes: from = 2011-03-01.",
                path=path,
                name=name,
            )
        )
    if where is not None and not isinstance(where, str):
        raise StayworthError(
            translated("{path}: where of {name!r} is an SQL condition in quotes.", path=path, name=name)
        )
    if only not in (None, True, False) or (only and not where):
        raise StayworthError(
            translated(
                "{path}: only = true of {name!r} says that all purchases meet its where; give that too.",
                path=path,
                name=name,
            )
        )
    if start and end and start >= end:
        raise StayworthError(
            translated(
                "{path}: {name!r} ends before it begins; 'to' is the first day after it.",
                path=path,
                name=name,
            )
        )
    return Cohort(name.strip(), start, end, where, bool(only))
