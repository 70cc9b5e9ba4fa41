"""Scores of customers: feature table + champion → the columns of the contract.

A campaign's list and the answer to a live request take the same path: the log is validated, collapsed to
purchase days, described at the snapshot by the one SQL of the features, and scored by one registered version.
So both give a customer the same numbers, to the last digit, whoever else is in the list or the request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd
import pyarrow as pa

from features.engines.duckdb import DuckDBEngine
from features.errors import WindowError
from features.log.columns import local_now
from features.log.transactions import TransactionLog, validate
from features.settings import LogRules
from features.snapshot import Snapshot
from features.table import PurchaseHistory
from training.model import SCORE_COLUMNS, RetentionModel
from training.versions.registry import DEFAULT_TRACKING_URI, load_champion

NOTHING_USABLE = "no usable order: all were quarantined"


@dataclass(frozen=True)
class ScoredList:
    """Every customer of a log, scored or with the reason why not.

    Parameters
    ----------
    scores : DataFrame of `SCORE_COLUMNS`, most value at risk first, then by customer_id
    unscored : DataFrame of ``customer_id`` and ``reason``, by customer_id
    snapshot : Snapshot
    rows_in, rows_used, rows_not_visible : int
        Rows of the log: all, those before the snapshot, and those at or after it.
    quarantined : dict of reason to number of rows
        ``rows_in == rows_used + rows_not_visible + sum(quarantined.values())``.
    recent : Series of bool, one a row of ``scores``
        Whether the last purchase lies within the model's ``dormant_after_days``: the long gone rarely come back,
        whatever they would be worth.
    """

    scores: pd.DataFrame
    unscored: pd.DataFrame
    snapshot: Snapshot
    rows_in: int
    rows_used: int
    rows_not_visible: int
    quarantined: dict[str, int]
    recent: pd.Series


@dataclass(frozen=True)
class Scorer:
    """One registered version, ready to score.

    Parameters
    ----------
    model : RetentionModel
    version : str
        Written beside every score.
    """

    model: RetentionModel
    version: str

    @classmethod
    def from_registry(cls, tracking_uri: str = DEFAULT_TRACKING_URI) -> Scorer:
        """Load the champion.

        Raises
        ------
        ModelError
            If nothing was promoted yet, or the version cannot be read.
        """
        model, champion = load_champion(tracking_uri)
        return cls(model, champion.version)

    def score_log(
        self,
        log: TransactionLog,
        snapshot: Snapshot | None = None,
        *,
        threads: int | None = None,
    ) -> ScoredList:
        """Score every customer of a log.

        Parameters
        ----------
        log : TransactionLog
        snapshot : Snapshot
            By default the day after the log's last order.
        threads : int
            Of the engine; by default as many as the machine allows. The scores do not depend on it.

        Returns
        -------
        ScoredList

        Raises
        ------
        WindowError
            If the snapshot lies in the future: the orders until then are not known.
        """
        snapshot = snapshot or Snapshot.after(log.last_day)
        _require_known_orders(snapshot)
        with DuckDBEngine(threads=threads) as engine, PurchaseHistory(log, engine) as history:
            table = history.features(snapshot)
            scores = self.model.score(table)
            unscored = history.unscored(snapshot)
            seen = history.rows_seen(snapshot)
        scores = scores.assign(model_version=self.version)[list(SCORE_COLUMNS)]
        scores = scores.sort_values(["value_at_risk", "customer_id"], ascending=[False, True])
        silence = table["days_since_last_purchase"].loc[scores.index]
        return ScoredList(
            scores=scores.reset_index(drop=True),
            unscored=unscored,
            snapshot=snapshot,
            rows_in=log.report.rows_in,
            rows_used=seen,
            rows_not_visible=log.report.rows_used - seen,
            quarantined=dict(log.report.quarantined),
            recent=(silence <= self.model.card["dormant_after_days"]).reset_index(drop=True),
        )

    def score_customers(
        self, rows: pa.Table, snapshot: Snapshot | None = None, *, rules: LogRules | None = None
    ) -> ScoredList:
        """Score the customers of a live request, as `score_log` scores a list.

        Parameters
        ----------
        rows : pyarrow.Table
            The customers' orders, in the columns of the log contract.
        snapshot : Snapshot
            By default tomorrow, so that today's orders count.
        rules : LogRules
            How the rows are read; by default as the contract says, in the time zone of the training log.

        Returns
        -------
        ScoredList
            A customer whose every row is quarantined is unscored too.

        Raises
        ------
        LogError, WindowError
            If no row can be used, the rows mix currencies, or the snapshot lies in the future.
        """
        log = self.request_log(rows, rules)
        # One thread: a request is small, and several are answered at a time.
        scored = self.score_log(log, snapshot or tomorrow(log.report.timezone), threads=1)
        return _with_unusable(scored, rows["customer_id"].to_pylist())

    def request_log(self, rows: pa.Table, rules: LogRules | None = None) -> TransactionLog:
        """Read the orders of a live request: by default in the time zone of the training log."""
        rules = rules or LogRules(timezone=self.model.card["log"]["timezone"])
        return validate(rows, rules, refunds_only=True)


def tomorrow(timezone: str = "UTC", now: datetime | None = None) -> Snapshot:
    """Return the first snapshot that sees all orders of today, on the clock of a time zone.

    Examples
    --------
    >>> str(tomorrow("Asia/Tokyo", now=datetime.fromisoformat("1998-06-30T18:00:00Z")))
    '1998-07-02'
    """
    return Snapshot.after(local_now(now, timezone).astype("datetime64[D]").item())


def _require_known_orders(snapshot: Snapshot) -> None:
    """Refuse a snapshot in the future, by the clock of the time zone that is the furthest ahead."""
    latest = Snapshot.after(tomorrow().date)
    if snapshot > latest:
        raise WindowError(
            f"The snapshot {snapshot} lies in the future: the orders until then are not known. "
            f"Use {latest} or earlier."
        )


def _with_unusable(scored: ScoredList, customers: Iterable[str]) -> ScoredList:
    """List the customers whose every row was quarantined among the unscored."""
    missing = sorted({*customers}.difference(scored.scores["customer_id"], scored.unscored["customer_id"]))
    if not missing:
        return scored
    unusable = pd.DataFrame({"customer_id": missing, "reason": NOTHING_USABLE})
    unscored = pd.concat([scored.unscored, unusable]).sort_values("customer_id", ignore_index=True)
    return replace(scored, unscored=unscored)
