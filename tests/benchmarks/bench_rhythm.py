"""Days off the next purchase where customers keep a clock: ``python tests/benchmarks/bench_rhythm.py [shop …]``.

Four simulated shops of 4,000 customers over four years: subscribers (a box every 30 days, some extra orders), weekly
shoppers (every 7, 14 or 28 days, give or take one, some missed, holidays), patients (a check-up a year, some courses of
treatment), and customers who buy at random, as Pareto/NBD says. Of those who had bought twice and buy in the window:
the median and the mean distance of the day that is told, the median of the next purchase, from that of the purchase;
the window's length where it lies further off, or is never told. By the last purchase and the mean gap, by the purchase
model with the churn probability, and as training tells it where it found a rhythm. Then how many bought on the days
from that of 10% to that of 90%.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from features.log.transactions import TransactionLog
from features.log.validation import validate
from training.churn.procedure import run_procedure
from training.clv.model import CLVModel
from training.pipeline import fit_options
from training.settings import TrainSettings
from training.training_data import prepare

DAYS = 4 * 365
BEGINS = pd.Timestamp("2016-01-01")
SEEDS = (101, 102)
HEAD = ("shop, window", "seed", "buyers", "told by", "median, days off", "mean", "from 10 to 90%")


def subscribers(draw: np.random.Generator, begins: int) -> list[float]:
    """Return the days of a customer who gets a box every 30 days, and orders more now and then."""
    boxes = np.arange(begins, begins + draw.exponential(300) + 1, 30.0)
    extra = draw.random(len(boxes)) < draw.gamma(0.5, 0.6) / 12
    return [*boxes, *(boxes[extra] + draw.integers(1, 29, int(extra.sum())))]


def shoppers(draw: np.random.Generator, begins: int) -> list[float]:
    """Return the days of a customer who buys every 7, 14 or 28 days, give or take one."""
    step, leaves = draw.choice([7, 14, 28], p=[0.4, 0.4, 0.2]), begins + draw.exponential(365 * 1.2)
    steps = step + draw.integers(-1, 2, 300) + 7 * draw.integers(2, 6, 300) * (draw.random(300) < 0.02)
    days = begins + np.concatenate([[0], steps.cumsum()])
    return list(days[(days < leaves) & (draw.random(len(days)) > 0.12)])


def patients(draw: np.random.Generator, begins: int) -> list[float]:
    """Return the days of a customer with a check-up a year, and courses of treatment every 7 or 14 days."""
    leaves = begins + draw.exponential(365 * 5)
    days = list(begins + np.concatenate([[0], draw.normal(365, 20, 10).cumsum()]))
    for course in draw.uniform(begins, leaves, draw.poisson(0.35 * (leaves - begins) / 365)):
        days.extend(course + draw.choice([7, 14]) * np.arange(draw.integers(4, 11)))
    return [day for day in days if day < leaves or day == begins]


def random_buyers(draw: np.random.Generator, begins: int) -> list[float]:
    """Return the days of a customer who buys at random until they leave."""
    leaves, rate = begins + draw.exponential(500), draw.gamma(0.8, 1 / 90)
    return [begins, *draw.uniform(begins, leaves, draw.poisson(rate * (leaves - begins)))]


SHOPS: dict[str, tuple[Callable[[np.random.Generator, int], list[float]], tuple[int, ...]]] = {
    "subscribers": (subscribers, (30, 60)),
    "shoppers": (shoppers, (28, 60)),
    "patients": (patients, (90, 365)),
    "random": (random_buyers, (90,)),
}


def log_of(kind: str, seed: int, customers: int = 4_000) -> TransactionLog:
    """Draw a shop's log."""
    draw, orders = np.random.default_rng(seed), []
    for customer in range(customers):
        days = SHOPS[kind][0](draw, int(draw.integers(0, DAYS)))
        orders += [(f"k{customer}", int(day), 30.0) for day in days if day < DAYS]
    log = pd.DataFrame(orders, columns=["customer_id", "ordered_at", "amount"])
    return validate(log.assign(ordered_at=BEGINS + pd.to_timedelta(log["ordered_at"], unit="D")))


def off_by(log: TransactionLog, horizon: int) -> tuple[int, dict[str, list[float]]]:
    """Return how many buyers the last window has, and how far off each teller's days are."""
    test = log.last_day + timedelta(days=1 - horizon)
    data = prepare(
        log, TrainSettings(horizon_days=horizon, test_snapshot=test), lambda step, done, total: None
    )
    fitted = run_procedure(data.known_at_test, fit_options(log, data.settings))
    row = fitted.describe(data.test, horizon)
    buyers = ((row.table["frequency"] > 0) & (row.churned == 0)).to_numpy()
    waited = row.outcomes["days_to_purchase"].to_numpy()[buyers]
    p = fitted.churn.predict(row.columns, row.snapshot)

    def told(clv: CLVModel) -> list[float]:
        days = clv.next_purchase_days(row.columns, p, horizon).values()
        low, median, high = (
            np.maximum(np.ceil(np.nan_to_num(each[buyers], nan=1e6)) - 1, 0) for each in days
        )
        return [*_distances(median, waited, horizon), float(np.mean((low <= waited) & (waited <= high)))]

    due = (row.table["mean_gap_days"] - row.table["days_since_last_purchase"]).round().to_numpy()[buyers]
    found = {
        "mean gap": [*_distances(due, waited, horizon), np.nan],
        "with churn": told(replace(row.clv, rhythm=None)),
    }
    return len(waited), found | ({"with rhythm": told(row.clv)} if row.clv.rhythm is not None else {})


def _distances(days: np.ndarray, waited: np.ndarray, horizon: int) -> list[float]:
    off = np.minimum(np.abs(days - waited), horizon)
    return [float(np.median(off)), float(off.mean())]


def main() -> None:
    """Print a row for each shop, window, seed and teller."""
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)
    for seed in SEEDS:
        for kind in sys.argv[1:] or SHOPS:
            log = log_of(kind, seed)
            for horizon in SHOPS[kind][1]:
                n, found = off_by(log, horizon)
                for name, (median, mean, covered) in found.items():
                    told = f"{name} | {median:.1f} | {mean:.1f} | {'' if np.isnan(covered) else f'{covered:.0%}'}"
                    print(f"| {kind}, {horizon} d | {seed} | {n:,} | {told} |", flush=True)


if __name__ == "__main__":
    main()
