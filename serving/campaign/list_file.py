"""A scored list that a person may have opened in a spreadsheet and saved: read back, or refused for what was lost.

A spreadsheet writes numbers and dates as its country does. The list says itself how: a probability is at most 1, so
that its column shows the decimal mark of all; and a customer's last purchase lies before the snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from features.errors import StayworthError
from features.language import translatable, translated
from features.log.amounts import PLAIN, numbers
from features.log.clock import tomorrow
from features.log.dates import Times, local_times
from features.log.findings import WARNING
from features.log.hidden_rows import REMARKS
from features.log.identity import SCIENTIFIC, examples, read_ids
from features.log.number_style import NumberStyle
from features.log.sources import read_table
from features.snapshot import Snapshot
from serving.lists.id_length import ID_LENGTH, with_zeros
from training.model.score_schema import SCHEMA

CUSTOMER_ID, SNAPSHOT_DATE, LAST_PURCHASE = "customer_id", "snapshot_date", "last_purchase_date"
_ORIGINAL = translatable("Give the list that 'stayworth score' wrote.")
_COMMA = re.compile(r"[01],[0-9]+")
_ROUNDED = re.compile(r"-?[0-9]([.,][0-9]{1,4})?E[+-][0-9]+")
_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "excel")
_MIDNIGHT = r" 0?0:00(:00)?$"
_PROBABILITY, _STAKE, _RISK = "churn_probability", "value_at_stake", "value_at_risk"
_KEPT = 1e-4
"""Share of a number that a spreadsheet's few digits may be off, such as 7.47074E-05; two decimals are off by more."""


def read_scores(path: Path, date_format: str | None = None) -> tuple[pd.DataFrame, list[str]]:
    """Read a scored list, perhaps saved again by a spreadsheet.

    Parameters
    ----------
    path : file, as for `features.log.sources.read_table`
    date_format : str, optional
        How its dates are written, where they are not ISO and the list does not show it.

    Returns
    -------
    tuple of DataFrame and list of str
        The list with ids and dates as text, dates as ISO, numbers as numbers; and sentences about what was read
        otherwise than 'stayworth score' writes it.

    Raises
    ------
    StayworthError
        If it cannot be read, or a spreadsheet has changed it so that digits are lost.
    """
    scores = read_table(path)
    said = [translated(WARNING, sentence=each) for each in scores.attrs.get(REMARKS, ())]
    said += _read_numbers(scores, path.name)
    said += _read_dates(scores, path.name, date_format)
    changed = len(said) > len(scores.attrs.get(REMARKS, ()))
    _require_past(scores, path.name)
    _require_rows_of_one(scores, path.name)
    if CUSTOMER_ID in scores.columns:
        said += _read_customers(scores, path, changed=changed)
    return scores, said


def _read_numbers(scores: pd.DataFrame, name: str) -> Iterator[str]:
    """Read the columns of numbers in place."""
    columns = [
        each for each, column in SCHEMA.items() if column.type in (float, int) and each in scores.columns
    ]
    texts = [each for each in columns if not pd.api.types.is_numeric_dtype(scores[each])]
    shares = [each for each in texts if SCHEMA[each].highest == 1]
    comma = any(_COMMA.fullmatch(str(cell).strip()) for each in shares for cell in scores[each])
    styles = (NumberStyle(decimal=",", thousands="."),) if comma else (PLAIN, NumberStyle(thousands=","))
    grouped = False
    for each in texts:
        written = scores[each].astype("string").str.strip().fillna("")
        column = pa.chunked_array([pa.array(written, pa.string())])
        odd = pd.Series(dtype="string")
        for style in styles:
            read = numbers(column, style).to_numpy()
            odd = written[np.isnan(read) & (written != "").to_numpy()]
            if odd.empty:
                grouped |= style == styles[-1] != PLAIN
                break
        if len(odd):
            raise StayworthError(_no_number(each, name, odd))
        rounded = written[written.str.fullmatch(_ROUNDED.pattern)]
        if len(rounded) and SCHEMA[each].highest != 1:
            raise StayworthError(
                translated(
                    "{n:,} cells of {each} in {name} are in scientific notation, such as {example!r}: a "
                    "spreadsheet has rounded them. {original}",
                    n=len(rounded),
                    each=each,
                    name=name,
                    example=rounded.iloc[0],
                    original=translated(_ORIGINAL),
                )
            )
        scores[each] = read
    if comma:
        yield translated("{name} was saved with decimal commas, and read so.", name=name)
    elif grouped:
        yield translated("{name} was saved with commas for thousands, and read so.", name=name)


def _no_number(column: str, name: str, odd: pd.Series) -> str:
    percent = odd.str.endswith("%").any()
    why = (
        translated("a spreadsheet has rounded it to a percentage")
        if percent
        else translated("write it as 0.25, or with a decimal comma throughout")
    )
    return translated(
        "Column {column!r} of {name} holds {n:,} cells that are no numbers, such as {example!r}: {why}. {original}",
        column=column,
        name=name,
        n=len(odd),
        example=str(odd.iloc[0]),
        why=why,
        original=translated(_ORIGINAL),
    )


def _read_dates(scores: pd.DataFrame, name: str, date_format: str | None) -> Iterator[str]:
    """Write the dates of a list as ISO, in place."""
    columns = [each for each, column in SCHEMA.items() if column.type is date and each in scores.columns]
    written = {each: _as_text(scores[each]) for each in columns}
    odd = [each for each, texts in written.items() if _unread(texts, _read(texts, None))]
    for each in set(columns) - set(odd):
        scores[each] = _iso(_read(written[each], None))
    if not odd:
        return
    formats = [form for form in (date_format and (date_format,) or _FORMATS) if _fits(written, odd, form)]
    if len(formats) != 1:
        texts = written[odd[0]]
        example = texts[texts != ""].iloc[0]
        reason = (
            translated("are read by none of its ways")
            if not formats
            else translated("may be read in several ways")
        )
        raise StayworthError(
            translated(
                "The dates of {example} in {name}, such as {example_2!r}, {reason}. Write them as "
                "2011-01-31, or say how: --date-format '%d/%m/%Y'.",
                example=odd[0],
                name=name,
                example_2=example,
                reason=reason,
            )
        )
    for each in odd:
        scores[each] = _iso(_read(written[each], formats[0]))
    yield translated("{name} was saved with dates as {example}, and read so.", name=name, example=formats[0])


def _require_past(scores: pd.DataFrame, name: str) -> None:
    latest = Snapshot.after(tomorrow().date).date.isoformat()
    ahead = [each for each in scores.get(SNAPSHOT_DATE, pd.Series(dtype=str)).unique() if str(each) > latest]
    if ahead:
        raise StayworthError(
            translated(
                "{name} is of {example}, which lies ahead: nobody knows the orders until then. A "
                "spreadsheet may have changed its dates. {original}",
                name=name,
                example=ahead[0],
                original=translated(_ORIGINAL),
            )
        )


def _require_rows_of_one(scores: pd.DataFrame, name: str) -> None:
    """Refuse rows in which value_at_risk is no product of the two others, as docs/scores.md says that it is."""
    if not {_PROBABILITY, _STAKE, _RISK} <= set(scores.columns):
        return
    told, stake, risk = (scores[each].to_numpy(dtype=float) for each in (_PROBABILITY, _STAKE, _RISK))
    product = told * stake
    odd = np.abs(risk - product) > _KEPT * np.maximum(np.abs(risk), np.abs(product)) + 1e-6
    if odd.any():
        first = int(odd.argmax())
        raise StayworthError(
            translated(
                "{name}: in {n:,} of {all:,} rows value_at_risk is not churn_probability times value_at_stake: row "
                "{row:,} has {risk:,.2f}, and the two make {product:,.2f}. A column was sorted without the others, "
                "changed or rounded. {original}",
                name=name,
                n=int(odd.sum()),
                all=len(scores),
                row=first + 1,
                risk=float(risk[first]),
                product=float(product[first]),
                original=translated(_ORIGINAL),
            )
        )


def _as_text(column: pd.Series) -> pd.Series:
    return column.astype("string").str.strip().fillna("").str.replace(_MIDNIGHT, "", regex=True)


def _read(texts: pd.Series, date_format: str | None) -> Times:
    return local_times(pa.chunked_array([pa.array(texts, pa.string())]), date_format=date_format)


def _unread(texts: pd.Series, times: Times) -> bool:
    return bool((np.isnat(times) & (texts != "").to_numpy()).any())


def _iso(times: Times) -> pd.Series:
    return pd.Series(times).dt.strftime("%Y-%m-%d").fillna("")


def _fits(written: dict[str, pd.Series], odd: list[str], date_format: str) -> bool:
    """Tell whether all odd columns can be read by a format, and then no purchase lies after the snapshot."""
    times = {each: _read(texts, date_format if each in odd else None) for each, texts in written.items()}
    if any(_unread(written[each], times[each]) for each in odd):
        return False
    if SNAPSHOT_DATE not in times or LAST_PURCHASE not in times:
        return True
    known = ~np.isnat(times[SNAPSHOT_DATE]) & ~np.isnat(times[LAST_PURCHASE])
    return bool((times[LAST_PURCHASE][known] < times[SNAPSHOT_DATE][known]).all())


def _read_customers(scores: pd.DataFrame, path: Path, *, changed: bool) -> Iterator[str]:
    """Read the ids in place, and warn where a spreadsheet may have taken their leading zeros."""
    ids = pd.Series(read_ids(scores[CUSTOMER_ID]).to_pylist(), index=scores.index, dtype="str")
    odd = ids[ids.str.fullmatch(SCIENTIFIC.strip("^$"), na=False)]
    if len(odd):
        raise StayworthError(
            translated(
                "In {name} {n:id is|ids are} in scientific notation, such as {example!r}: a spreadsheet has "
                "changed them, and their last digits are lost. {original}",
                n=len(odd),
                name=path.name,
                example=odd.iloc[0],
                original=translated(_ORIGINAL),
            )
        )
    ids = ids.fillna("")
    if ID_LENGTH in scores.columns:
        scores[CUSTOMER_ID], said = with_zeros(ids, scores.pop(ID_LENGTH), path.name)
        yield from said
        return
    scores[CUSTOMER_ID] = ids
    digits = ids[ids != ""]
    whole = len(digits) and digits.str.fullmatch("[1-9][0-9]*|0").all() and digits.str.len().nunique() > 1
    if whole and (changed or _kept_as_numbers(path)):
        yield (
            translated(
                "Warning: the ids of {name} are numbers, such as {value}: if those of the log begin with "
                "zeros, a spreadsheet has taken them off, and the lists will not fit. {original}",
                name=path.name,
                value=examples(digits),
                original=translated(_ORIGINAL),
            )
        )


def _kept_as_numbers(path: Path) -> bool:
    """Tell whether a workbook keeps its ids as numbers, where 'stayworth score' writes text."""
    if path.suffix.lower() != ".xlsx":
        return False
    import openpyxl

    with path.open("rb") as file:
        book = openpyxl.load_workbook(file, read_only=True)
        header, first = (list(row) for row in book.worksheets[0].iter_rows(max_row=2, values_only=True))
        book.close()
    return isinstance(first[header.index(CUSTOMER_ID)], int | float)
