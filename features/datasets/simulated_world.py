"""A simulated log, and what its customers do after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.datasets.simulator import Floats, Indices, SimulatedLog, customer_names


@dataclass(frozen=True)
class Span:
    """The days of a simulated log, and the window after them that is asked about.

    Parameters
    ----------
    begins : datetime.date, the first day
    days : int, at least 1
    horizon_days : int, at least 1
        Churn window that suits how often the customers buy.

    Examples
    --------
    >>> Span(date(2020, 1, 1), 1_461, 90).ends
    datetime.date(2024, 1, 1)
    """

    begins: date
    days: int
    horizon_days: int

    @property
    def ends(self) -> date:
        """First day after the log."""
        return self.begins + timedelta(days=self.days)


@dataclass(frozen=True, eq=False)
class SimulatedWorld(SimulatedLog):
    """A log drawn in a world, and what its customers do afterwards.

    Attributes
    ----------
    transactions : pyarrow.Table
        The log: customer_id, ordered_at (seconds), amount, in order of time.
    truth : DataFrame, one row a customer
        customer_id, acquired_at and died_at, NaT for those who are still there when the truth ends; ``died_at`` may be
        after the log's end. The others are as in `SimulatedLog`, rates per operational week; of a `Business`, those
        that it names.
    future : pyarrow.Table
        The orders from ``ends`` on, in the columns of the log.
    ends : datetime.date
        First day after the log: the snapshot at which its customers are to be described.
    begins : datetime.date
        First day of the log.
    elapsed : ndarray of shape (days + days_ahead + 1,)
        Operational weeks from ``begins`` to the beginning of each day; of a `Business`, weeks of the calendar.
    """

    future: pa.Table
    ends: date
    begins: date
    elapsed: Floats

    def outcomes(self, days: int) -> pd.DataFrame:
        """Return what each customer does in the days from the log's end on.

        Returns
        -------
        DataFrame of shape (n_customers, 2), indexed by customer_id
            ``purchases`` (purchase days), ``spend`` (money).
        """
        orders = self.orders_until(days).to_pandas()
        orders = orders[orders["ordered_at"] >= pd.Timestamp(self.ends)]
        dates = orders.assign(day=orders["ordered_at"].dt.normalize()).drop_duplicates(["customer_id", "day"])
        by_customer = {
            "purchases": dates.groupby("customer_id").size(),
            "spend": orders.groupby("customer_id")["amount"].sum(),
        }
        return pd.DataFrame(by_customer).reindex(self.truth["customer_id"]).fillna(0)

    def orders_until(self, days_ahead: int) -> pa.Table:
        """Return the log as it will be so many days after its end (before it: negative)."""
        until = pa.scalar(pd.Timestamp(self.ends + timedelta(days=days_ahead)), pa.timestamp("s"))
        everything = pa.concat_tables([self.transactions, self.future])
        return everything.filter(pc.less(everything.column("ordered_at"), until))


def log_and_future(
    buyers: Indices, at: Floats, moments: npt.NDArray[np.datetime64], amounts: Floats, days: int
) -> tuple[pa.Table, pa.Table]:
    """Return the orders of the log's days, and those after them, in order of time (``at``: days since it began)."""
    order = np.argsort(at, kind="stable")
    names = customer_names(int(buyers.max()) + 1).take(pa.array(buyers[order]))
    columns = [names, pa.array(moments[order]), pa.array(amounts[order])]
    table = pa.table(columns, names=["customer_id", "ordered_at", "amount"])
    seen = int(np.searchsorted(at[order], days))
    return table[:seen], table[seen:]
