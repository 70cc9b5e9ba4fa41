"""Frequency–recency grid: P(alive) and expected value by repeat purchases and weeks of silence.

All customers of the grid have the same age and differ in frequency and recency. What the picture should show: the more
often a customer used to buy, the sooner P(alive) falls in silence.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.table.columns import as_columns
from training.clv.model import CLVModel
from training.clv.value import ValueTerms

MAX_FREQUENCIES = 20
MAX_SILENCES = 40


def frequency_recency(clv: CLVModel, table: pd.DataFrame, terms: ValueTerms) -> pd.DataFrame:
    """Evaluate the purchase model on a grid of customers as old as the table's oldest.

    Parameters
    ----------
    clv : CLVModel
    table : DataFrame
        A described snapshot: it sets the customers' age, the range of frequencies (up to its 99th percentile)
        and the spend per purchase (its mean).
    terms : ValueTerms

    Returns
    -------
    DataFrame, one row per cell
        ``frequency`` (repeat purchases, from 1: a one-time buyer's silence is their age), ``silent_weeks`` since
        the last purchase, ``p_alive``, ``expected_value`` (money; the purchase model's own, with its p0).
    """
    age = int(table["T"].max())
    most = max(2, int(np.quantile(table["frequency"], 0.99)))
    frequencies = np.unique(np.linspace(1, most, min(most, MAX_FREQUENCIES)).round().astype(int))
    silences = np.unique(np.linspace(0, age - 1, min(age, MAX_SILENCES)).astype(int))
    grid = pd.MultiIndex.from_product([frequencies, silences], names=["frequency", "silent_days"])
    cells = grid.to_frame(index=False).assign(T=age)
    if "snapshot_date" in table:
        cells["snapshot_date"] = table["snapshot_date"].iloc[0]
    cells["recency"] = cells["T"] - cells["silent_days"]
    spend = np.full(len(cells), float(table["spend_per_purchase"].mean()))
    values = clv.net_values(as_columns(cells), terms, spend)
    return pd.DataFrame(
        {
            "frequency": cells["frequency"],
            "silent_weeks": cells["silent_days"] / 7,
            "p_alive": clv.purchases.p_alive(*clv.histories(as_columns(cells))),
            "expected_value": values.expected(values.purchases.p0),
        }
    )
