"""The card of a customer who calls: what they bought last and usually buy, how they are doing, and what to offer.

Its values are plain (text, numbers, None, lists; dates in ISO form), and what it tells is said in sentences too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd
import pyarrow as pa

from features.behaviour.files import BehaviourFiles
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from serving.explanation.caller_sentences import (
    last_order_in_words,
    offer_in_words,
    rhythm_in_words,
    score_in_words,
    troubles_in_words,
    usual_order_in_words,
)
from serving.explanation.customer_facts import (
    Complaints,
    Debt,
    Invoice,
    Order,
    Rhythm,
    Touch,
    UsualOrder,
    orders_before,
    overdue_debt,
    recent_complaints,
    rhythm_of,
    usual_order,
)
from serving.explanation.recommendation import Recommendation, price_offers
from serving.scored_list import ScoredList
from serving.scorer import Scorer
from training.offers.offers import Offer, require_own_names

SHOWN_ORDERS = 5


@dataclass(frozen=True)
class CallerCard:
    """A customer at a glance.

    Parameters
    ----------
    tier, stage : str
    complaints, debt : Complaints and Debt, or None where nothing was sent to tell them by
    recommended_offer, expected_profit : str and float, or None: offer nothing
    sentences : list of str
        All of it in words, what matters first.
    notes : list of str
        As in `ScoredList.notes`.
    """

    customer_id: str
    snapshot_date: str
    model_version: str
    tier: str
    stage: str
    expected_value: float
    churn_probability: float
    value_at_risk: float
    last_orders: list[Order]
    usual_order: UsualOrder
    rhythm: Rhythm
    complaints: Complaints | None
    debt: Debt | None
    recommended_offer: str | None
    expected_profit: float | None
    sentences: list[str]
    notes: list[str]


@dataclass(frozen=True)
class KnownOfCustomer:
    """What is known of a customer besides the orders; None: nothing was sent."""

    touches: Sequence[Touch] | None = None
    invoices: Sequence[Invoice] | None = None
    offers: Sequence[Offer] = field(default=())


def caller_card(
    scorer: Scorer,
    rows: pa.Table,
    snapshot: Snapshot | None = None,
    known: KnownOfCustomer | None = None,
    *,
    beside: BehaviourFiles | None = None,
    costs: pd.DataFrame | None = None,
) -> CallerCard:
    """Describe one customer to whoever talks to them.

    Parameters
    ----------
    scorer : Scorer
    rows : pyarrow.Table
        The customer's orders, in the columns of the log contract.
    snapshot : Snapshot
        By default tomorrow, so that today's orders count.
    known : KnownOfCustomer
    beside : BehaviourFiles
        What the model may read of the customer beside the orders.
    costs : DataFrame
        As in `Scorer.score_customers`.

    Raises
    ------
    StayworthError
        If two offers share a name; as `Scorer.score_one`.
    """
    log, scored = scorer.score_one(rows, snapshot, beside, costs)
    scored = replace(
        scored,
        notes=scorer.remarks.of_request(
            log, beside, scorer.costs.year_of_request(log, scored.snapshot, costs)
        ),
    )
    return card_from(scorer, log, scored, known or KnownOfCustomer())


def card_from(scorer: Scorer, log: TransactionLog, scored: ScoredList, known: KnownOfCustomer) -> CallerCard:
    """Describe a customer who is scored already.

    Parameters
    ----------
    scorer : Scorer
    log : TransactionLog, the customer's orders
    scored : ScoredList, of that customer alone
    known : KnownOfCustomer

    Raises
    ------
    StayworthError
        If two offers share a name.
    """
    require_own_names(known.offers)
    day = scored.snapshot.date
    score = {name: column.tolist()[0] for name, column in scored.columns.items()}
    (offered,) = price_offers(scored.columns, known.offers)
    orders = orders_before(log.table, day)
    complaints = None if known.touches is None else recent_complaints(known.touches, day)
    debt = None if known.invoices is None else overdue_debt(known.invoices, day)
    recommended, profit = _offer(offered, debt)
    rhythm, usual = rhythm_of(orders, day, score["next_purchase_date"]), usual_order(orders)
    days = scorer.model.terms.value_horizon_days
    return CallerCard(
        customer_id=str(score["customer_id"]),
        snapshot_date=day.isoformat(),
        model_version=scorer.version,
        tier=str(score["value_tier"]),
        stage=str(score["stage"]),
        **{name: float(score[name]) for name in ("expected_value", "churn_probability", "value_at_risk")},
        last_orders=orders[:SHOWN_ORDERS],
        usual_order=usual,
        rhythm=rhythm,
        complaints=complaints,
        debt=debt,
        recommended_offer=recommended,
        expected_profit=profit,
        sentences=[
            score_in_words(score, days),
            *troubles_in_words(complaints, debt),
            last_order_in_words(orders[0]),
            usual_order_in_words(usual),
            rhythm_in_words(rhythm, str(score["stage"])),
            *(offer_in_words(recommended, profit, score, debt) if known.offers else ()),
        ],
        notes=list(scored.notes),
    )


def _offer(offered: Recommendation, debt: Debt | None) -> tuple[str | None, float | None]:
    """Return the best offer and its profit; who owes what is overdue is offered nothing."""
    if offered.recommended_offer is None or (debt and debt.overdue_amount):
        return None, None
    price = next(each for each in offered.offers if each.offer == offered.recommended_offer)
    return price.offer, price.expected_profit
