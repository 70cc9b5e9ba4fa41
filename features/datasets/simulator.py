"""Logs simulated from known parameters of the purchase and spend models.

They let a fit be compared with the truth, and give benchmarks any number of orders.

- BG/NBD (Fader, Hardie, Lee 2005, "Counting Your Customers" the Easy Way, Marketing Science 24(2)): while
  active, a customer buys at the rate λ ~ Gamma(r, rate α) a week, and becomes inactive right after any
  repeat purchase with probability p ~ Beta(a, b). A customer observed for t weeks after the first purchase
  then makes, on average (eq. 9),
  ``E[X(t)] = (a+b−1)/(a−1) · [1 − (α/(α+t))^r · ₂F₁(r, b; a+b−1; t/(α+t))]`` repeat purchases.
- Gamma-Gamma (Fader, Hardie 2013, The Gamma-Gamma Model of Monetary Value): an order is worth
  Gamma(p, rate ν), with ν ~ Gamma(q, rate v) of each customer; its mean is p/ν, over all customers
  p·v/(q−1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import StayworthError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_WEEK_SECONDS = 7 * 24 * 3600
SLOWEST_RATE = 1e-12  # purchases a week: never, but a number that can be divided by


@dataclass(frozen=True, eq=False)
class SimulatedLog:
    """A log drawn from known parameters, and the truth about its customers.

    Attributes
    ----------
    transactions : pyarrow.Table
        customer_id, ordered_at (seconds), amount (rounded to cents; a refund is negative), in order of time.
    truth : DataFrame, one row a customer
        customer_id; acquired_at, the first purchase; purchase_rate, per week while active;
        dropout_probability, after each repeat purchase; died_at, the last purchase ever, NaT for those still
        active at the end of the log; mean_spend, the expectation of an order's amount.
    """

    transactions: pa.Table
    truth: pd.DataFrame


def simulate_log(
    n_customers: int,
    *,
    r: float = 0.243,
    alpha: float = 4.414,
    a: float = 0.793,
    b: float = 2.426,
    p: float = 6.25,
    q: float = 3.74,
    v: float = 15.44,
    start: date = date(1997, 1, 1),
    weeks: float = 78.0,
    acquisition_weeks: float = 12.0,
    refund_share: float = 0.0,
    seed: int = 0,
) -> SimulatedLog:
    """Draw a log from BG/NBD and Gamma-Gamma; the defaults are CDNOW's published parameters.

    Parameters
    ----------
    n_customers : int, at least 1
    r, alpha : float, positive
        Shape and rate of the purchase rates; time in weeks.
    a, b : float, positive
        Of the dropout probabilities.
    p, q, v : float, positive
        Shape of the amounts, shape and rate of their customers' rates; v in money.
    start : datetime.date, the first day
    weeks : float, length of the log
    acquisition_weeks : float in [0, weeks)
        First purchases fall evenly into this time from the start.
    refund_share : float in [0, 1)
        Share of orders paid back in full, on average one week later; not if that is after the log's end.
    seed : int
        The same arguments give the same log.

    Returns
    -------
    SimulatedLog

    Raises
    ------
    StayworthError
        If an argument is out of its range.

    Examples
    --------
    >>> log = simulate_log(1000, seed=1)
    >>> log.transactions.column_names, len(log.truth)
    (['customer_id', 'ordered_at', 'amount'], 1000)
    >>> bool(log.truth["died_at"].isna().any())
    True
    """
    require_ranges(n_customers, (r, alpha, a, b, p, q, v), weeks, acquisition_weeks, refund_share)
    rng = np.random.default_rng(seed)
    rates = np.maximum(rng.gamma(r, 1 / alpha, n_customers), SLOWEST_RATE)
    dropouts = rng.beta(a, b, n_customers)
    spends = p * v / rng.gamma(q, 1.0, n_customers)
    acquired = rng.uniform(0, acquisition_weeks, n_customers)

    buyers, since, died = draw_purchases(rng, rates, dropouts, weeks - acquired)
    at = acquired[buyers] + since
    amounts = np.round(rng.gamma(p, 1 / p, len(buyers)) * spends[buyers], 2)
    refunded, refunded_at = _refunds(rng, at, refund_share, weeks)
    buyers, at = np.concatenate([buyers, buyers[refunded]]), np.concatenate([at, refunded_at])
    amounts = np.concatenate([amounts, -amounts[refunded]])

    names = customer_names(n_customers)
    times = moments_after(start, at)
    order = np.argsort(times, kind="stable")
    columns = [names.take(pa.array(buyers[order])), pa.array(times[order]), pa.array(amounts[order])]
    truth = {
        "customer_id": names.to_pandas(),
        "acquired_at": moments_after(start, acquired),
        "purchase_rate": rates,
        "dropout_probability": dropouts,
        "died_at": moments_after(start, acquired + died),
        "mean_spend": spends,
    }
    transactions = pa.table(columns, names=["customer_id", "ordered_at", "amount"])
    return SimulatedLog(transactions, pd.DataFrame(truth))


def require_ranges(
    n_customers: int, parameters: tuple[float, ...], weeks: float, acquisition: float, refund_share: float
) -> None:
    """Refuse arguments of a simulation that are out of their ranges."""
    if n_customers < 1:
        raise StayworthError(f"A log needs at least one customer, not {n_customers}.")
    if not all(0 < parameter < np.inf for parameter in parameters):
        raise StayworthError("r, alpha, a, b, p, q and v must all be positive.")
    if not 0 <= acquisition < weeks < np.inf:
        raise StayworthError(f"First purchases in {acquisition} weeks do not fit a log of {weeks} weeks.")
    if not 0 <= refund_share < 1:
        raise StayworthError(f"The share of refunds is {refund_share}; it must be in [0, 1).")


def draw_purchases(
    rng: np.random.Generator, rates: Floats, dropouts: Floats, observed: Floats, gap_shape: int = 1
) -> tuple[Indices, Floats, Floats]:
    """Return who bought when, and when each died (NaN: alive), in weeks since the first purchase.

    Gaps are Erlang with mean 1/rate; of shape 1, exponential.
    """
    died = np.full(len(rates), np.nan)
    alive, clock = np.arange(len(rates)), np.zeros(len(rates))
    buyers, times = [alive], [clock]
    while len(alive):  # one round a purchase: all who are still buying, at once
        clock = clock + rng.standard_gamma(gap_shape, len(alive)) / (gap_shape * rates[alive])
        seen = clock < observed[alive]
        alive, clock = alive[seen], clock[seen]
        buyers.append(alive)
        times.append(clock)
        dies = rng.random(len(alive)) < dropouts[alive]
        died[alive[dies]] = clock[dies]
        alive, clock = alive[~dies], clock[~dies]
    return np.concatenate(buyers), np.concatenate(times), died


def _refunds(
    rng: np.random.Generator, ordered_at: Floats, share: float, weeks: float
) -> tuple[Indices, Floats]:
    """Return which orders are refunded within the log, and when, in weeks since its start."""
    refunded = np.flatnonzero(rng.random(len(ordered_at)) < share)
    refunded_at = ordered_at[refunded] + rng.exponential(1.0, len(refunded))
    in_time = refunded_at < weeks
    return refunded[in_time], refunded_at[in_time]


def moments_after(start: date, weeks: Floats) -> npt.NDArray[np.datetime64]:
    """Return the moments so many weeks after the start of the log, to the second; NaT where NaN."""
    known = np.isfinite(weeks)
    seconds = np.where(known, weeks * _WEEK_SECONDS, 0).astype("timedelta64[s]")
    times = np.datetime64(start, "s") + seconds
    return np.where(known, times, np.datetime64("NaT", "s"))


def customer_names(count: int) -> pa.Array:
    """Return customer ids of one length: C001 to C999."""
    numbers = pa.array(np.arange(1, count + 1)).cast(pa.string())
    return pc.binary_join_element_wise("C", pc.utf8_lpad(numbers, len(str(count)), "0"), "")
