"""Recommendations: what each offer would cost and bring with each scored customer, and which to make.

The money is that of a campaign's plan (`training.offers.offer_profit`, with the spend per purchase of
`training.campaign.candidates`), so an answer to a live request and a planned list never disagree. Only where no
purchase is expected at all do they part: a plan then takes the list's own spend per purchase, and a request has
no list. An incentive that is a share of it has no price there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.campaign.candidates import spend_per_purchase
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
        None where the incentive is a share of a spend per purchase that is not known: no purchase is expected.
    break_even_probability : float in [0, 1) or None
        The churn probability above which the offer pays; None where it never does.
    break_even_acceptance : float in [0, 1) or None
        The acceptance rate above which the offer pays; None where it never does.
    """

    offer: str
    expected_profit: float | None
    expected_cost: float | None
    break_even_probability: float | None
    break_even_acceptance: float | None

    @property
    def pays(self) -> bool:
        """Whether the expected profit is positive."""
        return self.expected_profit is not None and self.expected_profit > 0


@dataclass(frozen=True)
class Recommendation:
    """All offers to one customer.

    Parameters
    ----------
    offers : list of OfferPrice, in the order of the offers
    recommended_offer : str or None
        The offer with the greatest expected profit, the first of equals; None where none is positive: treat
        nobody.
    """

    offers: list[OfferPrice]
    recommended_offer: str | None


def price_offers(scores: pd.DataFrame, offers: Sequence[Offer]) -> list[Recommendation]:
    """Price every offer for every customer, and recommend the best that pays.

    Parameters
    ----------
    scores : DataFrame of shape (n_customers, n_columns)
        Of `SCORE_COLUMNS`, those of the churn probability, the value at stake, expected spend and purchases.
    offers : sequence of Offer
        Capacities are not looked at: who competes for places is a campaign's question.

    Returns
    -------
    list of Recommendation, one a row of ``scores``, in its order; each depends on its own row alone

    Raises
    ------
    OfferError
        If two offers share a name.

    Examples
    --------
    >>> scores = pd.DataFrame(
    ...     {
    ...         "churn_probability": [0.4, 0.05],
    ...         "value_at_stake": [200.0, 200.0],
    ...         "expected_spend": [30.0, 30.0],
    ...         "expected_purchases": [1.5, 1.5],
    ...     }
    ... )
    >>> voucher = Offer(name="voucher", contact_cost=1, incentive_cost=10, acceptance_rate=0.3)
    >>> [best.recommended_offer for best in price_offers(scores, [voucher])]
    ['voucher', None]
    """
    require_own_names(offers)
    spend = _own_spend_per_purchase(scores)
    by_offer = [_prices(scores, offer, spend) for offer in offers]
    rows = zip(*by_offer, strict=True) if offers else [()] * len(scores)
    return [Recommendation(list(prices), _best(prices)) for prices in rows]


def _own_spend_per_purchase(scores: pd.DataFrame) -> Floats:
    """Return `spend_per_purchase`, with NaN in place of what it would take from the other customers."""
    known = (scores["expected_purchases"].to_numpy() > 0) & np.isfinite(scores["expected_spend"].to_numpy())
    spend = np.full(len(scores), np.nan)
    spend[known] = spend_per_purchase(scores[known])
    return spend


def _prices(scores: pd.DataFrame, offer: Offer, spend: Floats) -> list[OfferPrice]:
    p, value = scores["churn_probability"].to_numpy(), scores["value_at_stake"].to_numpy()
    profit, cost = offer_profit(p, value, offer, spend), expected_cost(p, offer, spend)
    probability = break_even_probability(value, offer, spend)
    acceptance = break_even_acceptance(p, value, offer, spend)
    unknown = np.isnan(profit)
    columns = (
        _known(profit, unknown),
        _known(cost, unknown),
        _known(probability, unknown | ~(probability < 1)),
        _known(acceptance, unknown | ~(acceptance < 1)),
    )
    return [OfferPrice(offer.name, *numbers) for numbers in zip(*columns, strict=True)]


def _known(numbers: Floats, unknown: np.ndarray) -> list[float | None]:
    return [
        None if missing else number
        for number, missing in zip(numbers.tolist(), unknown.tolist(), strict=True)
    ]


def _best(prices: Sequence[OfferPrice]) -> str | None:
    paying = [price for price in prices if price.pays]
    return max(paying, key=lambda price: price.expected_profit or 0.0).offer if paying else None
