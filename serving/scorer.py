"""Scores of customers: feature table + champion → the columns of the contract.

A campaign's list and the answer to a live request take the same path: the log is validated, collapsed to
purchase days, described at the snapshot by the one SQL of the features, and scored by one registered version.
So both give a customer the same numbers, to the last digit, whoever else is in the list or the request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.behaviour.files import BehaviourFiles
from features.economics.trailing import CostFiles, TrailingYear
from features.engines.choice import engine_for
from features.engines.engine import Engine
from features.errors import StayworthError
from features.language import translated
from features.log.checks import OLDEST_YEAR
from features.log.clock import require_known_orders, tomorrow
from features.log.column_text import text
from features.log.prices import Prices
from features.log.settings import Columns as LogColumns, LogRules
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.progress import Report
from features.snapshot import Snapshot
from features.table.columns import Columns
from features.table.history import PurchaseHistory
from serving.remarks import Remarks
from serving.scored_list import ScoredList
from serving.scored_part import ScoredPart
from serving.version_costs import VersionCosts
from training.model.retention_model import RetentionModel
from training.model.score_schema import SCORE_COLUMNS
from training.model.self_check import example_orders
from training.versions.registry import DEFAULT_TRACKING_URI, Registry

# A request has a margin because its sender means it: an order without one is not used.
REQUEST_COLUMNS = LogColumns(margin_column="margin")
NOTHING_USABLE = "no usable order: all were quarantined"
_NOBODY = pd.DataFrame({"customer_id": [], "reason": []}, dtype="str")


@dataclass(frozen=True)
class Scorer:
    """One registered version, ready to score.

    Parameters
    ----------
    model : RetentionModel
    version : str
        Written beside every score.
    reasons : bool
        Whether to work the reasons of each score out.
    """

    model: RetentionModel
    version: str
    reasons: bool = True

    @cached_property
    def remarks(self) -> Remarks:
        """What the version says of what it is given."""
        return Remarks(self.model, self.version)

    @cached_property
    def costs(self) -> VersionCosts:
        """What customers cost by the version."""
        return VersionCosts(self.model, self.version)

    @property
    def prices(self) -> Prices | None:
        """The prices by which the version's training log was in real money; None where its money is as booked."""
        terms = self.model.card.log.terms
        return terms.prices if terms else None

    @property
    def money_of(self) -> str | None:
        """The month whose money the version's values are; None where they are in money as booked."""
        return self.prices.base if self.prices else None

    @classmethod
    def from_registry(cls, tracking_uri: str = DEFAULT_TRACKING_URI) -> Scorer:
        """Load the champion.

        Raises
        ------
        ModelError
            If nothing was promoted yet, or the version cannot be read.
        """
        return cls(*Registry(tracking_uri).load_current())

    def warm_up(self) -> None:
        """Score made-up customers, one and many: the first of a process pay for what is prepared once."""
        snapshot = self.model.card.snapshot
        orders = example_orders(self.model, snapshot.date).drop_columns("channel")
        ids = orders["customer_id"]
        copies = [
            orders.set_column(0, "customer_id", pc.binary_join_element_wise(ids, copy, "")) for copy in "abcd"
        ]
        for rows in (orders.slice(0, 1), pa.concat_tables(copies)):
            self.score_customers(rows, snapshot)

    def score_log(
        self,
        log: TransactionLog,
        snapshot: Snapshot | None = None,
        *,
        threads: int | None = None,
        cost_files: CostFiles | None = None,
        beside: BehaviourFiles | None = None,
        progress: Report = lambda step, done, total: None,
    ) -> ScoredList:
        """Score every customer of a log.

        Parameters
        ----------
        log : TransactionLog
        snapshot : Snapshot
            By default the day after the log's last order.
        cost_files : CostFiles, optional
            What each customer cost in the year before; without, the version's means stand for all.
        beside : BehaviourFiles, optional
            What is known of customers beside their orders; what the version learnt from and is not here is missing.
        threads : int
            Of the engine; by default as many as the machine allows. The scores do not depend on it.
        progress : Report, optional
            Told how many customers of a large log are done.

        Returns
        -------
        ScoredList

        Raises
        ------
        WindowError
            If the snapshot lies in the future: the orders until then are not known.
        StayworthError
            If there are files of costs, and the version has not learnt from any.
        """
        snapshot, log = snapshot or Snapshot.after(log.last_day), log.at_prices(self.prices)
        known = cost_files if snapshot.date > log.first_day else None
        year = self.costs.year_of_files(log, snapshot, known) if known else None
        engine_of = partial(engine_for, threads=threads)
        scored = self._score(log, engine_of, snapshot, year, beside, progress)
        of_files = (*self.remarks.of_files(log, snapshot, beside), *scored.notes)
        notes = [*self.remarks.means(year), *(year.notes if year else ()), *of_files]
        return replace(scored, notes=tuple(dict.fromkeys((*self.remarks.money(log), *notes))))

    def score_customers(
        self,
        rows: pa.Table,
        snapshot: Snapshot | None = None,
        *,
        rules: LogRules | None = None,
        beside: BehaviourFiles | None = None,
        costs: pd.DataFrame | None = None,
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
        beside : BehaviourFiles
            What the request says of the customers beside their orders.
        costs : DataFrame by customer_id
            What the customers cost in the year before, as `features.economics.trailing.stated_year` takes it; the
            version's means stand for what is not there.

        Returns
        -------
        ScoredList
            A customer whose every row is quarantined is unscored too.

        Raises
        ------
        LogError, WindowError
            If no row can be used, the rows mix currencies or are in another than the training log's, or the snapshot
            lies in the future.
        """
        log = self.request_log(rows, rules)
        snapshot = snapshot or tomorrow(log.terms.timezone)
        year = self.costs.year_of_request(log, snapshot, costs)
        notes = self.remarks.of_request(log, beside, year)
        scored = self._score(log, partial(engine_for, live=True), snapshot, year, beside)
        scored = replace(scored, notes=(*notes, *scored.notes))
        if not (missing := log.customers_without_a_used_row):
            return scored
        unusable = pd.DataFrame({"customer_id": missing, "reason": NOTHING_USABLE})
        unscored = pd.concat([scored.unscored, unusable]).sort_values("customer_id", ignore_index=True)
        return replace(scored, unscored=unscored)

    def score_one(
        self,
        rows: pa.Table,
        snapshot: Snapshot | None = None,
        beside: BehaviourFiles | None = None,
        costs: pd.DataFrame | None = None,
    ) -> tuple[TransactionLog, ScoredList]:
        """Score the one customer of a live request; return the orders as they were read, too.

        Raises
        ------
        StayworthError
            If the rows are of several customers, or the customer cannot be scored (with the reason); as
            `score_customers` if the rows cannot be used or the snapshot lies ahead.
        """
        log = self.request_log(rows)
        customers = len(text(rows["customer_id"]).drop_null().unique())
        if customers != 1:
            raise StayworthError(
                translated(
                    "The rows are of {customers:customer|customers}. Send those of one.", customers=customers
                )
            )
        snapshot = snapshot or tomorrow(log.report.timezone)
        year = self.costs.year_of_request(log, snapshot, costs)
        scored = self._score(log, partial(engine_for, threads=1), snapshot, year, beside)
        scored = replace(scored, notes=(*self.remarks.of_request(log, beside, year), *scored.notes))
        if not len(scored.columns["customer_id"]):
            raise StayworthError(
                translated(
                    "The customer cannot be scored: {reason}.", reason=scored.unscored["reason"].iloc[0]
                )
            )
        return log, scored

    def _score(
        self,
        log: TransactionLog,
        engine_of: Callable[[int], Engine],
        snapshot: Snapshot,
        year: TrailingYear | None = None,
        beside: BehaviourFiles | None = None,
        report: Report = lambda step, done, total: None,
    ) -> ScoredList:
        require_known_orders(snapshot)
        parts: list[ScoredPart] = []
        for part in log.parts():
            parts.append(self._part(part, engine_of(part.table.num_rows), snapshot, year, beside))
            if part is log:
                break
            parts[-1] = parts[-1].compact()
            done = sum(each.customers for each in parts)
            report(translated("Scoring"), done, len(log.customer_ids.dictionary))
        return ScoredList.of_parts(parts, log, snapshot, self.remarks.of_unseen)

    def _part(
        self,
        log: TransactionLog,
        engine: Engine,
        snapshot: Snapshot,
        year: TrailingYear | None,
        beside: BehaviourFiles | None,
    ) -> ScoredPart:
        with engine:  # its memory is given back before the scores need theirs
            history = PurchaseHistory(log, engine, self.learnt_from(beside))
            table = history.columns(snapshot)
            customers = table["customer_id"]
            everybody = len(customers) == len(log.customer_ids.dictionary)
            unscored = _NOBODY.copy() if everybody else history.unscored(snapshot)
            seen = history.rows_seen(snapshot)
        table |= self.costs.columns(year, customers)
        nothing = dict.fromkeys(SCORE_COLUMNS, np.empty(0, dtype=object))
        return ScoredPart(
            columns=self.score_columns(table) if len(customers) else nothing,
            recent=np.asarray(table["days_since_last_purchase"] <= self.model.card.dormant_after_days),
            unscored=unscored,
            rows_seen=seen,
            unseen=self.remarks.unseen(table),
        )

    def score_columns(self, table: Columns) -> dict[str, np.ndarray]:
        """Score the customers of a feature table, at least one, in its order.

        Returns
        -------
        dict of ndarrays of shape (n_customers,): `SCORE_COLUMNS`
        """
        columns = self.model.score_columns(table, reasons=self.reasons)
        columns["model_version"] = np.full(len(table["customer_id"]), self.version, dtype=object)
        return {name: columns[name] for name in SCORE_COLUMNS}

    def learnt_from(self, beside: BehaviourFiles | None) -> BehaviourFiles | None:
        """Return the files that the version learnt from, as it told their touches apart; None if there is none."""
        return self.model.beside(beside) if self.model.files else None

    def request_log(self, rows: pa.Table, rules: LogRules | None = None) -> TransactionLog:
        """Read the orders of a live request, in the version's money; by default in the training log's time zone."""
        log = validate(rows, rules or self._request_rules(), REQUEST_COLUMNS, refunds_only=True)
        return log.at_prices(self.prices)

    def _request_rules(self) -> LogRules:
        """Return how a request's rows are read. It has no findings: years that no shop has are set aside."""
        log = self.model.card.log
        return LogRules(timezone=log.timezone, earliest=min(log.first_day, date(OLDEST_YEAR, 1, 1)))
