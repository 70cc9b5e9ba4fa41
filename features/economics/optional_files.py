"""Optional files of a report, such as spend, targets or customers: read by the contract of the log.

Ids, dates and numbers are read as the log's are (`features.log`), with its time zone, date format, calendar and
decimal mark, so that an id is the same text in both. These files are written by hand: a cell that cannot be read is
an error that names its row, and the flag that would read it, and nothing is guessed. What can be read and may mean
something else is a finding.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.errors import StayworthError
from features.language import translatable, translated
from features.log.amounts import Cents, cents, currency_marks, numbers
from features.log.column_text import text
from features.log.columns import listed
from features.log.currencies import currency_code, one_name
from features.log.date_formats import ISO
from features.log.dates import local_times, past_month
from features.log.findings import Finding
from features.log.hidden_rows import REMARKS
from features.log.identity import read_ids
from features.log.notation import in_sentences, perhaps_grouped, written_otherwise
from features.log.settings import LogRules
from features.log.sources import CURRENCIES, read_table
from features.suggestion import nearest

Mask = npt.NDArray[np.bool_]

_EXAMPLES = 3
_CORRECT = translatable("Correct them")
PLAIN_RULES = LogRules()
_CURRENCY_COLUMNS = ("currency", "currency_code", "währung", "waehrung", "devise", "moneda", "ارز")


class OptionalFile:
    r"""The rows of an optional file.

    Parameters
    ----------
    path : CSV, Excel, JSON-lines or Parquet file
    required : names of the columns that it must have
    rules : LogRules, how the log's dates, numbers and ids are written

    Raises
    ------
    StayworthError
        If the file cannot be read, or lacks a column.

    Attributes
    ----------
    findings : list of Finding, on the columns that were read so far

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "targets.csv"
    >>> _ = path.write_text("indicator,target\nchurn_rate,0.1\n")
    >>> file = OptionalFile(path, ["indicator", "target"])
    >>> file.texts("indicator"), file.numbers("target").tolist()
    (['churn_rate'], [0.1])
    """

    def __init__(self, path: str | Path, required: Collection[str], rules: LogRules = PLAIN_RULES) -> None:
        self.path, self.rules = Path(path), rules
        self.table: pd.DataFrame = read_table(path)
        self.table.columns = [str(name).strip() for name in self.table.columns]
        self.findings = [Finding("hidden-rows", each) for each in self.table.attrs.get(REMARKS, ())]
        for name in required:
            self.require_column(name)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def __len__(self) -> int:
        return len(self.table)

    def has(self, name: str) -> bool:
        """Tell whether the file has an optional column."""
        return name in self.table.columns

    def ids(self, name: str) -> list[str]:
        """Read a column of ids, none of which may be missing."""
        found = read_ids(self.table[name], self.rules.fold_ids)
        self.refuse(found.is_null().to_numpy(), translated("have no {column}", column=name), name)
        return list(found.to_pylist())

    def texts(self, name: str) -> list[str | None]:
        """Read a column as text; None where there is nothing."""
        return list(text(self._column(name)).to_pylist())

    def days(self, name: str) -> npt.NDArray[np.int64]:
        """Read a column of dates, none of which may be missing, as days since 1970-01-01."""
        return np.asarray(
            self.optional_days(name, missing=False).to_numpy(zero_copy_only=False), dtype=np.int64
        )

    def optional_days(self, name: str, *, missing: bool = True) -> pa.Array:
        """Read a column of dates as days since 1970-01-01; null where the cell is empty, if that is allowed."""
        column = self._column(name)
        found = local_times(column, self.rules.timezone, self.rules.date_format, self.rules.calendar)
        blank = text(column).is_null().to_numpy(zero_copy_only=False)
        remedy = (
            translatable(
                "Is there such a day in the Jalali calendar? --log-calendar says how dates are written"
            )
            if self.rules.calendar == "jalali"
            else translatable(
                "Write them as 2011-01-31, or as the log's: --date-format '%d/%m/%Y' or --log-calendar jalali"
            )
        )
        wrong = np.isnat(found) & ~(blank & missing)
        if wrong.any() and self.rules.calendar == "jalali":
            first = text(column).to_pylist()[int(wrong.argmax())]
            remedy = past_month(first, self.rules.date_format).rstrip(".") or remedy
        self.refuse(
            wrong,
            translated("have no date in {column} that can be read", column=name),
            name,
            remedy=self._notations(wrong, "dates", name) or remedy,
        )
        days = found.astype("datetime64[D]").astype(np.int64)
        return pa.array(np.where(np.isnat(found), 0, days), pa.int32(), mask=np.isnat(found))

    def numbers(self, name: str, *, negative: bool = False, missing: bool = False) -> npt.NDArray[np.float64]:
        """Read a column of numbers: finite, and neither negative nor missing (NaN) unless that is allowed."""
        column = self._column(name)
        found = numbers(column, self.rules.number_style).to_numpy(zero_copy_only=False)
        blank = text(column).is_null().to_numpy(zero_copy_only=False)
        wrong = ~np.isfinite(found.astype(float)) & ~(blank & missing)
        self.refuse(
            wrong,
            translated("have no number in {column}", column=name),
            name,
            remedy=self._notations(wrong, "amounts", name)
            or translatable("Write it plainly: 1234.50; or as the log's: --decimal and --thousands"),
        )
        self._find_grouped(name)
        if not negative:
            self.refuse(
                found < 0,
                translated("have a negative {column}", column=name),
                name,
                remedy=translatable("Take them out, or correct the sign"),
            )
        return np.asarray(found, dtype=np.float64)

    def shares(
        self, name: str, *, negative: bool = False, missing: bool = False
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Read a column of numbers that may be written as 0.2 or 20%; tell which have the sign."""
        written = pd.Series(self.texts(name), dtype=object).fillna("").astype(str).str.strip()
        percent = written.str.endswith(("%", "٪")).to_numpy(dtype=bool)
        whole = self.table
        if percent.any():
            plainly = written.str.rstrip("%٪").str.strip().to_numpy()
            self.table = whole.assign(**{name: whole[name].where(~percent, plainly)})
        try:
            found = self.numbers(name, negative=negative, missing=missing)
        finally:
            self.table = whole
        return np.where(percent, found / 100, found), percent

    def cents(self, name: str, *, negative: bool = False) -> Cents:
        """Read a column of amounts, in cents."""
        return cents(self.numbers(name, negative=negative))

    def currency(self, *money: str) -> str | None:
        """Return the currency of the file's amounts, where a column names it, or a mark or a format in the cells.

        Parameters
        ----------
        money : names of the columns of amounts; those that the file lacks are passed over

        Raises
        ------
        StayworthError
            If it names several: their sum means nothing.
        """
        found = self._marked(money)
        for name in self.table.columns:
            if name.strip().lower() not in _CURRENCY_COLUMNS:
                continue
            words = pd.Series(self.texts(name), dtype=object).dropna().str.strip().str.upper()
            counts = words.map(one_name(words.unique())).value_counts()
            if len(counts) > 1:
                raise StayworthError(
                    translated(
                        "{file} mixes {n} currencies in {column!r}: {counts}. Give the amounts of one, that of the "
                        "log.",
                        file=self.name,
                        n=len(counts),
                        column=name,
                        counts=", ".join(f"{code} ({rows:,})" for code, rows in counts.items()),
                    )
                )
            found = next(iter(map(str, counts.index)), found)
        return found

    def _marked(self, money: Collection[str]) -> str | None:
        """Return the currency that stands beside the numbers of some columns, or that a workbook formats them in."""
        marks: set[str] = set()
        for name in filter(self.has, money):
            marks |= currency_marks(text(self._column(name)))
            marks |= set(self.table.attrs.get(CURRENCIES, {}).get(name, ()))
        names = sorted(set(one_name(mark for mark in sorted(marks) if currency_code(mark)).values()))
        if len(names) > 1:
            raise StayworthError(
                translated(
                    "{file} mixes {n} currencies in {column!r}: {counts}. Give the amounts of one, that of the log.",
                    file=self.name,
                    n=len(names),
                    column=", ".join(filter(self.has, money)),
                    counts=", ".join(names),
                )
            )
        return names[0] if names else None

    def refuse(self, rows: Mask, what: str, *columns: str, remedy: str = _CORRECT) -> None:
        """Raise a StayworthError that names some rows, if there are any."""
        if rows.any():
            raise StayworthError(
                translated(
                    "{file}: {n:,} of its {all:,} rows {what}: {rows}. {remedy}.",
                    file=self.name,
                    n=int(rows.sum()),
                    all=len(self),
                    what=translated(what),
                    rows=self.described(rows, *columns),
                    remedy=translated(remedy),
                )
            )

    def described(self, rows: Mask, *columns: str) -> str:
        """Name the first few of some rows, with what stands in some columns."""
        places = np.flatnonzero(rows)
        shown = [
            translated(
                "row {number:,} ({cells})",
                number=int(place) + 1,
                cells=", ".join(repr(str(self.table[name].iloc[place])) for name in columns),
            )
            for place in places[:_EXAMPLES]
        ]
        return "; ".join(shown) + (" …" if len(places) > _EXAMPLES else "")

    def _notations(self, wrong: Mask, what: str, name: str) -> str:
        """Say how cells that cannot be read are written, and the flags that read them; empty if that is not known."""
        table, rows = pa.table({name: self._column(name)}), np.flatnonzero(wrong)
        read_as = self.rules.date_format or (ISO if len(rows) < len(self) else None)
        found = (
            written_otherwise(table, rows, what, name, read_as=read_as, rules=self.rules) if rows.size else []
        )
        return " ".join(in_sentences(found)).removesuffix(".")

    def _find_grouped(self, name: str) -> None:
        """Look for numbers that were read, and whose decimal mark may group thousands: 1.000 for 1,000."""
        grouped = perhaps_grouped(self._column(name), self.rules)
        if not len(grouped):
            return
        mark = self.rules.number_style.decimal
        self.findings.append(
            Finding(
                "three-decimals",
                translated(
                    "{file}: the numbers in {column} with the mark '{mark}' have three digits after it, such as "
                    "{examples}: if it groups thousands, they are read as a thousandth of what they are. {flag} reads "
                    "it so.",
                    file=self.name,
                    column=name,
                    mark=mark,
                    examples=listed(grouped.slice(0, 2).to_pylist()),
                    flag=f"--thousands {mark}",
                ),
            )
        )

    def _column(self, name: str) -> pa.ChunkedArray:
        column = self.table[name]
        return pa.chunked_array([pa.array(column, from_pandas=True)])

    def require_column(self, name: str) -> None:
        """Raise a StayworthError that names the nearest column, if the file lacks one."""
        if self.has(name):
            return
        names = list(map(str, self.table.columns))
        near = nearest(name, names)
        remedy = f"Rename {near!r} to it." if near else "Rename the one that you mean."
        raise StayworthError(
            translated(
                "{name} has no column {column!r}; it has {names}. {remedy}",
                name=self.name,
                column=name,
                names=list(names),
                remedy=remedy,
            )
        )
