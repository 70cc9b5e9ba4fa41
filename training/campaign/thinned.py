"""Some of many customers, by which other assumptions of a plan are tried in a fraction of the time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from training.campaign.candidates import prices
from training.campaign.resumption import at_resumption
from training.offers.offers import Floats, Offer

_MOST_CUSTOMERS = 3_000


@dataclass(frozen=True)
class Totals:
    """What an allocation comes to: contacts, money, and the share of those chosen who are expected to stay."""

    contacts: int
    cost: float
    profit: float
    stay_rate: float


@dataclass(frozen=True)
class Thinned:
    """Every so many customers of some.

    Parameters
    ----------
    rows : DataFrame
    scale : float in (0, 1], the share that they are
    offers : sequence of Offer
    curves : cost and profit at budgets by all other limits, as far as they were asked for
    totals : Totals by budget and other limits, likewise
    """

    rows: pd.DataFrame
    scale: float
    offers: Sequence[Offer]
    curves: dict[Hashable, tuple[Floats, Floats]] = field(default_factory=dict, compare=False)
    totals: dict[Hashable, Totals] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, customers: pd.DataFrame, wanted: pd.Series, offers: Sequence[Offer]) -> Self:
        """Take some of the customers who are wanted."""
        rows = np.flatnonzero(wanted)
        some = rows[:: -(-len(rows) // _MOST_CUSTOMERS) or 1]
        return cls(customers.iloc[some], len(some) / len(rows) if len(rows) else 1.0, offers)

    @cached_property
    def prices(self) -> tuple[Floats, Floats]:
        """Expected profit and cost of each offer to each, as `training.campaign.candidates.prices` gives them."""
        return prices(self.rows, self.offers)

    @cached_property
    def profit_if_once(self) -> Floats:
        """Expected profit of each offer to each, if those who come back buy once only."""
        return prices(at_resumption(self.rows, 0.0), self.offers)[0]
