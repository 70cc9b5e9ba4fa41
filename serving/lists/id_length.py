"""The column ``id_length`` of a scored list: how many characters each id has.

A spreadsheet takes the leading zeros off numbers. ``42`` may have been ``0042`` or ``00042``, and nothing in a saved
list would tell; so a list whose ids have such zeros has their lengths beside them, and they can be put back.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import StayworthError
from features.language import translated
from features.log.findings import WARNING
from features.log.identity import examples

ID_LENGTH = "id_length"
_WITH_ZEROS = "0[0-9]+"


def with_id_lengths(rows: pa.Table | pd.DataFrame) -> pa.Table | pd.DataFrame:
    """Return rows with the lengths of their ``customer_id`` in a last column, if a spreadsheet would shorten one.

    Examples
    --------
    >>> with_id_lengths(pd.DataFrame({"customer_id": ["0042", "7"]}))["id_length"].tolist()
    [4, 1]
    >>> with_id_lengths(pa.table({"customer_id": ["0042", "7"]}))["id_length"].to_pylist()
    [4, 1]
    >>> list(with_id_lengths(pd.DataFrame({"customer_id": ["42", "A-007"]})))
    ['customer_id']
    """
    if isinstance(rows, pa.Table):
        written = rows["customer_id"].cast(pa.string())
        if (
            ID_LENGTH in rows.column_names
            or not pc.any(pc.match_substring_regex(written, f"^{_WITH_ZEROS}$")).as_py()
        ):
            return rows
        return rows.append_column(ID_LENGTH, pc.utf8_length(written).cast(pa.int64()))
    ids = rows["customer_id"].astype(str)
    if ID_LENGTH in rows or not ids.str.fullmatch(_WITH_ZEROS).any():
        return rows
    return rows.assign(**{ID_LENGTH: ids.str.len()})


def with_zeros(ids: pd.Series, lengths: pd.Series, file: str) -> tuple[pd.Series, list[str]]:
    """Return ids with the zeros that a spreadsheet took off, and a sentence if it took some.

    Parameters
    ----------
    ids : Series of str
    lengths : Series of the same rows, the column ``id_length`` as it was read
    file : str, its name

    Raises
    ------
    StayworthError
        If an id has another length than it had, and zeros do not explain it.

    Examples
    --------
    >>> with_zeros(pd.Series(["42", "7"]), pd.Series(["4", "1"]), "list.csv")[0].tolist()
    ['0042', '7']
    """
    had = pd.to_numeric(lengths, errors="coerce")
    shorter = ids.str.fullmatch("[0-9]+") & (ids.str.len() < had)
    whole = ids.mask(shorter, [each.zfill(int(n)) for each, n in zip(ids, had.fillna(0), strict=True)])
    odd = had.notna() & (whole.str.len() != had)
    if odd.any():
        raise StayworthError(
            translated(
                "In {file} {n:id has|ids have} another length than the list was written with, such as {examples}: a "
                "spreadsheet or a hand has changed them. Give the list that 'stayworth score' wrote.",
                file=file,
                n=int(odd.sum()),
                examples=examples(ids[odd]),
            )
        )
    if not shorter.any():
        return ids, []
    first = shorter.idxmax()
    return whole, [
        translated(
            WARNING,
            sentence=translated(
                "{n:id|ids} of {file} had lost their leading zeros, as a spreadsheet does: they were put back, such as "
                "{before} to {after}.",
                n=int(shorter.sum()),
                file=file,
                before=repr(ids[first]),
                after=repr(whole[first]),
            ),
        )
    ]
