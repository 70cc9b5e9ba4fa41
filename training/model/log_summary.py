"""Summary of the log that a version was trained on, and what another log has otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from features.errors import LogError
from features.language import translated
from features.log.currencies import same_currency
from features.log.customer_days import customer_days
from features.log.findings import Finding
from features.log.terms import LogTerms
from features.log.transactions import TransactionLog
from features.table.baskets import NEEDS
from features.table.history import FEATURES

_FEW_ROWS = 100
_OTHER_UNIT = 8
"""Times that the median purchase is larger or smaller in another unit."""


@dataclass(frozen=True)
class LogSummary:
    """The log that a version was trained on.

    Parameters
    ----------
    first_day, last_day : date, of the used rows
    rows_in, rows_used : int
    quarantined : dict of reason to number of rows
    customers : int
    timezone : str
        In which the days of the orders are.
    fingerprint : str
        SHA-256 of the used rows, whatever their order.
    terms : LogTerms or None
        How it was read, the time zone included; None in a card of a release that did not keep it.
    columns : tuple of str
        The optional columns that it had, such as ``channel``.
    median_amount : float or None
        Of its purchases, money; None in a card of a release that did not keep it, or without purchases of money.
    """

    first_day: date
    last_day: date
    rows_in: int
    rows_used: int
    quarantined: dict[str, int]
    customers: int
    timezone: str
    fingerprint: str
    terms: LogTerms | None = None
    columns: tuple[str, ...] = ()
    median_amount: float | None = None

    @classmethod
    def of(cls, log: TransactionLog) -> LogSummary:
        """Take a log's summary from the report of its validation."""
        report = log.report
        return cls(
            first_day=report.first_day,
            last_day=report.last_day,
            rows_in=report.rows_in,
            rows_used=report.rows_used,
            quarantined=dict(report.quarantined),
            customers=report.customers,
            timezone=report.timezone,
            fingerprint=report.fingerprint,
            terms=log.terms,
            columns=log.columns,
            median_amount=_median_amount(log),
        )

    def differences(self, log: TransactionLog, version: str, features: Collection[str] = ()) -> list[Finding]:
        """Return what another log is read by otherwise than the one that a version learnt these features from."""
        mine = self.terms or LogTerms(self.timezone, log.currency, log.amount_expression, log.where)
        found = log.terms.differences(
            mine, translated("the log that version {version} learnt from", version=version)
        )
        found += self._other_unit(log, version)
        if missing := self.missing_columns(log, features):
            found.append(
                Finding(
                    "fewer-columns",
                    translated(
                        "The log has no {columns}, which the log that version {version} learnt from had: what the "
                        "model knows by them is not known here, and scores differ. Name the columns, such as "
                        "--product-column, or train without them: --ignore-column.",
                        columns=list(missing),
                        version=version,
                    ),
                )
            )
        return found

    def _other_unit(self, log: TransactionLog, version: str) -> Iterator[Finding]:
        """Look for amounts in another unit: no usual order grows eightfold, but cents are a hundredfold."""
        few = min(log.table.num_rows, self.rows_used) < _FEW_ROWS
        mine, theirs = self.median_amount, None if few else _median_amount(log)
        if not mine or not theirs or 1 / _OTHER_UNIT < theirs / mine < _OTHER_UNIT:
            return
        yield Finding(
            "other-unit",
            translated(
                "The median purchase of this log is {theirs:,.2f}, that of the log that version {version} learnt from "
                "{mine:,.2f}. Are they in one unit? Turn cents into euros, or tomans into rials: --amount-expression "
                "{example}; or train again.",
                theirs=theirs,
                version=version,
                mine=mine,
                example='"amount / 100"' if theirs > mine else '"amount * 10"',
            ),
            fatal=True,
        )

    def missing_columns(self, log: TransactionLog, features: Collection[str] = ()) -> tuple[str, ...]:
        """Return the columns that this log had and another lacks, as the contract names them; only what scores use.

        Those of features of baskets are missed where they are among ``features``, what the version learnt from.

        Order ids tell the lines of an order from orders of one day: without such days, none is missed.
        """
        scored = {feature.needs for feature in FEATURES} | {"order_id"}
        scored |= {column for name, column in NEEDS.items() if name in features}
        missing = [name for name in self.columns if name in scored and name not in log.columns]
        if "order_id" in missing and not _several_a_day(log):
            missing.remove("order_id")
        return tuple(name.removesuffix("_cents") for name in missing)

    def request_notes(
        self, log: TransactionLog, version: str, features: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Return what the sender of a live request is to know about its scores, in sentences.

        Raises
        ------
        LogError
            If its amounts are in another currency than those that the version learnt from.
        """
        mine = self.terms.currency if self.terms else None
        if log.currency and mine and not same_currency(log.currency, mine):
            raise LogError(
                translated(
                    "The amounts are in {currency}, those that version {version} learnt from in {mine}. "
                    "Convert them.",
                    currency=log.currency,
                    version=version,
                    mine=mine,
                )
            )
        missing = self.missing_columns(log, features)
        if not missing:
            return ()
        return (
            translated(
                "The transactions have no {columns}, which the log that version {version} learnt from had: what the "
                "model knows by them is not known here, and scores differ.",
                columns=list(missing),
                version=version,
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        days = {"first_day": self.first_day.isoformat(), "last_day": self.last_day.isoformat()}
        return asdict(self) | days

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> LogSummary:
        """Read what `to_dict` wrote."""
        days = {name: date.fromisoformat(record[name]) for name in ("first_day", "last_day")}
        terms = LogTerms.from_dict(record["terms"]) if record.get("terms") else None
        return cls(**{**record, **days, "terms": terms, "columns": tuple(record.get("columns", ()))})


def _median_amount(log: TransactionLog) -> float | None:
    cents = log.table["amount_cents"].to_numpy()
    bought = cents[cents > 0]
    return float(np.median(bought)) / 100 if bought.size else None


def _several_a_day(log: TransactionLog) -> bool:
    return bool(len(customer_days(log.customer_codes, log.days).days) < log.table.num_rows)
