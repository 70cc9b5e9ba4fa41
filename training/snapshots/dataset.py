"""Rolling dataset: the same customers, described at many dates and labelled once the churn window has closed.

The rules against leakage are here: a model that predicts at a date is fitted only on windows closed by then, and the
purchase model behind a snapshot's columns is fitted on what that snapshot sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TypeVar

import numpy as np
import pandas as pd

from features.errors import FitError
from features.snapshot import ChurnWindow, Snapshot
from features.table.columns import Columns, as_columns
from features.table.history import PurchaseHistory
from training.clv.fitting import fit_clv, with_form
from training.clv.model import CLVForm, CLVModel
from training.clv.operational_time import RepeatDays
from training.snapshots.outcomes import outcomes
from training.snapshots.population import Population, repeat_days_before


@dataclass(frozen=True)
class DescribedSnapshot:
    """Customers at one snapshot: features, and the predictions of a purchase model fitted on what it sees.

    Parameters
    ----------
    snapshot : Snapshot
    table : DataFrame of shape (n_customers, n_columns)
        The feature table and the columns of `CLVModel.predict`.
    clv : CLVModel
    repeat_days : RepeatDays, optional
        Repeat purchases per day before the snapshot: what a season or a trend is fitted on, and where pauses show.
    everybody : DataFrame, optional
        `PurchaseHistory.purchases` of all customers, where ``table`` holds a sample of them.
    """

    snapshot: Snapshot
    table: pd.DataFrame
    clv: CLVModel
    repeat_days: RepeatDays | None = field(default=None, kw_only=True)
    everybody: pd.DataFrame | None = field(default=None, kw_only=True, repr=False)

    @property
    def fitted_on(self) -> pd.DataFrame:
        """The customers on whom the purchase model is fitted: all, where the table holds a sample of them."""
        return self.table if self.everybody is None else self.everybody

    @cached_property
    def columns(self) -> Columns:
        """The table as models read it: its columns but the customers' ids."""
        return as_columns(self.table.drop(columns="customer_id"))

    def recent(self, dormant_after_days: int) -> np.ndarray:
        """Mark the customers whose last purchase lies within ``dormant_after_days``."""
        return np.asarray(self.table["days_since_last_purchase"] <= dormant_after_days)


@dataclass(frozen=True)
class ValueHorizon:
    """A value horizon from a snapshot on, which has closed by the end of the log.

    Parameters
    ----------
    window : ChurnWindow
        Its days.
    later_purchases : ndarray of shape (n_customers,)
        Purchase days in it after the churn window.
    """

    window: ChurnWindow
    later_purchases: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class LabelledSnapshot(DescribedSnapshot):
    """A described snapshot with the outcomes of its churn window.

    Parameters
    ----------
    outcomes : DataFrame of shape (n_customers, 4)
        As `training.snapshots.outcomes.outcomes` gives them.
    window : ChurnWindow
    year : ValueHorizon, optional
        None where the value horizon has not closed, or is no longer than the churn window.
    """

    outcomes: pd.DataFrame
    window: ChurnWindow
    year: ValueHorizon | None = field(default=None, kw_only=True)

    def part(self, keep: np.ndarray) -> LabelledSnapshot:
        """Return some of the customers: ``keep`` is a mask of shape (n_customers,)."""
        table, after = (frame[keep].reset_index(drop=True) for frame in (self.table, self.outcomes))
        year = self.year and replace(self.year, later_purchases=self.year.later_purchases[keep])
        share = float(np.mean(keep))
        days = self.repeat_days and self.repeat_days.of_part(share)
        return replace(self, table=table, outcomes=after, repeat_days=days, year=year)

    def as_known_at(self, target: Snapshot) -> LabelledSnapshot:
        """Return the snapshot without a value horizon that had not closed by the target."""
        known = self.year is None or self.year.window.closes <= target.date
        return self if known else replace(self, year=None)

    @property
    def churned(self) -> np.ndarray:
        """1 where the customer stayed silent through the window, else 0."""
        return np.asarray(self.outcomes["churned"])


def describe_snapshot(
    history: PurchaseHistory,
    snapshot: Snapshot,
    horizon_days: int,
    clv: CLVModel | None = None,
    model: str = "bgnbd",
) -> DescribedSnapshot:
    """Build one snapshot's feature table and add the columns of a CLV model, fitted on it unless given."""
    table, repeat_days = history.features(snapshot), repeat_days_before(history, snapshot)
    clv = clv or fit_clv(table, model, repeat_days=repeat_days)
    table = table.assign(**clv.predict(as_columns(table), horizon_days))
    return DescribedSnapshot(snapshot, table, clv, repeat_days=repeat_days)


def describe_sample(
    history: PurchaseHistory, everybody: Population, snapshot: Snapshot, horizon_days: int, model: str
) -> DescribedSnapshot:
    """Build the feature table of a sample of customers, with a CLV model that is fitted on all.

    Parameters
    ----------
    history : PurchaseHistory
        Of the sample.
    everybody : Population
        Of the whole log.
    """
    clv = fit_clv(everybody.purchases, model, repeat_days=everybody.repeat_days)
    described = describe_snapshot(history, snapshot, horizon_days, clv)
    return replace(described, everybody=everybody.purchases, repeat_days=everybody.repeat_days)


Snapshots = TypeVar("Snapshots", bound=DescribedSnapshot)


def in_form(described: Snapshots, form: CLVForm, horizon_days: int) -> Snapshots:
    """Return a snapshot with the columns of a CLV model of a form, fitted on it.

    The snapshot itself is returned where its model has that form already.
    """
    clv = with_form(described.clv, described.fitted_on, form, described.repeat_days)
    if clv is described.clv:
        return described
    table = described.table.assign(**clv.predict(as_columns(described.table), horizon_days))
    return replace(described, table=table, clv=clv)


def label_snapshot(
    history: PurchaseHistory,
    described: DescribedSnapshot,
    horizon_days: int,
    value_window: ChurnWindow | None = None,
) -> LabelledSnapshot:
    """Add the outcomes of the window that opens at the snapshot, and of a closed value horizon."""
    window, ids = ChurnWindow(described.snapshot, horizon_days), described.table["customer_id"]
    after, year = outcomes(history, window, ids), None
    if value_window is not None:
        later = outcomes(history, value_window, ids)["purchases"] - after["purchases"]
        year = ValueHorizon(value_window, later.to_numpy())
    return LabelledSnapshot(
        described.snapshot,
        described.table,
        described.clv,
        after,
        window,
        repeat_days=described.repeat_days,
        year=year,
    )


def labelled_snapshots(
    history: PurchaseHistory,
    snapshots: Sequence[Snapshot],
    horizon_days: int,
    *,
    model: str = "bgnbd",
    value_horizon_days: int | None = None,
    last_order: date | None = None,
    progress: Callable[[Snapshot], None] | None = None,
) -> list[LabelledSnapshot]:
    """Describe and label each snapshot; one at which no CLV model can be fitted is left out.

    Parameters
    ----------
    history : PurchaseHistory
    snapshots : sequence of Snapshot, whose churn windows have closed
    horizon_days : int
    model : str
        The CLV model's name.
    value_horizon_days : int, optional
        With the log's last day: how far later purchases are looked up where the log holds so many days.
    last_order : date, optional
    progress : callable, optional

    Raises
    ------
    FitError
        If a CLV model can be fitted at none of them.
    """
    rows: list[LabelledSnapshot] = []
    refused: FitError | None = None
    for snapshot in snapshots:
        try:
            described = describe_snapshot(history, snapshot, horizon_days, model=model)
            longer = _value_window(snapshot, horizon_days, value_horizon_days, last_order)
            rows.append(label_snapshot(history, described, horizon_days, longer))
        except FitError as error:
            refused = error
        if progress is not None:
            progress(snapshot)
    if not rows and refused is not None:
        raise refused
    return rows


def _value_window(
    snapshot: Snapshot, horizon_days: int, value_horizon_days: int | None, last_order: date | None
) -> ChurnWindow | None:
    if value_horizon_days is None or last_order is None or value_horizon_days <= horizon_days:
        return None
    window = ChurnWindow(snapshot, value_horizon_days)
    return window if window.closed_by(last_order) else None


def known_at(rows: Sequence[LabelledSnapshot], target: Snapshot) -> list[LabelledSnapshot]:
    """Return the snapshots whose windows have closed by the target: those a model for that date may be fitted on."""
    return [row for row in rows if row.window.closes <= target.date]
