"""Identities: several ids of one customer, from ``identities.csv (alias_id, customer_id)``.

A customer of a shop and of its web site has two ids. They are united before anything is computed; an alias of an
alias is followed to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.errors import StayworthError
from features.language import translated
from features.log.identity import examples
from features.log.matching import match_ids
from features.log.settings import LogRules, LogSettings
from features.log.transactions import TransactionLog


def read_identities(path: str | Path, rules: LogRules = PLAIN_RULES) -> dict[str, str]:
    """Read the customer of every alias, chains resolved.

    Raises
    ------
    StayworthError
        If the file cannot be read, an alias has two customers, or aliases go round in a circle.
    """
    file = OptionalFile(path, ["alias_id", "customer_id"], rules)
    return resolved(zip(file.ids("alias_id"), file.ids("customer_id"), strict=True), file.name)


def aliases_of(log: LogSettings) -> dict[str, str]:
    """Return the customer of every alias of the file that the settings name; nobody's without one."""
    return read_identities(log.identities, log) if log.identities else {}


def united(orders: TransactionLog, aliases: Mapping[str, str], file_name: str) -> tuple[TransactionLog, str]:
    """Return a log in which aliases count as their customers, and a sentence that says how many are in it."""
    match = match_ids(aliases, orders.table["customer_id"].unique().to_pylist())
    said = translated(
        "{used:,} of {given:alias|aliases} of {file} are in the log; they count as their customers.",
        used=len(match.matched),
        given=len(aliases),
        file=file_name,
    )
    if match.missed:
        said += " " + translated(
            "{n:,} more would match {how}: {examples}. Write them as the log does.",
            n=match.missed,
            how=translated(match.explanation),
            examples=examples(match.unmatched),
        )
    elif aliases and not match.matched:
        said += " " + translated("So the file changes nothing: is it of another log?")
    return orders.with_ids(aliases), said


def resolved(pairs: Iterable[tuple[str, str]], name: str = "the identities") -> dict[str, str]:
    """Follow each alias to the customer at its end.

    Examples
    --------
    >>> resolved([("web-7", "17"), ("app-9", "web-7"), ("17", "17")])
    {'web-7': '17', 'app-9': '17'}
    >>> resolved([("a", "b"), ("b", "a")])
    Traceback (most recent call last):
    features.errors.StayworthError: the identities: the aliases 'a', 'b' name each other in a circle. Say who the
    customer is: take out one of these rows.
    """
    target: dict[str, str] = {}
    doubtful = {}
    for alias, customer in pairs:
        if alias != customer and target.setdefault(alias, customer) != customer:
            doubtful[alias] = (target[alias], customer)
    if doubtful:
        alias, (one, other) = next(iter(doubtful.items()))
        raise StayworthError(
            translated(
                "{name}: {n:alias has|aliases have} two customers, such as {alias!r}: {one!r} and {other!r}. "
                "Keep one row for each.",
                name=name,
                n=len(doubtful),
                alias=alias,
                one=one,
                other=other,
            )
        )
    return {alias: _end(alias, target, name) for alias in target}


def _end(alias: str, target: Mapping[str, str], name: str) -> str:
    seen = [alias]
    while (following := target.get(seen[-1])) is not None:
        if following in seen:
            circle = sorted(seen[seen.index(following) :])
            raise StayworthError(
                translated(
                    "{name}: the aliases {aliases} name each other in a circle. Say who the customer is: "
                    "take out one of these rows.",
                    name=name,
                    aliases=examples(circle),
                )
            )
        seen.append(following)
    return seen[-1]
