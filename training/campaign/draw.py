"""A draw while it is made: which of the customers within reach gets which offer, at what price, and who is held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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

NOT_PAYING = translatable("no offer would pay")
CROWDED_OUT = translatable("would pay, but budget or places went to better uses")
EXPLORE, PROFIT = "explore", "profit"
"""Purposes of a contact, as the contact list says."""

_COSTS = ("expected_cost", "greatest_cost", "incentive_cost")
_BREAK_EVEN = ("break_even_probability", "probability_of_profit")
UNDRAWN = {
    **{"offer": "", "channel": "", "held_out": False, "stratum": 0},
    **dict.fromkeys((*_COSTS, *_BREAK_EVEN), np.nan),
    "purpose": "",
}
"""What a draw says of customers, as it is of those who are not chosen."""


@dataclass(frozen=True)
class Draw:
    """Arrays of shape (n_customers,), which are filled in.

    Parameters
    ----------
    customers : DataFrame of `training.campaign.within_reach.FIGURES`
    offers : tuple of Offer
    number : ndarray of int, which offer each gets, or -1
    explores : ndarray of bool, who gets it to learn from
    crowded_out : ndarray of bool, for whom an offer would pay, but not within the limits
    held_out : ndarray of bool
    stratum : ndarray of int
    money : mapping of a column to an ndarray of float
    """

    customers: pd.DataFrame
    offers: tuple[Offer, ...]
    number: NDArray[np.int64]
    explores: NDArray[np.bool_]
    crowded_out: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    stratum: NDArray[np.int64]
    money: dict[str, Floats]

    @classmethod
    def of(cls, customers: pd.DataFrame, offers: Sequence[Offer]) -> Self:
        """Begin with nobody."""
        size = len(customers)
        no, zero = np.zeros(size, dtype=bool), np.zeros(size, dtype=np.int64)
        money = {name: np.full(size, np.nan) for name in _COSTS}
        money["expected_profit"] = customers["expected_profit"].to_numpy(dtype=np.float64, copy=True)
        return cls(customers, tuple(offers), zero + NOBODY, no, no.copy(), no.copy(), zero, money)

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """Who gets an offer, or is held out of it."""
        return np.asarray(self.number != NOBODY)

    def give(self, rows: NDArray[np.intp], number: int) -> None:
        """Choose an offer for some customers, with what it costs and brings."""
        self.number[rows] = number
        for mine, same, (p, value, spend) in self._alike(rows, number):
            self.money["expected_profit"][mine] = offer_profit(p, value, same, spend)
            self.money["expected_cost"][mine] = expected_cost(p, same, spend)
            self.money["greatest_cost"][mine] = greatest_cost(same, spend)
            self.money["incentive_cost"][mine] = same.incentive(spend)

    def _alike(
        self, rows: NDArray[np.intp], number: int
    ) -> Iterator[tuple[NDArray[np.intp], Offer, tuple[Floats, Floats, Floats]]]:
        """Split customers by the acceptance expected of them; yield their risk, value and spend too."""
        names = ("silent_days", "churn_probability", "value_at_stake", "spend_per_purchase")
        silent, *figures = (self.customers[name].to_numpy()[rows] for name in names)
        for inside, same in self.offers[number].by_silence(silent):
            p, value, spend = (each[inside] for each in figures)
            yield rows[inside], same, (p, value, spend)

    def figures(self, rows: NDArray[np.intp]) -> pd.DataFrame:
        """Return the figures of some of the chosen: what sums over many customers are made of."""
        known = self.customers.drop(columns="expected_profit").take(rows).reset_index(drop=True)
        own = {"number": self.number, "explores": self.explores, "held_out": self.held_out}
        own["stratum"] = self.stratum
        return known.assign(**{name: column[rows] for name, column in (self.money | own).items()})

    def said(self, rows: NDArray[np.intp], doubtful: NDArray[np.bool_]) -> pd.DataFrame:
        """Return what lists say of some customers: ``reason``, ``expected_profit`` and the columns of `UNDRAWN`.

        Parameters
        ----------
        rows : ndarray of their places
        doubtful : ndarray of bool, shape (n_customers,), those of whom no offer is expected to pay
        """
        number, learns = self.number[rows], self.explores[rows]
        break_even = {name: np.full(len(self.number), np.nan) for name in _BREAK_EVEN}
        for each, _ in enumerate(self.offers):
            for mine, same, (p, value, spend) in self._alike(rows[number == each], each):
                break_even["break_even_probability"][mine] = break_even_probability(value, same, spend)
                break_even["probability_of_profit"][mine] = probability_of_profit(p, value, same, spend)
        money = {name: column[rows] for name, column in (self.money | break_even).items()}
        why = np.where(self.crowded_out, 1, np.where(doubtful & ~self.explores, 2, 0))[rows]
        return pd.DataFrame(
            {
                "reason": _texts(["", CROWDED_OUT, NOT_PAYING], why),
                "expected_profit": money.pop("expected_profit"),
                "offer": _texts([*(offer.name for offer in self.offers), ""], number),
                "channel": _texts([*(offer.channel for offer in self.offers), ""], number),
                "held_out": self.held_out[rows],
                "stratum": self.stratum[rows],
                **money,
                "purpose": _texts(["", PROFIT, EXPLORE], np.where(number != NOBODY, 1 + learns, 0)),
            }
        )

    def reasons(self, doubtful: NDArray[np.bool_]) -> dict[str, int]:
        """Return how many of those who are not chosen have each reason; ``doubtful`` as for `said`."""
        found = {
            CROWDED_OUT: int(self.crowded_out.sum()),
            NOT_PAYING: int((doubtful & ~self.chosen).sum()),
        }
        return {reason: number for reason, number in found.items() if number}


def _texts(texts: list[str], places: NDArray[np.int64]) -> pd.api.extensions.ExtensionArray:
    """Return the text at each place, the last one at -1."""
    return pd.array(texts, dtype="str").take(places)
