"""A file of what the operator knows of customers, as the own columns of the store take it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from features.errors import StayworthError
from features.language import translated
from features.log.identity import examples
from features.log.matching import IdMatch
from features.suggestion import nearest
from serving.lists.contacts import CUSTOMER_ID, Contacts, reason_of_few
from training.model.score_schema import SCORE_COLUMNS


def own_cells(
    path: Path,
    listed: Sequence[str],
    *,
    only: Sequence[str] = (),
    loosely: bool = False,
    flag: str = "--loose-ids",
) -> tuple[pd.DataFrame, list[str]]:
    """Read the cells of customers from a file, and say how many of the published list have some.

    Parameters
    ----------
    path : CSV, Parquet or Excel file with a column ``customer_id``, one row a customer
    listed : ids of the published list
    only : names of columns; by default all
    loosely : bool
        Match ids as in `features.log.matching.match_ids`.
    flag : str
        What would have it so.

    Returns
    -------
    DataFrame by customer id, and sentences

    Raises
    ------
    StayworthError
        If the file cannot be read, lacks a column, has one of a score's, or nobody of the list is in it.
    """
    contacts = Contacts(path, loosely=loosely)
    contacts.require_no_clash(list(SCORE_COLUMNS))
    names = [str(name) for name in contacts.table.columns]
    for name in only:
        if name not in names:
            raise StayworthError(
                translated(
                    "{file} has no column {name!r}. Did you mean {near!r}? It has {names}.",
                    file=contacts.name,
                    name=name,
                    near=nearest(name, names) or names[0] if names else "",
                    names=", ".join(names),
                )
            )
    cells = contacts.table[list(only)] if only else contacts.table
    if not len(contacts):
        raise StayworthError(
            translated(
                "{name} has columns ({names}) but no rows.", name=contacts.name, names=[CUSTOMER_ID, *names]
            )
        )
    match = contacts.matched(pd.DataFrame({CUSTOMER_ID: list(listed)}, dtype="str"))
    if listed and not match.pairs:
        raise StayworthError(
            translated(
                "{file} has a row for nobody of the published list. {reason} The list has {theirs}; {file} has {ours}.",
                file=contacts.name,
                reason=reason_of_few(match, flag),
                theirs=examples(listed),
                ours=examples(cells.index),
            )
        )
    theirs = {there: ours for ours, there in match.pairs.items()}
    cells = cells.rename(index=lambda each: theirs.get(each, each))
    return cells, [*contacts.remarks, *_found(contacts, len(match.pairs), len(listed)), *_missed(match, flag)]


def _found(contacts: Contacts, found: int, listed: int) -> Iterator[str]:
    """Say how many of the list have a row, and how many rows are of nobody in it."""
    yield translated(
        "{found:,} of {n:customer|customers} of the published list have a row in {file}.",
        found=found,
        n=listed,
        file=contacts.name,
    )
    if others := len(contacts) - found:
        yield translated(
            "{n:row|rows} of it are of customers who are not in the list; they are kept for a list that has them.",
            n=others,
        )


def _missed(match: IdMatch, flag: str) -> list[str]:
    return [reason_of_few(match, flag)] if match.missed else []
