"""A campaign plan: which scored customers to contact with which offer, and which to hold out.

Every offer is priced for every customer, the most profitable choice within the limits is made, and the holdout is
drawn at random among the chosen customers. Nobody is contacted in place of the holdout: it has to be a random part
of those who would have been contacted, or the comparison would not measure the campaign.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from features.errors import StayworthError
from features.language import translated
from features.log.currencies import one_name
from training.campaign.candidates import (
    profit_of_contacts,
)
from training.campaign.draw import UNDRAWN, Draw
from training.campaign.exploration import choose_with_explorers
from training.campaign.holdout import CONFIDENCE, holdout_share_for, minimum_detectable_effect
from training.campaign.prepared import Prepared, prepare
from training.campaign.resumption import value_at_resumption
from training.campaign.running import RunningCampaign
from training.campaign.settings import PlanTerms
from training.offers.allocation import Allocation
from training.offers.offers import BetaPrior, Floats, Offer

_MOST_ROUNDS = 30


def _ranking(profit: Floats, wanted: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the places of some customers, who come by id, by expected profit; of equals the smaller id is first."""
    some = np.flatnonzero(wanted)
    return np.asarray(some[np.argsort(-profit[some], kind="stable")])


@dataclass(frozen=True)
class CampaignPlan:
    """Customers to contact with their offers, customers held out, and the reason for all others.

    Parameters
    ----------
    known : Prepared, what it was chosen from
    drawn : Draw of the customers within reach
    terms : PlanTerms
    allocation : Allocation, of the candidates, before the draw
    holdout_share : float in [0, 0.5]
    """

    known: Prepared
    drawn: Draw
    terms: PlanTerms
    allocation: Allocation
    holdout_share: float

    @cached_property
    def customers(self) -> pd.DataFrame:
        """One row per scored customer, by customer_id.

        ``offer`` is the name of the chosen offer or empty, ``held_out`` and ``stratum`` say how the draw went,
        ``reason`` why one is not chosen.
        """
        everybody = self.known.customers
        said = self.drawn.said(np.arange(len(self.drawn.number)), self.known.reach.doubtful)
        places = self.known.candidates[self.known.reach.places]
        columns = {}
        for name in said:
            cells = everybody[name] if name in everybody else UNDRAWN[name]
            columns[name] = pd.Series(cells, index=everybody.index, dtype=said[name].dtype)
            columns[name].iloc[places] = said[name].array
        return everybody.assign(**columns)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The offers that it chooses from."""
        return self.known.offers

    @property
    def starts_on(self) -> date:
        """First day on which an order can be due to the campaign."""
        return self.known.starts_on

    @property
    def horizon_days(self) -> int:
        """Length of the churn window, of the scores."""
        return self.known.horizon_days

    @property
    def margin(self) -> float:
        """Margin per unit of spend, of the scores."""
        return self.known.margin

    @property
    def dormant_after_days(self) -> int:
        """Silence after which a customer is dormant, of the scores or two horizons."""
        return self.known.dormant_after_days

    @property
    def running(self) -> tuple[RunningCampaign, ...]:
        """Campaigns whose window overlaps that of the plan."""
        return self.known.running

    @property
    def costs(self) -> Mapping[str, float]:
        """What customers cost by name, of the scores; empty where they do not say."""
        return self.known.costs

    @property
    def snapshot_date(self) -> date:
        """Date of the scores."""
        return self.known.snapshot_date

    @property
    def resumption(self) -> float | None:
        """Resumption that the values assume; None for a list that does not state it."""
        return self.known.resumption

    @property
    def currency(self) -> str | None:
        """Currency of the scored list; None where it names none.

        Raises
        ------
        StayworthError
            If it names several: their values cannot be compared.
        """
        named = self.known.customers.get("currency", pd.Series(dtype=str)).astype(str)
        words = sorted(set(named) - {"", "nan", "None"})
        names = sorted(set(one_name(words).values()))
        if len(names) > 1:
            raise StayworthError(
                translated(
                    "The scored list is in {n} currencies, {names}. Give that of one log.",
                    n=len(names),
                    names=", ".join(names[:3]),
                )
            )
        return names[0] if names else None

    @cached_property
    def figures(self) -> pd.DataFrame:
        """The figures of the chosen: what sums over many customers are made of."""
        return self.drawn.figures(np.flatnonzero(self.drawn.chosen))

    @cached_property
    def contacts(self) -> pd.DataFrame:
        """The figures of the contacted."""
        return self.figures[~self.figures["held_out"]].reset_index(drop=True)

    @property
    def n_held_out(self) -> int:
        """Number of customers held out."""
        return len(self.figures) - len(self.contacts)

    @property
    def explorers(self) -> pd.DataFrame:
        """The figures of those of the contacted who are contacted to learn."""
        return self.contacts[self.contacts["explores"]]

    @property
    def for_profit(self) -> pd.DataFrame:
        """The figures of the chosen but for those who are there to learn from, and for their holdout."""
        return self.figures[~self.figures["explores"]]

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        """Places of the chosen within reach, the most profitable first."""
        return _ranking(self.drawn.money["expected_profit"], self.drawn.chosen)

    def _listed(self, rows: NDArray[np.intp]) -> pd.DataFrame:
        """Return all that is known of some within reach."""
        places = self.known.candidates[self.known.reach.places[rows]]
        said = self.drawn.said(rows, self.known.reach.doubtful)
        known = self.known.customers.take(places).reset_index(drop=True)
        return known.assign(**{name: said[name] for name in said})

    def first(self, number: int, *, held_out: bool) -> pd.DataFrame:
        """Return the most profitable of the contacted, or of the held out, with all that is known of them."""
        return self._listed(self._order[self.drawn.held_out[self._order] == held_out][:number])

    @cached_property
    def chosen(self) -> pd.DataFrame:
        """Contacted and held out with all that is known of them, the most profitable first."""
        return self._listed(self._order)

    @cached_property
    def contacted(self) -> pd.DataFrame:
        """Customers to contact now."""
        return self.chosen[~self.chosen["held_out"]].reset_index(drop=True)

    @cached_property
    def held_out(self) -> pd.DataFrame:
        """Customers not to be contacted, for the comparison."""
        return self.chosen[self.chosen["held_out"]].reset_index(drop=True)

    @cached_property
    def not_selected(self) -> pd.DataFrame:
        """Everyone else, with the reason."""
        profit, left = self.customers["expected_profit"].to_numpy(), self.customers["offer"] == ""
        return self.customers.take(_ranking(profit, left.to_numpy())).reset_index(drop=True)

    @cached_property
    def reasons(self) -> pd.Series:
        """How many of everyone else have each reason, the most frequent first."""
        within = pd.Series(self.drawn.reasons(self.known.reach.doubtful), dtype=int)
        both = self.known.beyond_reach.add(within, fill_value=0).astype(int)
        return both.sort_values(ascending=False, kind="stable")

    @property
    def expected_cost(self) -> float:
        """Expected cost of the contacts, money."""
        return float(self.contacts["expected_cost"].sum())

    @property
    def greatest_cost(self) -> float:
        """Cost of the contacts if everyone takes the incentive, money."""
        return float(self.contacts["greatest_cost"].sum())

    @property
    def expected_profit(self) -> float:
        """Expected profit of the contacts, money."""
        return float(self.contacts["expected_profit"].sum())

    def profit_at_resumption(self, resumption: float) -> float:
        """Return the expected profit of the same contacts at another resumption, money.

        Raises
        ------
        StayworthError
            If the scores do not say how much of the value hangs on it.
        """
        part = self.contacts
        return profit_of_contacts(part, self.offers, value=value_at_resumption(part, resumption))

    @property
    def expected_effect(self) -> float:
        """Share of the contacted whom the offers are expected to keep."""
        kept = sum(
            float((part["churn_probability"] * offer.acceptance).sum()) for part, offer in self._by_acceptance
        )
        return kept / len(self.contacts) if len(self.contacts) else 0.0

    @cached_property
    def stay_rate(self) -> float:
        """Share of the chosen expected to stay without any contact."""
        chosen = self.figures
        return float(1 - chosen["churn_probability"].mean()) if len(chosen) else 0.0

    @property
    def detectable_effect(self) -> float:
        """Smallest effect on the share who stay that the holdout will show with the plan's power."""
        sizes = (len(self.contacts), self.n_held_out)
        return minimum_detectable_effect(*sizes, self.stay_rate, power=self.terms.power)

    @cached_property
    def _by_acceptance(self) -> list[tuple[pd.DataFrame, Offer]]:
        """The contacted, split by offer and acceptance rate."""
        part = self.contacts[["churn_probability", "value_at_stake", "incentive_cost"]]
        number, silent = (self.contacts[name].to_numpy() for name in ("number", "silent_days"))
        return [
            (part.take(np.flatnonzero(rows & (number == place))), same)
            for place, offer in enumerate(self.offers)
            for rows, same in offer.by_silence(silent)
        ]

    def profit_interval(self) -> tuple[float, float]:
        """Return the central 90% interval of the contacts' profit, if the scores are right.

        It covers the uncertainty of the acceptance rates, and chance in who leaves and who accepts.
        """
        variance = 0.0
        for part, offer in self._by_acceptance:
            p, gain = part["churn_probability"].to_numpy(), part["value_at_stake"].to_numpy()
            d = part["incentive_cost"].to_numpy()
            kept, taken = p * max(offer.acceptance, 0.0), (1 - p) * offer.redemption_rate
            mean = kept * (gain - d) - taken * d
            variance += float((kept * (gain - d) ** 2 + taken * d**2 - mean**2).sum())
            if isinstance(prior := offer.acceptance_rate, BetaPrior):
                spread = stats.beta.var(prior.alpha, prior.beta)
                variance += float(spread * (p * (gain - d)).sum() ** 2)
        half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * math.sqrt(variance)
        return self.expected_profit - half, self.expected_profit + half


def plan(
    scores: pd.DataFrame,
    offers: Sequence[Offer],
    terms: PlanTerms | None = None,
    *,
    horizon_days: int | None = None,
    margin: float | None = None,
    suppress: Collection[str] = (),
    contacts: pd.DataFrame | None = None,
    running: Sequence[RunningCampaign] = (),
    costs: Mapping[str, float] | None = None,
) -> CampaignPlan:
    """Choose which customers to contact with which offer, and draw the holdout.

    Parameters
    ----------
    scores : DataFrame, a scored list (customer_id, snapshot_date, churn_probability, value_at_stake, …)
    offers : sequence of Offer
    terms : PlanTerms, budget, limits, holdout, seed
    horizon_days, margin : int and float, or None; only for a list without these columns
    suppress : customer ids never to be contacted
    contacts : DataFrame with customer_id and contacted_on, past contacts, for ``terms.cooldown_days``
    running : campaigns that may still be running, from `training.campaign.assignment.read_running`; their customers
        are left alone while the windows overlap
    costs : what customers cost, by name; must be what the list says

    Returns
    -------
    CampaignPlan

    Raises
    ------
    StayworthError
        If a column is missing, customers are listed twice, ``horizon_days``, ``margin`` or a cost contradicts the list,
        or the asked effect is out of reach.

    Examples
    --------
    >>> scores = pd.DataFrame(
    ...     {
    ...         "customer_id": ["1", "2"],
    ...         "snapshot_date": ["2024-01-01"] * 2,
    ...         "churn_probability": [0.9, 0.1],
    ...         "value_at_stake": [200.0, 200.0],
    ...         "horizon_days": [90, 90],
    ...         "margin": [0.3, 0.3],
    ...     }
    ... )
    >>> voucher = Offer(name="voucher", contact_cost=1, incentive_cost=10, acceptance_rate=0.3)
    >>> plan(scores, [voucher], PlanTerms(holdout=0)).contacted["customer_id"].tolist()
    ['1']
    """
    known = prepare(
        scores,
        offers,
        terms,
        horizon_days=horizon_days,
        margin=margin,
        suppress=suppress,
        contacts=contacts,
        running=running,
        costs=costs,
    )
    return choose(known, terms or PlanTerms())


def choose(known: Prepared, terms: PlanTerms) -> CampaignPlan:
    """Choose the contacts within the limits of some terms, and draw the holdout.

    Parameters
    ----------
    known : Prepared
    terms : PlanTerms
        Those that it was prepared by, but for budget, limits of contacts, holdout, effect, power, exploration and seed.

    Raises
    ------
    StayworthError
        If the asked effect is out of reach.
    """
    share = 0.1 if terms.holdout_share is None else terms.holdout_share
    for _ in range(_MOST_ROUNDS):
        allocation, drawn = choose_with_explorers(known.reach, known.offers, terms, share)
        result = CampaignPlan(known, drawn, terms, allocation, share)
        if terms.effect is None:
            return result
        needed = _share_for_effect(result, terms.effect)
        if math.isclose(needed, share, abs_tol=0.002):
            return result
        share = needed
    return result


def _share_for_effect(result: CampaignPlan, effect: float) -> float:
    chosen, rate, power = len(result.figures), result.stay_rate, result.terms.power
    if chosen < 2:  # nobody to compare with
        return result.holdout_share
    share = holdout_share_for(effect, chosen, rate, power=power)
    if share is None:
        best = minimum_detectable_effect(chosen // 2, chosen // 2, rate, power=power)
        raise StayworthError(
            translated(
                "With {chosen:customer|customers} even a holdout of half can only detect effects of {value:.1f} "
                "points or more, not {value_2:.1f}. Use --effect {value_3:.2f} or more, or a larger "
                "budget.",
                chosen=chosen,
                value=100 * best,
                value_2=100 * effect,
                value_3=math.ceil(100 * best) / 100,
            )
        )
    return share
