"""A world with more than orders: complaints that precede leaving, and a region that buys less.

A stationary world (`features.datasets.worlds`) in which customers of the region ``south`` leave out some of the
purchases that they would make elsewhere (a thinned Poisson process is one), most of those who leave complain soon after
their last purchase, and everybody complains and calls now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from features.datasets.simulated_world import SimulatedWorld
from features.datasets.worlds import simulate_world

REGIONS = ("north", "south", "west")
_COMPLAIN_DAYS = 20
_DAY_SECONDS = 86_400


@dataclass(frozen=True, eq=False)
class BehaviourWorld:
    """Orders, and what else is known of the customers.

    Attributes
    ----------
    transactions : pyarrow.Table, the log: customer_id, ordered_at (seconds), amount
    touchpoints : DataFrame of customer_id, occurred_at (ISO date), touchpoint: complaint or call
    attributes : DataFrame of customer_id, region
    world : SimulatedWorld, before the south has left out purchases
    """

    transactions: pa.Table
    touchpoints: pd.DataFrame
    attributes: pd.DataFrame
    world: SimulatedWorld

    def shuffled(self, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return touchpoints and attributes of customers drawn at random: as many, and they say nothing."""
        rng = np.random.default_rng(seed)
        ids = self.attributes["customer_id"].to_numpy()
        other = pd.Series(rng.permutation(ids), index=ids)
        touches, attributes = (
            rows.assign(customer_id=rows["customer_id"].map(other))
            for rows in (self.touchpoints, self.attributes)
        )
        return touches, attributes


def simulate_behaviour(
    *,
    n_customers: int = 3_000,
    complain: float = 0.9,
    south_buys: float = 0.3,
    calls_a_year: float = 0.2,
    days: int = 730,
    seed: int = 0,
) -> BehaviourWorld:
    """Draw a world in which complaints precede leaving and a region buys less.

    Parameters
    ----------
    n_customers : int, at least 1
    complain : float in [0, 1], the share of those who leave who complain within 20 days of their last purchase
    south_buys : float in [0, 1], the share of their repeat purchases that customers of the south make
    calls_a_year : float, calls and as many complaints of everybody, per customer and year
    days : int, of the log
    seed : int

    Examples
    --------
    >>> world = simulate_behaviour(n_customers=200, seed=1)
    >>> world.transactions.column_names, sorted(world.touchpoints["touchpoint"].unique())
    (['customer_id', 'ordered_at', 'amount'], ['call', 'complaint'])
    """
    world = simulate_world("stationary", n_customers=n_customers, days=days, days_ahead=1, seed=seed)
    rng = np.random.default_rng(seed)
    ids = world.truth["customer_id"].to_numpy()
    regions = pd.Series(rng.choice(REGIONS, n_customers), index=ids)
    orders = world.transactions.to_pandas()
    repeat = orders.duplicated("customer_id").to_numpy()
    is_south = (orders["customer_id"].map(regions) == "south").to_numpy()
    left_out = repeat & is_south & (rng.random(len(orders)) >= south_buys)
    return BehaviourWorld(
        world.transactions.filter(pa.array(~left_out)),
        _touches(world, rng, complain, calls_a_year),
        pd.DataFrame({"customer_id": ids, "region": regions.to_numpy()}),
        world,
    )


def _touches(world: SimulatedWorld, rng: np.random.Generator, complain: float, a_year: float) -> pd.DataFrame:
    ends, begins = pd.Timestamp(world.ends), pd.Timestamp(world.begins)
    truth = world.truth
    left = truth["died_at"] + pd.to_timedelta(rng.uniform(1, _COMPLAIN_DAYS, len(truth)), "D")
    angry = (left < ends) & (rng.random(len(truth)) < complain)
    parts = [
        pd.DataFrame({"customer_id": truth["customer_id"], "at": left, "touchpoint": "complaint"})[angry]
    ]
    days = (world.ends - world.begins) / timedelta(days=1)
    for touchpoint in ("call", "complaint"):
        who = np.repeat(np.arange(len(truth)), rng.poisson(a_year * days / 365, len(truth)))
        at = begins + pd.to_timedelta(rng.uniform(0, days, len(who)) * _DAY_SECONDS, "s")
        names = truth["customer_id"].to_numpy()[who]
        rows = pd.DataFrame({"customer_id": names, "at": at, "touchpoint": touchpoint})
        parts.append(rows[at >= truth["acquired_at"].to_numpy()[who]])
    touches = pd.concat(parts, ignore_index=True)
    return touches.assign(occurred_at=touches["at"].dt.strftime("%Y-%m-%d")).drop(columns="at")
