"""A description of a validated log, to look at before anything is learnt from it: ids, dates, money, findings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from features.log.customer_days import customer_days
from features.log.findings import Finding
from features.log.report import LogReport
from features.log.transactions import TransactionLog

_EXAMPLES = 3


@dataclass(frozen=True)
class LogDescription:
    """What a log holds.

    Attributes
    ----------
    report : LogReport, the account of its rows
    columns : dict of the contract's column to the log's
    ids, dates, money : dicts of a fact's name to its value; money in units of the currency
    findings : tuple of Finding
    accepted : frozenset of str, names of findings that the caller accepts
    """

    report: LogReport
    columns: dict[str, str]
    ids: dict[str, Any]
    dates: dict[str, Any]
    money: dict[str, Any]
    findings: tuple[Finding, ...]
    accepted: frozenset[str]

    @property
    def open_findings(self) -> list[Finding]:
        """The findings that were not accepted."""
        return [finding for finding in self.findings if finding.name not in self.accepted]

    @property
    def usable(self) -> bool:
        """Whether no open finding makes every number wrong."""
        return not any(finding.fatal for finding in self.open_findings)

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return the facts by title."""
        return {"Columns": self.columns, "Ids": self.ids, "Dates": self.dates, "Money": self.money}

    def to_dict(self) -> dict[str, Any]:
        """Return everything, for JSON: days as text."""
        findings = [asdict(each) | {"accepted": each.name in self.accepted} for each in self.findings]
        facts = {title.lower(): values for title, values in self.facts().items()}
        return {"usable": self.usable, "rows": asdict(self.report), **facts, "findings": findings}


def describe(
    log: TransactionLog, findings: Sequence[Finding], accepted: Collection[str] = ()
) -> LogDescription:
    """Describe a validated log.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from features.log.validation import validate
    >>> raw = pa.table({
    ...     "customer_id": ["017", "017", "18"],
    ...     "ordered_at": ["1998-01-05", "1998-02-01", "1998-02-01"],
    ...     "amount": ["20.50", "-3", "7"],
    ... })
    >>> found = describe(validate(raw), [])
    >>> found.ids["with_leading_zeros"], found.dates["days_with_orders"], found.money["net"]
    (1, 2, 24.5)
    """
    return LogDescription(
        report=log.report,
        columns=dict(log.names),
        ids=_ids(log),
        dates=_dates(log),
        money=_money(log),
        findings=tuple(findings),
        accepted=frozenset(accepted),
    )


def _ids(log: TransactionLog) -> dict[str, Any]:
    ids, rows = log.customer_ids.dictionary, np.bincount(log.customer_codes)
    lengths = pc.utf8_length(ids)
    zeros = pc.sum(pc.match_substring_regex(ids, "^0[0-9]")).as_py()
    days = len(customer_days(log.customer_codes, log.days).days)
    return {
        "customers": len(ids),
        "examples": ids.slice(0, _EXAMPLES).to_pylist(),
        "shortest": pc.min(lengths).as_py(),
        "longest": pc.max(lengths).as_py(),
        "with_leading_zeros": zeros,
        "most_frequent": ids[int(rows.argmax())].as_py(),
        "rows_of_the_most_frequent": int(rows.max()),
        "days_per_customer": days / len(ids),
        "customers_without_a_purchase": log.report.refunds_only_customers,
        "customers_without_a_used_row": len(log.customers_without_a_used_row),
    }


def _dates(log: TransactionLog) -> dict[str, Any]:
    days, _ = log.rows_by_day
    gaps = np.diff(days).astype(int)
    return {
        "first": log.first_day,
        "last": log.last_day,
        "days": (log.last_day - log.first_day).days + 1,
        "days_with_orders": len(days),
        "longest_gap_in_days": int(gaps.max()) if gaps.size else 0,
        "longest_gap_from": days[int(gaps.argmax())].item() if gaps.size else None,
        "timezone": log.timezone,
    }


def _money(log: TransactionLog) -> dict[str, Any]:
    amounts = log.table["amount_cents"].to_numpy() / 100
    bought, returned = amounts[amounts > 0], amounts[amounts < 0]
    return {
        "currency": log.currency,
        "net": float(amounts.sum()),
        "purchases": float(bought.sum()),
        "refunds": float(returned.sum()),
        "rows_of_purchases": len(bought),
        "rows_of_refunds": len(returned),
        "rows_of_zero": log.report.zero_amounts,
        "identical_rows": log.report.identical_rows,
        "median_purchase": float(np.median(bought)) if bought.size else 0.0,
        "largest_purchase": float(bought.max()) if bought.size else 0.0,
    }
