"""Loading a log of orders in one step, from whatever a program has: a path, a database's URI or a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa

from features.log.settings import Columns, LogRules
from features.log.sources import read_log
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.suggestion import did_you_mean

LogSource: TypeAlias = TransactionLog | pd.DataFrame | pa.Table | str | Path
"""A log of orders: validated, as a table with a row per order or line of an order, or where it is."""

LOG_OPTIONS = frozenset({*LogRules.model_fields, *Columns.model_fields} - {"quarantine"})


def load_log(source: LogSource, **options: Any) -> TransactionLog:
    """Read and validate a log of orders.

    Parameters
    ----------
    source : TransactionLog, pandas.DataFrame, pyarrow.Table, path or URI
        A validated log is returned as it is, and then takes no options.
    **options
        Fields of `Columns` (what the log calls its columns) and of `LogRules` (how its rows are read), by the
        names of the flags: ``customer_column="Customer ID"``, ``currency="EUR"``. Dates may be text.

    Returns
    -------
    TransactionLog

    Raises
    ------
    LogError
        If the log cannot be read or used.
    TypeError
        If there is no such option.

    Examples
    --------
    >>> orders = pd.DataFrame({"client": ["17"], "ordered_at": ["1998-01-05"], "amount": ["20.50"]})
    >>> print(load_log(orders, customer_column="client").report)
    1 rows in = 1 used + 0 quarantined
    """
    if unknown := sorted(options.keys() - LOG_OPTIONS):
        raise TypeError(unknown_option(unknown[0], LOG_OPTIONS))
    if isinstance(source, TransactionLog):
        if options:
            raise TypeError(
                f"{min(options)} belongs to the reading of a log, and this log is validated already"
            )
        return source
    raw = source if isinstance(source, pd.DataFrame | pa.Table) else read_log(source)
    mapped = {name: value for name, value in options.items() if name in Columns.model_fields}
    rules = {name: value for name, value in options.items() if name in LogRules.model_fields}
    return validate(raw, LogRules(**rules), Columns(**mapped))


def unknown_option(name: str, known: frozenset[str]) -> str:
    """Return the message about an option that there is not."""
    return f"there is no option {name!r}.{did_you_mean(name, known)}"
