"""The account of a backtest: the profit of each policy, from who churned, with intervals.

The intervals are from a bootstrap over customers, each drawn with all their snapshots. Neighbouring windows overlap
and share a season; differences between seasons are not in the intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.language import translated, translation
from training.backtest.policies import (
    BGNBD,
    CHAMPION,
    FORESIGHT,
    POLICIES,
    RANKINGS,
    SILENCE,
    SIMPLER,
    VALUE,
    Prospects,
    contacts,
)
from training.offers.offers import Floats, Offer
from training.offers.profit_measures import ProfitMeasure, empb, empc, mpc
from training.report.formats import money, share

AVERAGE = "average"
CONFIDENCE = 0.9
DRAWS = 1_000


@dataclass(frozen=True)
class Account:
    """Profit of every policy at past snapshots.

    Parameters
    ----------
    offer : Offer
    prospects : tuple of Prospects, oldest first
        The customers that the policies could contact at each snapshot.
    table : DataFrame, a row per snapshot and policy, then the same for the average snapshot
        ``snapshot``, ``policy``, ``customers``, ``contacted``; ``profit``, money, with ``profit_low`` and
        ``profit_high``; ``champion_lead``, by how much the champion's plan earned more, with ``lead_low`` and
        ``lead_high``; ``foresight_share``, of what perfect foresight earned, with ``foresight_low`` and
        ``foresight_high`` (NaN where that is nothing). Intervals hold 90%.
    measures : DataFrame, a row per snapshot and ranking
        ``snapshot``, ``ranking``; ``empc``, ``mpc`` and ``empb``, money per customer, each followed by its
        ``_floor``, what needs no ranking.
    """

    offer: Offer
    prospects: tuple[Prospects, ...]
    table: pd.DataFrame
    measures: pd.DataFrame

    def average(self) -> pd.DataFrame:
        """Return the account of the average snapshot, a row per policy, indexed by it."""
        table = self.table
        return table[table["snapshot"] == AVERAGE].drop(columns="snapshot").set_index("policy")

    def to_dict(self) -> dict[str, Any]:
        """Return the offer, the two tables as lists of rows, and the verdict."""
        return {
            "horizon_days": self.prospects[0].window.horizon_days,
            "offer": self.offer.model_dump(),
            "profits": self.table.to_dict("records"),
            "measures": self.measures.to_dict("records"),
            "verdict": self.verdict(),
        }

    def verdict(self) -> str:
        """Return the verdict on the champion's plan: on average, against simpler policies, at its worst snapshot."""
        average, table = self.average(), self.table
        own = average.loc[CHAMPION]
        part = table[(table["policy"] == CHAMPION) & (table["snapshot"] != AVERAGE)]
        worst = part.loc[part["profit"].idxmin()]
        earned = translated("On average the champion's plan earned {profit}.", profit=_between(own, "profit"))
        if np.isfinite(own["foresight_share"]):
            low, high = own["foresight_low"], own["foresight_high"]
            earned = translated(
                "On average the champion's plan earned {profit}, {share} of what perfect foresight would have earned "
                "({low} to {high}).",
                profit=_between(own, "profit"),
                share=share(own["foresight_share"]),
                low=share(low),
                high=share(high),
            )
        at_worst = translated(
            "At its worst snapshot, {day:date}, it earned {profit}; contacting nobody earns 0.",
            day=worst["snapshot"],
            profit=_between(worst, "profit"),
        )
        return f"{earned} {self._standing()} {at_worst}"

    def _standing(self) -> str:
        """Compare the champion's plan with the best of the simpler policies that it has not clearly beaten."""
        average = self.average().loc[SIMPLER]
        unbeaten = average[average["lead_low"] <= 0]
        name = (average if unbeaten.empty else unbeaten)["profit"].idxmax()
        rival = average.loc[name]
        numbers = {
            "policy": translation(str(name)),
            "profit": money(rival["profit"]),
            "lead": money(rival["champion_lead"]),
            "low": money(rival["lead_low"]),
            "high": money(rival["lead_high"]),
        }
        if unbeaten.empty:
            return translated(
                "That is more than any simpler policy earned; the best of them is {policy} with {profit}, a lead of "
                "{lead} ({low} to {high}).",
                **numbers,
            )
        if rival["lead_high"] < 0:
            return translated(
                "A simpler policy earned more: {policy} with {profit}, a lead of {lead} ({low} to {high}).",
                **numbers,
            )
        return translated(
            "It cannot be told apart from {policy} with {profit}: a lead of {lead} ({low} to {high}) is within noise.",
            **numbers,
        )


def _between(row: pd.Series, name: str) -> str:
    return translated(
        "{profit} ({low} to {high})",
        profit=money(row[name]),
        low=money(row[f"{name}_low"]),
        high=money(row[f"{name}_high"]),
    )


def settle(prospects: Sequence[Prospects], offer: Offer, *, seed: int = 0, draws: int = DRAWS) -> Account:
    """Compute the account of every policy.

    Parameters
    ----------
    prospects : sequence of Prospects, at least one
    offer : Offer
    seed, draws : int, of the bootstrap behind the intervals
    """
    shares = [np.column_stack([contacts(each, offer)[name] for name in POLICIES]) for each in prospects]
    earned = [
        each.realised_profit(offer)[:, None] * chance for each, chance in zip(prospects, shares, strict=True)
    ]
    totals = np.array([part.sum(axis=0) for part in earned])
    contacted = np.array([chance.sum(axis=0) for chance in shares])
    customers = np.array([len(each.churned) for each in prospects], dtype=np.float64)
    drawn = _draw_totals(prospects, earned, seed, draws)
    blocks = [
        _rows(str(each.snapshot), customers[i], contacted[i], totals[i], drawn[:, i])
        for i, each in enumerate(prospects)
    ]
    whole = _rows(AVERAGE, customers.mean(), contacted.mean(axis=0), totals.mean(axis=0), drawn.mean(axis=1))
    blocks.append(whole)
    measured = [_measure(each, offer, name) for each in prospects for name in RANKINGS]
    table = pd.concat(blocks, ignore_index=True)
    return Account(offer, tuple(prospects), table, pd.DataFrame(measured))


def _draw_totals(prospects: Sequence[Prospects], earned: Sequence[Floats], seed: int, draws: int) -> Floats:
    """Return total profits of redrawn customers, of shape (draws, n_snapshots, n_policies), money."""
    names = np.concatenate([each.customer_id for each in prospects]).astype(str)
    ids, code = np.unique(names, return_inverse=True)
    codes = np.split(code, np.cumsum([len(part) for part in earned])[:-1])
    rng = np.random.default_rng(seed)
    drawn = np.empty((draws, len(earned), len(POLICIES)))
    for draw in range(draws):
        times = np.bincount(rng.integers(ids.size, size=ids.size), minlength=ids.size).astype(np.float64)
        for i, (mine, part) in enumerate(zip(codes, earned, strict=True)):
            weight = times[mine]
            # Scaled to the snapshot's own size, which is not random here.
            drawn[draw, i] = weight @ part * (weight.size / max(weight.sum(), 1.0))
    return drawn


def _rows(snapshot: str, customers: float, contacted: Floats, total: Floats, drawn: Floats) -> pd.DataFrame:
    """Return one snapshot's rows, from totals of shape (n_policies,) and draws of them."""
    champion, foresight = POLICIES.index(CHAMPION), POLICIES.index(FORESIGHT)
    shares = np.full((len(drawn) + 1, len(POLICIES)), np.nan)
    both = np.vstack([total, drawn])
    best = both[:, [foresight]]
    np.divide(both, best, out=shares, where=best > 0)
    columns = {"profit": (total, drawn)}
    columns["lead"] = (total[champion] - total, drawn[:, [champion]] - drawn)
    columns["foresight"] = (shares[0], shares[1:])
    names = {"lead": "champion_lead", "foresight": "foresight_share"}
    rows: dict[str, object] = {"snapshot": snapshot, "policy": POLICIES}
    rows |= {"customers": customers, "contacted": contacted}
    for name, (value, values) in columns.items():
        low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
        rows |= {names.get(name, name): value, f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame(rows)


def _measure(prospects: Prospects, offer: Offer, name: str) -> dict[str, object]:
    """Measure one ranking.

    EMPC and MPC take its risk, under the literature's offer, so that they compare with published ones. EMPB takes
    its own order, under this offer and with each customer's own value.
    """
    churned, p = prospects.churned, prospects.churn_probability
    risk = {SILENCE: prospects.days_silent, VALUE: prospects.value_at_stake, BGNBD: prospects.p0}.get(name, p)
    undefined = ProfitMeasure(np.nan, np.nan, np.nan)
    both = 0 < churned.sum() < churned.size
    measures = {
        "empc": empc(churned, risk) if both else undefined,
        "mpc": mpc(churned, risk) if both else undefined,
        "empb": empb(
            churned,
            prospects.rankings(offer)[name],
            prospects.value_at_stake,
            offer=offer,
            spend_per_purchase=prospects.spend_per_purchase,
        ),
    }
    row: dict[str, object] = {"snapshot": str(prospects.snapshot), "ranking": name}
    for measure, value in measures.items():
        row |= {measure: value.profit, f"{measure}_floor": value.floor}
    return row
