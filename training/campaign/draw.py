"""A draw while it is made: which of the customers within reach gets which offer, at what price, and who is held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from features.language import translatable
from training.offers.allocation import NOBODY
from training.offers.offer_profit import (
    break_even_probability,
    expected_cost,
    greatest_cost,
    offer_profit,
    probability_of_profit,
)
from training.offers.offers import Floats, Offer

CROWDED_OUT = translatable("would pay, but budget or places went to better uses")
EXPLORE, PROFIT = "explore", "profit"
"""Purposes of a contact, as the contact list says."""

_PRICES = {
    "expected_cost": np.nan,
    "greatest_cost": np.nan,
    "incentive_cost": np.nan,
    "break_even_probability": np.nan,
    "probability_of_profit": np.nan,
}
UNDRAWN = {"offer": "", "channel": "", "held_out": False, "stratum": 0, **_PRICES, "purpose": ""}
"""What a draw says of customers, as it is of those who are not chosen."""


@dataclass(frozen=True)
class Draw:
    """Arrays of shape (n_customers,), which are filled in.

    Parameters
    ----------
    customers : DataFrame of `training.campaign.within_reach.FIGURES`
    number : ndarray of int, which offer each gets, or -1
    explores : ndarray of bool, who gets it to learn from
    crowded_out : ndarray of bool, for whom an offer would pay, but not within the limits
    held_out : ndarray of bool
    stratum : ndarray of int
    money : mapping of a column to an ndarray of float
    """

    customers: pd.DataFrame
    number: NDArray[np.int64]
    explores: NDArray[np.bool_]
    crowded_out: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    stratum: NDArray[np.int64]
    money: dict[str, Floats]

    @classmethod
    def of(cls, customers: pd.DataFrame) -> Self:
        """Begin with nobody."""
        size = len(customers)
        no, zero = np.zeros(size, dtype=bool), np.zeros(size, dtype=np.int64)
        money = {name: np.full(size, np.nan) for name in _PRICES}
        money["expected_profit"] = customers["expected_profit"].to_numpy(dtype=np.float64, copy=True)
        return cls(customers, zero + NOBODY, no, no.copy(), no.copy(), zero, money)

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """Who gets an offer, or is held out of it."""
        return np.asarray(self.number != NOBODY)

    def give(self, rows: NDArray[np.intp], number: int, offer: Offer) -> None:
        """Choose an offer for some customers, with its prices."""
        self.number[rows] = number
        names = ("silent_days", "churn_probability", "value_at_stake", "spend_per_purchase")
        silent, p, value, spend = (self.customers[name].to_numpy()[rows] for name in names)
        for inside, same in offer.by_silence(silent):
            mine, q, v, m = rows[inside], p[inside], value[inside], spend[inside]
            found: dict[str, ArrayLike] = {
                "expected_profit": offer_profit(q, v, same, m),
                "expected_cost": expected_cost(q, same, m),
                "greatest_cost": greatest_cost(same, m),
                "incentive_cost": same.incentive(m),
                "break_even_probability": break_even_probability(v, same, m),
                "probability_of_profit": probability_of_profit(q, v, same, m),
            }
            for name, numbers in found.items():
                self.money[name][mine] = numbers

    def table(self, offers: tuple[Offer, ...]) -> pd.DataFrame:
        """Return the customers with what was decided of each."""
        chosen = self.chosen
        reason = self.customers["reason"]
        if self.crowded_out.any():
            reason = reason.mask(self.crowded_out, CROWDED_OUT)
        purpose = np.where(chosen, 1 + self.explores, 0)
        money = dict(self.money)
        return self.customers.assign(
            reason=reason.mask(self.explores, ""),
            expected_profit=money.pop("expected_profit"),
            offer=_texts([*(offer.name for offer in offers), ""], self.number),
            channel=_texts([*(offer.channel for offer in offers), ""], self.number),
            held_out=self.held_out,
            stratum=self.stratum,
            **money,
            purpose=_texts(["", PROFIT, EXPLORE], purpose),
        )


def _texts(texts: list[str], places: NDArray[np.int64]) -> pd.api.extensions.ExtensionArray:
    """Return the text at each place, the last one at -1."""
    return pd.array(texts, dtype="str").take(places)
