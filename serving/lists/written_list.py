"""A list written with the columns that its reader wants: a manager, another program, or all there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from features.errors import OutputError
from features.language import translated
from serving.lists.export import write_table
from serving.lists.id_length import with_id_lengths
from serving.lists.presets import preset_table
from serving.lists.team_list import ListTerms, TeamList
from serving.lists.team_workbook import write_team_workbook
from training.campaign.settings import ListColumns


@dataclass(frozen=True)
class Written:
    """How many customers a list has, and sentences on what its columns made it leave out."""

    customers: int
    said: tuple[str, ...] = ()


def columns_for(path: Path, asked: ListColumns | None) -> ListColumns:
    """Return the columns that a file gets: those asked for; else a workbook the team's, any other file all.

    Raises
    ------
    OutputError
        If the columns are for another kind of file.

    Examples
    --------
    >>> columns_for(Path("list.xlsx"), None), columns_for(Path("scored.csv"), None)
    ('team', 'all')
    """
    kind = path.suffix.lower()
    columns: ListColumns = asked or ("team" if kind == ".xlsx" else "all")
    if columns in ("klaviyo", "mailchimp") and kind != ".csv":
        raise OutputError(
            translated(
                "{columns} imports a CSV. Name the file {name}.",
                columns=columns,
                name=path.with_suffix(".csv").name,
            )
        )
    if columns == "team" and kind == ".parquet":
        raise OutputError(
            translated(
                "A team reads .xlsx or .csv. Name the file {name}.", name=path.with_suffix(".xlsx").name
            )
        )
    return columns


def with_column(rows: pa.Table | pd.DataFrame, name: str, value: str) -> pa.Table | pd.DataFrame:
    """Return rows with a last column that is the same for all.

    Examples
    --------
    >>> with_column(pa.table({"customer_id": ["17"]}), "currency", "EUR").to_pylist()
    [{'customer_id': '17', 'currency': 'EUR'}]
    """
    if isinstance(rows, pd.DataFrame):
        return rows.assign(**{name: value})
    return rows.append_column(name, pa.repeat(pa.scalar(value, pa.large_string()), rows.num_rows))


def write_list(
    rows: pa.Table | pd.DataFrame, path: Path, columns: ListColumns, terms: ListTerms, *, excel: bool = False
) -> Written:
    """Write a list, whole or not at all; return how many customers it has, and what was left out.

    Parameters
    ----------
    rows : DataFrame; where all columns are written, an Arrow table does too

    Raises
    ------
    OutputError
        If the file cannot be written.
    StayworthError
        If the list lacks what the columns need.
    """
    if columns == "all":
        write_table(with_id_lengths(rows), path, excel=excel)
        return Written(len(rows))
    if isinstance(rows, pa.Table):
        raise TypeError(f"the columns {columns} are made of a DataFrame")
    if columns == "team":
        made = TeamList.of(rows, terms)
        if path.suffix.lower() == ".xlsx":
            write_team_workbook(made, path)
        else:
            write_table(made.table(), path, excel=excel)
        return Written(len(rows))
    found = preset_table(rows, columns, terms)
    write_table(found.rows, path, excel=excel)
    return Written(len(found.rows), found.said)
