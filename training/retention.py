"""Economics of a retention offer: whom does it pay to contact, and with what.

An offer costs something to make (the contact) and something to honour (the incentive). It earns only where
a customer who would have left accepts it. Training (profit curves), planning, the backtest and the service
all price an offer through this module, so a list and its evaluation can never disagree about money.

Notation of the formulas: p churn probability, V value at stake, f contact cost, d incentive cost,
γ acceptance rate, ψ redemption rate of those who would have stayed anyway.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy import stats

from features.errors import StayworthError

Floats = NDArray[np.float64]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


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

    alpha: float = Field(gt=0, allow_inf_nan=False)
    beta: float = Field(gt=0, allow_inf_nan=False)

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

    @model_validator(mode="after")
    def _one_incentive(self) -> Offer:
        if (self.incentive_cost is None) == (self.incentive_share is None):
            raise ValueError(
                "give either incentive_cost (money) or incentive_share (of the spend per purchase); "
                "an offer without an incentive has incentive_cost = 0"
            )
        return self

    @property
    def acceptance(self) -> float:
        """Expected acceptance rate γ."""
        prior = self.acceptance_rate
        return prior.mean if isinstance(prior, BetaPrior) else prior

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
                f"The incentive of offer {self.name!r} is a share of the spend per purchase, "
                "which is not given. Give it, or use incentive_cost."
            )
        return np.asarray(np.asarray(spend_per_purchase, dtype=np.float64) * (self.incentive_share or 0.0))


class _OfferFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    offers: list[Offer] = Field(min_length=1)


def read_offers(path: str | Path) -> list[Offer]:
    """Read ``[[offers]]`` tables from a TOML file.

    Raises
    ------
    OfferError
        If the file cannot be read, two offers share a name, or a figure is missing or out of range.
    """
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise OfferError(f"Can't read the offers file {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OfferError(f"{path} is not valid TOML: {error}.") from None
    try:
        offers = _OfferFile.model_validate(raw).offers
    except ValidationError as error:
        raise OfferError(f"{path}: {_explain(error, raw)}") from None
    names = [offer.name for offer in offers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OfferError(f"{path}: two offers are called {twice[0]!r}. Give each a name of its own.")
    return offers


def _explain(error: ValidationError, raw: dict[str, Any]) -> str:
    """Put pydantic's findings in the words of the file."""
    lines = []
    for problem in error.errors():
        where = [
            part
            for part in problem["loc"]
            if part not in ("offers", "float", "BetaPrior", "constrained-float")
        ]
        message = problem["msg"].removeprefix("Value error, ")
        if where and isinstance(where[0], int):
            table = raw["offers"][where[0]]
            name = table.get("name", f"number {where[0] + 1}") if isinstance(table, dict) else where[0] + 1
            lines.append(f"offer {name}: {'.'.join(map(str, where[1:]))} {message}".replace(":  ", ": "))
        else:
            lines.append(
                f"{'.'.join(map(str, where)) or 'offers'}: {message} (the file needs [[offers]] tables)"
            )
    return "; ".join(dict.fromkeys(lines)) + "."


def _checked(churn_probability: ArrayLike, value_at_stake: ArrayLike) -> tuple[Floats, Floats]:
    p = np.asarray(churn_probability, dtype=np.float64)
    value = np.asarray(value_at_stake, dtype=np.float64)
    if p.shape != value.shape and p.ndim and value.ndim:
        raise ValueError(f"There are {p.size} churn probabilities but {value.size} values at stake.")
    wrong = ~((p >= 0) & (p <= 1))
    if wrong.any():
        raise ValueError(
            f"{int(wrong.sum())} churn probabilities are not within 0 and 1, e.g. {p[wrong].flat[0]}."
        )
    if np.isnan(value).any():
        raise ValueError(f"{int(np.isnan(value).sum())} values at stake are missing.")
    return p, value


def offer_profit(
    churn_probability: ArrayLike,
    value_at_stake: ArrayLike,
    offer: Offer,
    spend_per_purchase: ArrayLike | None = None,
) -> Floats:
    """Return the expected profit of making each customer one retention offer.

    ``p·γ·(V − d) − (1 − p)·ψ·d − f``: a would-be leaver who accepts is worth V less the incentive; those who
    would have stayed take the incentive too. Contact only where the result is positive.

    Parameters
    ----------
    churn_probability : array of shape (n_customers,), in [0, 1]
    value_at_stake : array of shape (n_customers,), money, discounted margin that an accepted offer saves
    offer : Offer
    spend_per_purchase : array of shape (n_customers,), money, only for an incentive that is a share of it

    Returns
    -------
    ndarray of shape (n_customers,), money

    Raises
    ------
    ValueError
        If the two arrays differ in length or a probability lies outside [0, 1].

    References
    ----------
    Neslin et al. (2006), Journal of Marketing Research 43(2), eq. 1, with individual value.

    Examples
    --------
    >>> offer = Offer(incentive_cost=20, contact_cost=2, acceptance_rate=0.25)
    >>> offer_profit(np.array([0.4]), np.array([500.0]), offer)
    array([34.])
    """
    p, value = _checked(churn_probability, value_at_stake)
    return np.asarray(p * offer.acceptance * value - expected_cost(p, offer, spend_per_purchase))


def expected_cost(
    churn_probability: ArrayLike, offer: Offer, spend_per_purchase: ArrayLike | None = None
) -> Floats:
    """Return the expected cost of the offer per customer contacted: ``f + d·(p·γ + (1 − p)·ψ)``.

    Returns
    -------
    ndarray of shape (n_customers,), money

    Examples
    --------
    >>> expected_cost(np.array([0.4]), Offer(incentive_cost=20, contact_cost=2, acceptance_rate=0.25))
    array([16.])
    """
    p, d = np.asarray(churn_probability, dtype=np.float64), offer.incentive(spend_per_purchase)
    return np.asarray(offer.contact_cost + d * (p * offer.acceptance + (1 - p) * offer.redemption_rate))


def greatest_cost(offer: Offer, spend_per_purchase: ArrayLike | None = None) -> Floats:
    """Return the cost per customer contacted if everyone takes the incentive: ``f + d``, money."""
    return np.asarray(offer.contact_cost + offer.incentive(spend_per_purchase))


def break_even_probability(
    value_at_stake: ArrayLike, offer: Offer, spend_per_purchase: ArrayLike | None = None
) -> Floats:
    """Return the churn probability above which the offer pays: ``p* = (f + ψd) / (γ(V − d) + ψd)``.

    Returns
    -------
    ndarray of shape (n_customers,); above 1 or infinite where the offer can never pay

    Examples
    --------
    >>> offer = Offer(incentive_cost=10, contact_cost=1, acceptance_rate=0.3)
    >>> break_even_probability(np.array([200.0]), offer)
    array([0.1641791])
    """
    value, d = np.asarray(value_at_stake, dtype=np.float64), offer.incentive(spend_per_purchase)
    kept = offer.redemption_rate * d
    gain = np.asarray(offer.acceptance * (value - d) + kept)
    paid = np.broadcast_to(offer.contact_cost + kept, gain.shape)
    return _ratio(paid, gain)


def _ratio(paid: Floats, gain: Floats) -> Floats:
    ratio = np.full(gain.shape, np.inf)
    np.divide(paid, gain, out=ratio, where=gain > 0)
    return ratio


def break_even_acceptance(
    churn_probability: ArrayLike,
    value_at_stake: ArrayLike,
    offer: Offer,
    spend_per_purchase: ArrayLike | None = None,
) -> Floats:
    """Return the acceptance rate above which the offer pays: ``γ* = ((1 − p)ψd + f) / (p(V − d))``.

    Returns
    -------
    ndarray of shape (n_customers,); above 1 or infinite where the offer can never pay
    """
    p, value = _checked(churn_probability, value_at_stake)
    d = offer.incentive(spend_per_purchase)
    gain = np.asarray(p * (value - d))
    paid = np.asarray((1 - p) * offer.redemption_rate * d + offer.contact_cost)
    return _ratio(paid, gain)


def probability_of_profit(
    churn_probability: ArrayLike,
    value_at_stake: ArrayLike,
    offer: Offer,
    spend_per_purchase: ArrayLike | None = None,
) -> Floats:
    """Return the probability that the expected profit is positive, given only a Beta prior of acceptance.

    ``P(γ > γ*)``. Where the acceptance rate is a plain number, this is 0 or 1. The uncertainty of the churn
    probability and the value is not in it.

    Examples
    --------
    >>> prior = BetaPrior(alpha=6, beta=14)
    >>> offer = Offer(incentive_cost=10, contact_cost=1, acceptance_rate=prior)
    >>> probability_of_profit(np.array([0.2, 0.9]), np.array([200.0, 200.0]), offer).round(3)
    array([0.716, 1.   ])
    """
    needed = break_even_acceptance(churn_probability, value_at_stake, offer, spend_per_purchase)
    prior = offer.acceptance_rate
    if isinstance(prior, BetaPrior):
        return np.asarray(stats.beta.sf(needed, prior.alpha, prior.beta))
    return np.asarray(needed < prior, dtype=np.float64)
