"""The published list, or some customers of it, as the table that a plan reads from a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from features.errors import StayworthError
from features.language import translated
from features.log.identity import examples
from serving.store.choice import Choice
from serving.store.customers import Customers
from serving.store.store import Store
from training.model.score_schema import SCHEMA, SCORE_COLUMNS

_SAMPLE = 20
_LONGEST = 20
"""Characters that ids of digits have at most: spreadsheets keep fifteen of them."""


def require_zeros_as_published(scores: pd.DataFrame, file: str, store: Store) -> None:
    """Refuse a list without the leading zeros that its customers have in the published list.

    Raises
    ------
    StayworthError
        If ids are published with zeros before them, and none of them as the list has it.
    """
    ids = scores.get("customer_id", pd.Series(dtype=str)).astype(str)
    bare = ids[ids.str.fullmatch("[1-9][0-9]*")].head(_SAMPLE).tolist()
    if not bare or store.newest() is None:
        return
    padded = {each.zfill(length): each for each in bare for length in range(len(each) + 1, _LONGEST + 1)}
    published = {str(score["customer_id"]) for score in store.lookup([*bare, *padded]).scores}
    if published and not published & set(bare):
        raise StayworthError(
            translated(
                "The ids of {file} lack the leading zeros that their customers have in the published list, such as "
                "{ids} for {published}: a spreadsheet has taken them off. Give the list that 'stayworth score' wrote, "
                "or leave --scores out to plan from the published list.",
                file=file,
                ids=examples([padded[each] for each in sorted(published)], 1),
                published=examples(sorted(published), 1),
            )
        )


def published_rows(
    customers: Customers, choice: Choice, columns: Sequence[str]
) -> tuple[pd.DataFrame, int | None]:
    """Return some columns of the chosen customers, in their order, and the set that they are of; None: nobody.

    Raises
    ------
    StayworthError
        If a new list was published while it was read.
    """
    parts, sets = [], set()
    for rows in customers.all(choice):
        sets.add(rows[0].set_id)
        if len(sets) > 1:
            break
        shared = customers.shared_by(rows[0].set_id)
        cells = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
        of_rows = {name: list(cells[name]) for name in columns if name not in shared}
        parts.append(
            pd.DataFrame(of_rows).assign(**{name: shared[name] for name in columns if name in shared})
        )
    if len(sets) > 1 or (parts and not customers.shared_by(min(sets))):
        raise StayworthError(translated("A new list was published meanwhile. Take it out again."))
    if not parts:
        return pd.DataFrame(columns=list(columns)), None
    return pd.concat(parts, ignore_index=True)[list(columns)], min(sets)


def published_scores(customers: Customers, choice: Choice) -> tuple[pd.DataFrame, int | None]:
    """Return the chosen customers as `serving.campaign.list_file.read_scores` reads them from a file.

    Raises
    ------
    StayworthError
        If a new list was published while it was read.
    """
    scores, set_id = published_rows(customers, choice, SCORE_COLUMNS)
    for name, column in SCHEMA.items():
        if column.type in (float, int):
            scores[name] = scores[name].astype(float)
        elif column.type is date:
            scores[name] = [each.isoformat() if each is not None else "" for each in scores[name]]
        elif column.type is list:
            scores[name] = ["; ".join(each) for each in scores[name]]
        else:
            scores[name] = scores[name].astype(object).where(scores[name].notna(), "").astype(str)
    return scores, set_id
