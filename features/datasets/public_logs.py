"""Public logs: CDNOW, which the lifetimes package ships, and UCI Online Retail II from its workbook.

Each comes as a raw log with the contract's column names, ready for validation.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import pandas as pd
import pyarrow as pa

from features.errors import LogError, MissingColumnError
from features.progress import Report

_RETAIL_COLUMNS = ("Customer ID", "InvoiceDate", "Invoice", "StockCode", "Quantity", "Price")
_REPORT_ROWS = 50_000
_CENT = Decimal("0.01")


class _Line(NamedTuple):
    customer_id: str | None
    ordered_at: datetime
    amount: float
    order_id: str
    product_id: str | None
    quantity: float


_LINE_TYPES = (pa.string(), pa.timestamp("s"), pa.float64(), pa.string(), pa.string(), pa.float64())


def cdnow() -> pa.Table:
    """Return every order of 23,570 customers of the music shop CDNOW, 1997-01-01 to 1998-06-30.

    All of them bought for the first time in the first quarter of 1997.

    Returns
    -------
    pyarrow.Table
        69,659 rows: customer_id (text, ``00001`` to ``23570``), ordered_at (date), amount (US dollars),
        quantity (CDs). 80 amounts are zero; 255 rows repeat an earlier one and are orders all the same.

    Raises
    ------
    LogError
        If the package lifetimes, which the file comes with, is not installed.

    References
    ----------
    Fader and Hardie (2001), Forecasting Repeat Sales at CDNOW: A Case Study, Interfaces 31(3).

    Examples
    --------
    >>> cdnow().slice(0, 1).to_pylist()
    [{'customer_id': '00001', 'ordered_at': datetime.date(1997, 1, 1), 'amount': 11.77, 'quantity': 1}]
    """
    return _cdnow("CDNOW_master.txt", ["customer_id", "ordered_at", "quantity", "amount"], header=0)


def cdnow_sample() -> pa.Table:
    """Return the orders of the 2,357 CDNOW customers (one in ten) that the published models were fitted to.

    Returns
    -------
    pyarrow.Table
        6,919 rows with the columns of :func:`cdnow` and master_id. customer_id counts the sample's customers,
        ``0001`` to ``2357``; master_id is the same customer's id in :func:`cdnow`.

    Raises
    ------
    LogError
        If the package lifetimes, which the file comes with, is not installed.

    Examples
    --------
    >>> cdnow_sample().slice(0, 1).to_pylist()
    [{'customer_id': '0001', 'ordered_at': datetime.date(1997, 1, 1), 'amount': 29.33, 'quantity': 2,
      'master_id': '00004'}]
    """
    names = ["master_id", "customer_id", "ordered_at", "quantity", "amount"]
    return _cdnow("CDNOW_sample.txt", names, header=None)


def _cdnow(name: str, names: list[str], header: int | None) -> pa.Table:
    try:
        files = importlib.metadata.files("lifetimes") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    path = next((file.locate() for file in files if file.name == name), None)
    if path is None:
        raise LogError(f"{name} is not installed. It comes with lifetimes: pip install lifetimes")
    rows = pd.read_csv(str(path), sep=r"\s+", header=header, names=names, dtype=str)
    table = {
        "customer_id": pa.array(rows["customer_id"], pa.string()),
        "ordered_at": pa.array(pd.to_datetime(rows["ordered_at"], format="%Y%m%d"), pa.date32()),
        "amount": pa.array(rows["amount"].astype(float)),
        "quantity": pa.array(rows["quantity"].astype(int)),
    }
    if "master_id" in rows:
        table["master_id"] = pa.array(rows["master_id"], pa.string())
    return pa.table(table)


def online_retail_from_workbook(path: str | Path, *, progress: Report | None = None) -> pa.Table:
    """Turn the workbook of UCI Online Retail II into a log, one row a line of an invoice.

    A British online shop for gifts, 2009-12-01 to 2011-12-09, as published: a million lines on two sheets,
    a fifth of them without a customer, with cancellations (negative quantities) and adjustments. Lines of
    1 to 9 December 2010 stand on both sheets: an invoice that an earlier sheet holds is not taken again.
    Reading the published workbook takes a few minutes.

    Parameters
    ----------
    path : str or Path of the .xlsx
    progress : Report, optional
        Called now and then with the sheet's name, the rows read so far, and 0.

    Returns
    -------
    pyarrow.Table
        customer_id (text, null where there is none), ordered_at (seconds), amount (Quantity · Price in
        pounds, rounded half up to pence), order_id (a cancellation's begins with C), product_id, quantity.

    Raises
    ------
    MissingColumnError
        If no sheet has the published columns.
    LogError
        If the file is not there, is not a workbook, or a cell is not what its column says.

    References
    ----------
    Chen (2019), Online Retail II, UCI Machine Learning Repository, CC BY 4.0.
    """
    rows: list[_Line] = []
    headers, taken = [], set[str]()
    with _workbook(Path(path)) as workbook:
        for sheet in workbook.worksheets:
            cells = sheet.iter_rows(values_only=True)
            headers.append(next(cells, ()))
            if set(_RETAIL_COLUMNS) <= set(headers[-1]):
                lines = list(_lines(f"{path}, sheet {sheet.title}", headers[-1], cells, progress))
                rows += (line for line in lines if line.order_id not in taken)
                taken |= {line.order_id for line in lines}
    if not rows:
        found = "; ".join(", ".join(str(name) for name in header if name) for header in headers)
        raise MissingColumnError(
            f"No sheet of {path} has lines under {', '.join(_RETAIL_COLUMNS)}. Its sheets have: {found}."
        )
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, _LINE_TYPES, strict=True)],
        list(_Line._fields),
    )


@contextmanager
def _workbook(path: Path) -> Iterator[Any]:
    try:
        import openpyxl  # only needed here
    except ImportError:
        raise LogError("Reading a workbook needs openpyxl: pip install openpyxl") from None
    if not path.is_file():
        raise LogError(f"There is no file {path}.")
    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (openpyxl.utils.exceptions.InvalidFileException, BadZipFile, KeyError):  # KeyError: another zip
        raise LogError(f"{path} is not an Excel workbook (.xlsx).") from None
    with closing(workbook):
        yield workbook


def _lines(
    where: str, header: Sequence[object], rows: Iterable[Sequence[Any]], progress: Report | None
) -> Iterator[_Line]:
    """Read the lines of a sheet under its header; empty rows are no lines."""
    places = [header.index(name) for name in _RETAIL_COLUMNS]
    for number, row in enumerate(rows, start=2):
        customer, moment, invoice, product, quantity, price = (row[place] for place in places)
        if progress is not None and number % _REPORT_ROWS == 0:
            progress(f"Reading {where}", number, 0)
        if not any(cell is not None for cell in row):
            continue
        try:
            if not isinstance(moment, datetime):
                raise ValueError("InvoiceDate")
            # Half a penny goes up, and on the way back down, so that a return undoes its sale.
            pence = (Decimal(str(quantity)) * Decimal(str(price))).quantize(_CENT, ROUND_HALF_UP)
        except (ValueError, InvalidOperation):
            raise LogError(
                f"{where}, row {number}: InvoiceDate must be a date and time, Quantity and Price numbers."
            ) from None
        yield _Line(
            _label(customer), moment, float(pence), _label(invoice) or "", _label(product), float(quantity)
        )


def _label(cell: object) -> str | None:
    """Return a cell as an id: a spreadsheet keeps 13085 as a number, sometimes as 13085.0."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return None if cell is None else str(cell).strip() or None
