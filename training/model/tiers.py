"""Tiers of customers by what they are worth: the limits between them, which a registered version keeps.

``value`` cuts customers by expected value into vip, medium and low, 20, 50 and 30% of them by default. ``bank`` cuts
them as a bank does, by expected gross value into top, threshold, fence-sitter and lowest (11, 22, 39 and 28%), and
calls whoever costs more than they bring a destroyer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from features.customer_groups import DESTROYER, TIER_SHARES, TIERS_OF, TierScheme

_CUT_BY: dict[TierScheme, str] = {"value": "expected_value", "bank": "expected_gross_value"}


@dataclass(frozen=True)
class Tiers:
    """Limits of tiers: the same money has the same tier in a list of a million and in a request of one.

    Parameters
    ----------
    cuts : tuple of float, money, descending
        Lowest value of each tier but the last.
    scheme : {"value", "bank"}
    shares : tuple of float, per cent
        Of the training population in each tier, as was asked for.
    """

    cuts: tuple[float, ...]
    scheme: TierScheme = "value"
    shares: tuple[float, ...] = TIER_SHARES["value"]

    @classmethod
    def fitted(
        cls,
        money: Mapping[str, np.ndarray],
        scheme: TierScheme = "value",
        shares: Sequence[float] | None = None,
    ) -> Self:
        """Cut a population by what its customers are worth.

        Parameters
        ----------
        money : mapping of column to ndarray of shape (n_customers,), with the column that the scheme cuts by
        scheme : {"value", "bank"}
        shares : sequence of float, per cent, optional

        Examples
        --------
        >>> Tiers.fitted({"expected_value": np.array([9.0, 7.0, 5.0, 3.0, 1.0])}).cuts
        (9.0, 3.0)
        """
        shares = tuple(shares or TIER_SHARES[scheme])
        return cls(limits(money[_CUT_BY[scheme]], shares), scheme, shares)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(tuple(content["cuts"]), content["scheme"], tuple(content["shares"]))

    def to_dict(self) -> dict[str, Any]:
        """Return the limits, ready for JSON."""
        return asdict(self)

    @property
    def cut_by(self) -> str:
        """The score column that is cut."""
        return _CUT_BY[self.scheme]

    @property
    def names(self) -> tuple[str, ...]:
        """The tiers, the highest first."""
        return TIERS_OF[self.scheme] if self.scheme == "value" else (*TIERS_OF[self.scheme], DESTROYER)

    def of(self, money: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the tier of each customer, of shape (n_customers,).

        Parameters
        ----------
        money : mapping of column to ndarray of shape (n_customers,): ``expected_value`` and ``expected_gross_value``

        Examples
        --------
        >>> money = {"expected_value": np.array([8.0, -1.0]), "expected_gross_value": np.array([9.0, 9.0])}
        >>> Tiers((5.0, 1.0)).of(money).tolist()
        ['vip', 'low']
        >>> Tiers((5.0, 3.0, 1.0), "bank").of(money).tolist()
        ['top', 'destroyer']
        """
        place = np.searchsorted(-np.asarray(self.cuts), -money[self.cut_by], side="left")
        tiers = np.array(TIERS_OF[self.scheme], dtype=object)[place]
        if self.scheme == "bank":
            tiers[money["expected_value"] < 0] = DESTROYER
        return tiers


def limits(values: np.ndarray, shares: Sequence[float]) -> tuple[float, ...]:
    """Return the lowest value of each group but the last, where customers are cut into groups of some shares.

    Equal values are never split: each limit lies where the share above it comes nearest to what was asked for, of two
    places equally near where the upper group is larger. Where all values are equal nobody is above the others.

    Parameters
    ----------
    values : ndarray of shape (n_customers,)
    shares : sequence of float, per cent, highest values first

    Examples
    --------
    >>> limits(np.array([9.0, 9.0, 5.0, 3.0, 1.0]), (20, 50, 30))
    (9.0, 3.0)
    >>> limits(np.array([9.0, 9.0, 9.0, 3.0, 1.0]), (20, 80))[0] > 9
    True
    """
    found, ties = np.unique(values, return_counts=True)
    above = np.concatenate([[0], np.cumsum(ties[::-1])])  # customers with one of the k highest values
    wanted = np.cumsum(shares)[:-1] * len(values) / 100
    distance = np.abs(above[None, ::-1] - wanted[:, None])
    nearest = len(found) - distance.argmin(axis=1)
    if len(found) == 1:
        nearest[0] = 0
    lowest = np.concatenate([[np.nextafter(found[-1], np.inf)], found[::-1]])
    return tuple(lowest[nearest].tolist())
