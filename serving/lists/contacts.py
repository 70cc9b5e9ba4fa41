"""A table of contacts, joined to a scored list by customer id."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from features.errors import StayworthError
from features.language import translated
from features.log.hidden_rows import REMARKS
from features.log.identity import examples, read_ids
from features.log.matching import FEW, IdMatch, match_ids
from features.log.sources import read_table
from features.suggestion import nearest

CUSTOMER_ID = "customer_id"
_EXAMPLES = 3


class Contacts:
    r"""What is known of customers besides their orders, such as names and addresses.

    Parameters
    ----------
    path : CSV, Parquet or Excel file with a column ``customer_id``, one row a customer
    loosely : bool
        Match ids as in :func:`features.log.matching.match_ids`.
    table : DataFrame, optional
        What the file holds, where it was read before.

    Raises
    ------
    StayworthError
        If the file cannot be read, has no column ``customer_id``, or has customers with more than one row.

    Examples
    --------
    >>> import tempfile
    >>> crm = Path(tempfile.mkdtemp()) / "crm.csv"
    >>> _ = crm.write_text("customer_id,city\n0042,Shiraz\n17,Yazd\n")
    >>> contacts = Contacts(crm)
    >>> contacts.join(pd.DataFrame({"customer_id": ["18", "0042"], "value_at_risk": [9.5, 2.0]}))
      customer_id  value_at_risk    city
    0          18            9.5     NaN
    1        0042            2.0  Shiraz
    """

    def __init__(
        self, path: str | os.PathLike[str], *, loosely: bool = False, table: pd.DataFrame | None = None
    ) -> None:
        self.name = Path(path).name
        self.loosely = loosely
        table = read_table(path) if table is None else table
        self.remarks: list[str] = table.attrs.get(REMARKS, [])
        if CUSTOMER_ID not in table.columns:
            raise StayworthError(self._no_ids(list(map(str, table.columns))))
        # Ids are read as the log's are, so that the same id is the same text.
        ids = pd.Series(read_ids(table[CUSTOMER_ID]).to_pylist(), index=table.index, dtype="str")
        table = table.drop(columns=CUSTOMER_ID)
        # A whole number stays one where a customer without a contact leaves the cell empty.
        table = table.astype(dict.fromkeys(table.select_dtypes("integer").columns, "Int64"))
        self.table = table.set_axis(pd.Index(ids, name=CUSTOMER_ID), axis="index")[ids.notna().to_numpy()]
        twice = self.table.index[self.table.index.duplicated()].unique()
        if len(twice):
            examples = ", ".join(map(repr, twice[:_EXAMPLES]))
            raise StayworthError(
                translated(
                    "{name} has more than one row for {n:customer|customers}, such as {examples}. Keep one each.",
                    name=self.name,
                    n=len(twice),
                    examples=examples,
                )
            )

    def __len__(self) -> int:
        return len(self.table)

    def require_no_clash(self, columns: list[str]) -> None:
        """Raise a StayworthError if a column of the contacts has the name of one of the list's."""
        clashing = [repr(name) for name in self.table.columns if name in columns]
        if clashing:
            raise StayworthError(
                translated(
                    "{name} and the scored list both have {names}. Rename or drop it there.",
                    name=self.name,
                    names=", ".join(clashing),
                )
            )

    def matched(self, scores: pd.DataFrame) -> IdMatch:
        """Match the customers of a list with the contacts."""
        return match_ids(scores[CUSTOMER_ID], self.table.index, loosely=self.loosely)

    def warnings(self, match: IdMatch, flag: str = "--loose-ids") -> list[str]:
        """Return sentences on hidden rows, and where few customers have a contact, with the likeliest reason."""
        found = len(match.pairs)
        if not match.missed and found >= FEW * match.given:
            return list(self.remarks)
        return [
            *self.remarks,
            translated(
                "{found:,} of {n:customer|customers} of the list have a contact in {file}. {reason} The list has "
                "{theirs}; {file} has {ours}.",
                found=found,
                n=match.given,
                file=self.name,
                reason=reason_of_few(match, flag),
                theirs=examples(match.unmatched),
                ours=examples(self.table.index),
            ),
        ]

    def join(self, scores: pd.DataFrame, match: IdMatch | None = None) -> pd.DataFrame:
        """Add the contacts' columns after the list's; empty where a customer has none.

        Raises
        ------
        StayworthError
            If a column of the contacts has the name of one of the list's.
        """
        self.require_no_clash(list(scores.columns))
        match = match or self.matched(scores)
        added = self.table.reindex(scores[CUSTOMER_ID].map(match.pairs)).set_axis(scores.index, axis="index")
        return pd.concat([scores, added], axis="columns")

    def _no_ids(self, columns: list[str]) -> str:
        near = nearest(CUSTOMER_ID, columns, cutoff=0.4)
        remedy = (
            translated("Rename {near!r} to it.", near=near)
            if near
            else translated("Name the column of ids {id!r}.", id=CUSTOMER_ID)
        )
        return translated(
            "{name} has no column {id!r}; it has {columns}. {remedy}",
            name=self.name,
            id=CUSTOMER_ID,
            columns=", ".join(map(repr, columns)),
            remedy=remedy,
        )


def reason_of_few(match: IdMatch, flag: str) -> str:
    """Say the likeliest reason why few ids match; ``flag`` is what matches more of them."""
    if not match.missed:
        return translated("Compare the ids.")
    more = translated("{n:,} more would match {how}.", n=match.missed, how=translated(match.explanation))
    return more + " " + translated("{flag} matches them so.", flag=flag)
