"""Outcomes of the churn window: the only code that reads orders at a snapshot's date or later.

A customer with a purchase day in the churn window ``[snapshot, snapshot + horizon_days)`` stayed; every
other customer churned. A refund in the window is no purchase, and lowers the window's spend.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from features.snapshot import ChurnWindow
from features.table.history import PurchaseHistory

_OUTCOMES_SQL = """SELECT customer_id,
  CAST(count(CASE WHEN orders > 0 THEN 1 END) AS BIGINT) AS purchases,
  CAST(sum(gross_cents - refund_cents) AS DOUBLE) / 100 AS spend,
  min(CASE WHEN orders > 0 THEN day END) - {opens} AS days_to_purchase
FROM purchase_days
WHERE day >= {opens} AND day < {closes}
GROUP BY customer_id
ORDER BY customer_id"""


def outcomes(history: PurchaseHistory, window: ChurnWindow, customer_ids: pd.Series) -> pd.DataFrame:
    """Return what each customer did in the window.

    Parameters
    ----------
    history : PurchaseHistory
        Of a log that holds the whole window.
    window : ChurnWindow
    customer_ids : Series of shape (n_customers,)
        The customers of the snapshot's feature table.

    Returns
    -------
    DataFrame of shape (n_customers, 4), indexed as ``customer_ids``
        ``churned`` (0 or 1), ``purchases`` (purchase days in the window), ``spend`` (money, net of refunds),
        ``days_to_purchase`` (from the snapshot to the first of them, 0 on its own day; NaN without one).

    Examples
    --------
    >>> from features.datasets import cdnow
    >>> from features.log.validation import validate
    >>> from features.snapshot import Snapshot
    >>> log, snapshot = validate(cdnow()), Snapshot(date(1998, 4, 1))
    >>> with PurchaseHistory(log) as history:
    ...     after = outcomes(history, ChurnWindow(snapshot, 90), history.features(snapshot).customer_id)
    >>> round(after.churned.mean(), 3)
    np.float64(0.86)
    """
    epoch = date(1970, 1, 1)
    sql = _OUTCOMES_SQL.format(opens=(window.opens - epoch).days, closes=(window.closes - epoch).days)
    active = history.engine.query(sql).to_pandas().set_index("customer_id")
    after = active.reindex(customer_ids.to_numpy()).set_index(customer_ids.index)
    purchases = after["purchases"].fillna(0).astype("int64")
    return pd.DataFrame(
        {
            "churned": (purchases == 0).astype("int64"),
            "purchases": purchases,
            "spend": after["spend"].fillna(0.0),
            "days_to_purchase": after["days_to_purchase"].astype("float64"),
        }
    )
