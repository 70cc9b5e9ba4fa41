"""Offers as a campaign team describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy import stats

from features.customer_groups import Stage, Tier
from features.errors import StayworthError
from features.language import translatable, translated, written
from training.offers.acceptance_band import AcceptanceBand

Floats = NDArray[np.float64]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


MOST_CUSTOMERS = 1e12
"""More customers than there are: that many an acceptance rate cannot have been observed of."""


class OfferError(StayworthError):
    """The offers file, or a figure in it, cannot be used."""


class BetaPrior(BaseModel):
    """What is known of an acceptance rate: a Beta distribution, worth ``alpha + beta`` observed customers.

    Examples
    --------
    >>> BetaPrior(alpha=6, beta=14).mean
    0.3
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alpha: float = Field(gt=0, le=MOST_CUSTOMERS, allow_inf_nan=False)
    beta: float = Field(gt=0, le=MOST_CUSTOMERS, allow_inf_nan=False)

    @property
    def mean(self) -> float:
        """Expected acceptance rate."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def customers(self) -> float:
        """Number of observed would-be leavers that this knowledge is worth."""
        return self.alpha + self.beta

    def interval(self, confidence: float = 0.9) -> tuple[float, float]:
        """Return the central credible interval."""
        low, high = stats.beta.ppf([(1 - confidence) / 2, (1 + confidence) / 2], self.alpha, self.beta)
        return float(low), float(high)


class Offer(BaseModel):
    """One retention offer, as a campaign team describes it. Money is in the log's currency.

    Parameters
    ----------
    name, channel : str
    contact_cost : float, money, paid for everyone contacted
    incentive_cost : float, money, paid when the offer is taken; or
    incentive_share : float in [0, 1], the incentive as a share of the customer's spend per purchase
    acceptance_rate : float in [0, 1] or BetaPrior, P(stays | would leave, contacted)
    redemption_rate : float in [0, 1], P(takes the incentive | would have stayed anyway)
    incentive_in_amounts : bool, the log's amounts are already net of the incentive (a discount), so that a
        measurement must not subtract it again
    capacity : int or None, the most customers this offer can be made to
    acceptance_by_silence : tuple of AcceptanceBand, by days, what measured campaigns taught; stands in for
        ``acceptance_rate`` where it is known for how long a customer has been silent
    acceptance_before : BetaPrior or None, the acceptance rate before the first campaign, which the bands start from
    tiers, stages : tuple of str, the only ones that the offer is for; empty: for all
    segments : mapping of a column of the scored list to its values that the offer is for, such as ``city``

    Examples
    --------
    >>> Offer(name="voucher", contact_cost=1, incentive_cost=10, acceptance_rate=0.3).acceptance
    0.3
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="offer", min_length=1)
    channel: str = ""
    contact_cost: Money = 0.0
    incentive_cost: Money | None = None
    incentive_share: Share | None = None
    acceptance_rate: Share | BetaPrior
    redemption_rate: Share = 1.0
    incentive_in_amounts: bool = False
    capacity: int | None = Field(default=None, ge=0)
    acceptance_by_silence: tuple[AcceptanceBand, ...] = ()
    acceptance_before: BetaPrior | None = None
    tiers: tuple[Tier, ...] = ()
    stages: tuple[Stage, ...] = ()
    segments: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ordered_bands(self) -> Offer:
        days = [band.from_days for band in self.acceptance_by_silence]
        if days and (days[0] != 0 or sorted(set(days)) != days):
            raise ValueError(
                translated("acceptance_by_silence must begin at from_days = 0 and go up from band to band")
            )
        return self

    @model_validator(mode="after")
    def _one_incentive(self) -> Offer:
        if (self.incentive_cost is None) == (self.incentive_share is None):
            raise ValueError(
                translated(
                    "give either incentive_cost (money) or incentive_share (of the spend per purchase); an "
                    "offer without an incentive has incentive_cost = 0"
                )
            )
        return self

    @property
    def acceptance(self) -> float:
        """Expected acceptance rate γ."""
        prior = self.acceptance_rate
        return prior.mean if isinstance(prior, BetaPrior) else prior

    @property
    def limits(self) -> dict[str, tuple[str, ...]]:
        """The columns of the scores that say whom the offer is for, and their values; empty: for everybody."""
        own = {"value_tier": self.tiers, "stage": self.stages}
        return {name: tuple(values) for name, values in own.items() if values} | self.segments

    def eligible(self, customers: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Tell which customers the offer is for.

        Parameters
        ----------
        customers : mapping of column to array of shape (n_customers,), such as scores or a DataFrame

        Returns
        -------
        ndarray of bool of shape (n_customers,)

        Raises
        ------
        OfferError
            If a column that says whom it is for is missing or empty.

        Examples
        --------
        >>> offer = Offer(incentive_cost=1, acceptance_rate=0.2, tiers=["vip"])
        >>> offer.eligible({"churn_probability": np.array([0.5, 0.5]), "value_tier": np.array(["vip", "low"])})
        array([ True, False])
        """
        found = np.ones(len(customers["churn_probability"]), dtype=bool)
        for name, values in self.limits.items():
            cells = (
                np.asarray(customers[name], dtype=object) if name in customers else np.array([], dtype=object)
            )
            if len(found) and not any(isinstance(cell, str) and cell for cell in cells):
                raise OfferError(
                    translated(
                        "Offer {name!r} is for some customers only, by {name_2}: the scores have no such column, "
                        "or an empty one. Score again, with --customers for a column of your own; or take the "
                        "limit out.",
                        name=self.name,
                        name_2=name,
                    )
                )
            found &= np.isin(cells.astype(str), values)
        return found

    def by_silence(self, silent_days: ArrayLike) -> list[tuple[NDArray[np.bool_], Offer]]:
        """Split customers by the acceptance expected of them.

        Parameters
        ----------
        silent_days : array of shape (n_customers,), days since the last purchase; NaN where that is not known

        Returns
        -------
        list of (ndarray of bool, shape (n_customers,); Offer with one acceptance rate for them), every customer once.
            Where contact probably drives customers away, the rate is the negative mean.

        Examples
        --------
        >>> band = AcceptanceBand(from_days=0, mean=0.4, deviation=0.1, probability_negative=0)
        >>> old = band.model_copy(update={"from_days": 60, "mean": -0.1, "probability_negative": 0.9})
        >>> offer = Offer(incentive_cost=1, acceptance_rate=0.2, acceptance_by_silence=(band, old))
        >>> [(rows.tolist(), round(each.acceptance, 3)) for rows, each in offer.by_silence([10, 90, np.nan])]
        [([False, False, True], 0.2), ([True, False, False], 0.4), ([False, True, False], -0.1)]
        """
        silent = np.asarray(silent_days, dtype=np.float64)
        plain = self.accepting(self.acceptance_rate)
        if not self.acceptance_by_silence:
            return [(np.ones(silent.shape, dtype=bool), plain)]
        days = [band.from_days for band in self.acceptance_by_silence]
        place = np.searchsorted(days, silent, side="right") - 1
        place[np.isnan(silent)] = -1
        offers = [plain, *(self.accepting(_rate_of(band)) for band in self.acceptance_by_silence)]
        return [(place == number - 1, offer) for number, offer in enumerate(offers)]

    def accepting(self, rate: float | BetaPrior) -> Offer:
        """Return the offer with one acceptance rate for all customers; a negative one where contact does harm."""
        return self.model_copy(update={"acceptance_rate": rate, "acceptance_by_silence": ()})

    @property
    def has_incentive(self) -> bool:
        """Whether taking the offer costs anything beside the contact."""
        return (self.incentive_cost or self.incentive_share or 0) > 0

    @property
    def incentive_in_words(self) -> str:
        """The incentive as text: an amount, or a share of a purchase.

        Examples
        --------
        >>> Offer(incentive_share=0.1, acceptance_rate=0.3).incentive_in_words
        '10% of a purchase'
        """
        if self.incentive_cost is not None:
            return written(self.incentive_cost, ",.2f")
        return translated("{share:.0%} of a purchase", share=self.incentive_share)

    def incentive_times(self, factor: float) -> Offer:
        """Return the offer with an incentive ``factor`` times as large; a share is at most 1."""
        if self.incentive_share is not None:
            return self.model_copy(update={"incentive_share": min(factor * self.incentive_share, 1.0)})
        return self.model_copy(update={"incentive_cost": factor * (self.incentive_cost or 0.0)})

    def incentive(self, spend_per_purchase: ArrayLike | None = None) -> Floats:
        """Return the incentive d of each customer, in money.

        Raises
        ------
        OfferError
            If the incentive is a share of spend and no spend is given.
        """
        if self.incentive_cost is not None:
            return np.asarray(self.incentive_cost, dtype=np.float64)
        if spend_per_purchase is None:
            raise OfferError(
                translated(
                    "The incentive of offer {name!r} is a share of the spend per purchase, which is not "
                    "given. Give it, or use incentive_cost.",
                    name=self.name,
                )
            )
        return np.asarray(np.asarray(spend_per_purchase, dtype=np.float64) * (self.incentive_share or 0.0))


def _rate_of(band: AcceptanceBand) -> float | BetaPrior:
    """Return a band's posterior as a Beta distribution of its mean and variance, or as a number where there is none."""
    mean, variance = band.mean, band.deviation**2
    if band.harmful or not 0 < mean < 1 or variance >= mean * (1 - mean):
        return mean
    customers = mean * (1 - mean) / variance - 1
    return BetaPrior(alpha=mean * customers, beta=(1 - mean) * customers)


EXAMPLE_ACCEPTANCE = 0.3
"""The mean of the literature's Beta(6, 14), as in `training.offers.profit_measures.STANDARD_OFFER`."""


def example_offer(spend_per_purchase: float) -> Offer:
    """Return an offer that fits any log: 10% off the next purchase, and a contact for 2% of the mean one.

    Shares throughout, so that the currency does not matter; everybody who would have stayed takes the incentive.

    Examples
    --------
    >>> example_offer(36.29).contact_cost
    0.73
    """
    return Offer(
        name=translatable("10% off the next purchase"),
        contact_cost=float(f"{max(spend_per_purchase, 0.0) / 50:.2g}"),
        incentive_share=0.1,
        acceptance_rate=EXAMPLE_ACCEPTANCE,
    )


def require_own_names(offers: Sequence[Offer], two: str = "Two") -> None:
    """Raise an OfferError, which begins with ``two``, if two offers share a name."""
    names = [offer.name for offer in offers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OfferError(
            translated(
                "{two} offers are called {example!r}. Give each a name of its own.", two=two, example=twice[0]
            )
        )
