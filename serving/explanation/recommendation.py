"""Recommendations: cost, profit and break-even of each offer to each scored customer, and the best that pays.

The money is that of a campaign's plan (`training.offers.offer_profit`, with the score's ``spend_per_purchase``), so an
answer to a live request and a planned list never disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.table.columns import Columns
from training.offers.offer_profit import (
    break_even_acceptance,
    break_even_probability,
    expected_cost,
    offer_profit,
)
from training.offers.offers import Floats, Offer, require_own_names


@dataclass(frozen=True)
class OfferPrice:
    """One offer to one customer, in money of the log's currency.

    Parameters
    ----------
    offer : str
        Its name.
    expected_profit, expected_cost : float, money
    break_even_probability : float in [0, 1) or None
        The churn probability above which the offer pays; None where it never does.
    break_even_acceptance : float in [0, 1) or None
        The acceptance rate above which the offer pays; None where it never does.
    eligible : bool
        Whether the offer is for the customer's tier and stage.
    """

    offer: str
    expected_profit: float
    expected_cost: float
    break_even_probability: float | None
    break_even_acceptance: float | None
    eligible: bool

    @property
    def pays(self) -> bool:
        """Whether the offer is for them, and the expected profit is positive."""
        return self.eligible and self.expected_profit > 0


@dataclass(frozen=True)
class Recommendation:
    """All offers to one customer.

    Parameters
    ----------
    offers : list of OfferPrice, in the order of the offers
    recommended_offer : str or None
        The offer with the greatest expected profit, the first of equals; None where none is positive, and for a
        customer who costs more than they bring: treat nobody.
    """

    offers: list[OfferPrice]
    recommended_offer: str | None


def price_offers(scores: Columns, offers: Sequence[Offer]) -> list[Recommendation]:
    """Price every offer for every customer, and recommend the best that pays.

    Parameters
    ----------
    scores : Columns
        Of the scores: ``churn_probability``, ``value_at_stake``, ``spend_per_purchase`` and, where values may be
        negative, ``expected_value``.
    offers : sequence of Offer
        Capacities are not looked at: who competes for places is a campaign's question.

    Returns
    -------
    list of Recommendation, one per row of ``scores``, in its order; each depends on its own row alone

    Raises
    ------
    OfferError
        If two offers share a name, or the scores do not say whom one is for.

    Examples
    --------
    >>> import numpy as np
    >>> scores = {
    ...     "churn_probability": np.array([0.4, 0.05]),
    ...     "value_at_stake": np.array([200.0, 200.0]),
    ...     "spend_per_purchase": np.array([20.0, 20.0]),
    ... }
    >>> voucher = Offer(name="voucher", contact_cost=1, incentive_cost=10, acceptance_rate=0.3)
    >>> [best.recommended_offer for best in price_offers(scores, [voucher])]
    ['voucher', None]
    """
    require_own_names(offers)
    if not len(scores["churn_probability"]):
        return []  # the columns of no scores have no type to compute with
    spend = scores["spend_per_purchase"]
    by_offer = [_prices(scores, offer, spend) for offer in offers]
    rows = zip(*by_offer, strict=True) if offers else [()] * len(scores["churn_probability"])
    return [
        Recommendation(list(prices), None if loss else _best(prices))
        for prices, loss in zip(rows, loss_makers(scores), strict=True)
    ]


def loss_makers(scores: Columns) -> list[bool]:
    """Return whether each customer costs more than they bring: to keep them keeps a loss.

    Examples
    --------
    >>> import numpy as np
    >>> loss_makers({"churn_probability": np.array([0.4, 0.4]), "expected_value": np.array([-1.0, 1.0])})
    [True, False]
    """
    if "expected_value" not in scores:
        return [False] * len(scores["churn_probability"])
    return [bool(value < 0) for value in scores["expected_value"]]


def silent_days(scores: Columns) -> Floats:
    """Return the days since each customer's last purchase, at the snapshot; NaN where the scores do not say.

    Examples
    --------
    >>> import numpy as np
    >>> dates = {"snapshot_date": np.array(["2024-02-01"]), "last_purchase_date": np.array(["2024-01-22"])}
    >>> silent_days(dates)
    array([10.])
    """
    if not {"snapshot_date", "last_purchase_date"} <= set(scores):
        return np.full(len(scores["churn_probability"]), np.nan)
    snapshot, last = (
        np.asarray(scores[name], dtype="datetime64[D]") for name in ("snapshot_date", "last_purchase_date")
    )
    return np.asarray((snapshot - last) / np.timedelta64(1, "D"))


def _prices(scores: Columns, offer: Offer, spend: Floats) -> list[OfferPrice]:
    """Price an offer for every customer, by the acceptance of those as long silent where that was learnt."""
    profit, cost, probability, acceptance = (np.empty(len(spend)) for _ in range(4))
    for rows, same in offer.by_silence(silent_days(scores)):
        p, value, m = scores["churn_probability"][rows], scores["value_at_stake"][rows], spend[rows]
        profit[rows], cost[rows] = offer_profit(p, value, same, m), expected_cost(p, same, m)
        probability[rows] = break_even_probability(value, same, m)
        acceptance[rows] = break_even_acceptance(p, value, same, m)
    mine = offer.eligible(scores).tolist()
    columns = (profit.tolist(), cost.tolist(), _below_one(probability), _below_one(acceptance), mine)
    return [OfferPrice(offer.name, *numbers) for numbers in zip(*columns, strict=True)]


def _below_one(numbers: Floats) -> list[float | None]:
    return [number if number < 1 else None for number in numbers.tolist()]


def _best(prices: Sequence[OfferPrice]) -> str | None:
    paying = [price for price in prices if price.pays]
    return max(paying, key=lambda price: price.expected_profit).offer if paying else None
