"""The log of orders that the workbench was given, and the champion that looks at one customer of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from threading import Lock

import pyarrow.compute as pc

from features.errors import StayworthError
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from serving.explanation.caller_card import CallerCard, KnownOfCustomer, card_from
from serving.explanation.customer_facts import Order, orders_before
from serving.explanation.explanation import Explanation, explain_scored
from serving.explanation.scenario import Scenarios, score_scenarios
from serving.scorer import Scorer
from serving.workbench.versions import KnownVersions


@dataclass(frozen=True)
class Known:
    """What the orders say of a customer at a day.

    Parameters
    ----------
    orders : list of Order, the newest first
    card : CallerCard
    scenarios : Scenarios
    explanation : Explanation
    """

    orders: list[Order]
    card: CallerCard
    scenarios: Scenarios
    explanation: Explanation


class KnownOrders:
    """A log, and the champion of a registry, which is read again when another version is promoted.

    Parameters
    ----------
    log : TransactionLog
    versions : KnownVersions
    """

    def __init__(self, log: TransactionLog, versions: KnownVersions) -> None:
        self._log, self._versions = log, versions
        self._lock = Lock()
        self._scorer: Scorer | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The optional columns that the log has."""
        return self._log.columns

    @property
    def last_day(self) -> date:
        """The day of the log's last order."""
        return self._log.last_day

    def of(self, customer_id: str, day: date) -> Known | None:
        """Describe a customer as of a day; None if the log has no order of theirs before it.

        Raises
        ------
        StayworthError
            If there is no champion, or the customer cannot be scored.
        """
        table = self._log.table
        own = replace(self._log, table=table.filter(pc.equal(table["customer_id"], customer_id)))
        orders = orders_before(own.table, day)
        if not orders:
            return None
        scorer, snapshot = self._champion(), Snapshot(day)
        own = own.at_prices(scorer.prices)
        scored = scorer.score_log(own, snapshot)
        if not len(scored.columns["customer_id"]):
            return None
        card = card_from(scorer, own, scored, KnownOfCustomer())
        scenarios = score_scenarios(scorer.model, own, snapshot)
        return Known(orders, card, scenarios, explain_scored(scorer, scored, scenarios))

    def prepare(self) -> None:
        """Load the champion and score with it, if there is one: the first page would wait for that."""
        with suppress(StayworthError):  # each page says why
            scorer = self._champion()
            scorer.warm_up()

    def _champion(self) -> Scorer:
        champion = self._versions.champion()
        if champion is None:
            raise StayworthError(self._versions.registry.no_champion())
        with self._lock:
            if self._scorer is None or self._scorer.version != champion.version:
                model = self._versions.registry.load(champion.version)
                self._scorer = Scorer(model, champion.version)
            return self._scorer
