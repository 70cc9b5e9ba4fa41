"""Own columns among the pages: names and cells in the table, values as filters, and the file that they come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from starlette.responses import Response

from features.errors import StayworthError
from features.language import translated, written
from serving.lists.own_cells import own_cells
from serving.store.choice import Choice
from serving.store.own_column import OWN, OwnColumn, OwnValue
from serving.store.own_columns import OwnColumns
from serving.workbench.page import go_to, said
from serving.workbench.uploads import matching, uploaded
from serving.workbench.visit import WAIT_SECONDS, Visit


def names_of(columns: Sequence[OwnColumn]) -> dict[str, str]:
    """Return what the columns are called, by their names among those of the table."""
    return {f"{OWN}{column.name}": column.name for column in columns}


def filters(columns: Sequence[OwnColumn]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the field, the title and the values of each filter."""
    return [
        ("own", column.name, [(value.key, words(column, value)) for value in _from_the_smallest(column)])
        for column in columns
        if column.values
    ]


def _from_the_smallest(column: OwnColumn) -> Sequence[OwnValue]:
    return column.values[::-1] if column.numeric else column.values


def words(column: OwnColumn, value: OwnValue) -> str:
    """Return a value, or a range of numbers, in words."""
    if not column.numeric:
        return value.text
    ends = [written(float(end), ",.12g") for end in value.text.split()]
    return ends[0] if len(ends) == 1 else translated("{low} to {high}", low=ends[0], high=ends[1])


def chosen_in_words(choice: Choice, columns: Sequence[OwnColumn]) -> list[str]:
    """Return the values that are chosen, each with the name of its column."""
    known = {
        each.key: f"{column.name}: {words(column, each)}" for column in columns for each in column.values
    }
    gone = translated("a value of an own column that nobody has any more")
    return list(dict.fromkeys(known.get(key, gone) for key in choice.own))


def cells_of(own: OwnColumns, columns: Sequence[OwnColumn], ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the cells of some customers in words, by customer and name of the column in the table."""
    if not columns:
        return {}
    return {
        customer_id: {f"{OWN}{each.name}": _cell(cells, each) for each in columns}
        for customer_id, cells in own.cells_of(ids).items()
    }


def _cell(cells: Sequence[Any], column: OwnColumn) -> str:
    cell = cells[column.place] if column.place < len(cells) else None
    if cell is None:
        return ""
    return written(cell, ",.12g") if column.numeric else str(cell)


def with_cells(rows: pd.DataFrame, own: OwnColumns, names: Sequence[str]) -> pd.DataFrame:
    """Add own columns to rows that are taken out, under their own names."""
    wanted = [column for column in own.all() if f"{OWN}{column.name}" in names]
    if not wanted:
        return rows
    cells = own.cells_of(list(rows["customer_id"]))
    columns = {
        column.name: [cells[each][column.place] if each in cells else None for each in rows["customer_id"]]
        for column in wanted
    }
    return rows.assign(**columns)


def bring(visit: Visit) -> Response:
    """Take in a file of own columns in place of those before, or remove them."""
    own = visit.sources.store.customers.own
    if visit.sent("drop") == "1":
        own.remove(visit.who.name, wait_seconds=WAIT_SECONDS)
        return go_to("/customers")
    try:
        with uploaded(visit, "columns") as path:
            listed = visit.sources.store.customers.ids()
            how = matching(visit)
            cells, sentences = own_cells(path, listed, loosely=how["loosely"], flag=how["flag"])
        kept = own.replace(cells, visit.who.name, wait_seconds=WAIT_SECONDS)
    except StayworthError as error:
        if type(error) is not StayworthError:
            raise
        title = translated("These columns cannot be kept.")
        return said(visit, title, str(error), status=400, back="/customers")
    names = [translated("{name} (numbers)", name=each.name) if each.numeric else each.name for each in kept]
    sentences.append(translated("Own columns: {names}.", names=names))
    return said(visit, translated("The columns are kept."), *sentences, status=200, back="/customers")
