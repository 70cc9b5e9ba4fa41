"""A scored list at another resumption than the one it was scored with.

Resumption ρ is the share of their old rate's value with which customers who had left go on once an offer has brought
them back. No log of orders shows it, and much of a plan's profit may hang on it. Value at stake is linear in it, so a
list can be valued again without a model.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.errors import StayworthError
from features.language import translated
from training.offers.offers import Floats

RESUMPTIONS = (0.0, 0.5, 1.0)
"""They buy once; they go on at half their old rate's value; they go on as before."""


def stated_resumption(customers: pd.DataFrame) -> float | None:
    """Return the resumption of a scored list; None for a list of before it was stated."""
    if "resumption" not in customers or customers["value_of_resumption"].isna().any():
        return None
    values = pd.to_numeric(customers["resumption"], errors="coerce").unique()
    return float(values[0]) if len(values) == 1 and not np.isnan(values[0]) else None


def value_at_resumption(customers: pd.DataFrame, resumption: float) -> Floats:
    """Return the value at stake at a resumption, of shape (n_customers,), money.

    Raises
    ------
    StayworthError
        If the list does not say how much of the value hangs on the resumption.

    Examples
    --------
    >>> scores = pd.DataFrame(
    ...     {"value_at_stake": [10.0], "value_of_resumption": [8.0], "resumption": [0.5]}
    ... )
    >>> value_at_resumption(scores, 0.0)
    array([6.])
    """
    if customers.empty:
        return np.zeros(0)
    stated = stated_resumption(customers)
    if stated is None:
        raise StayworthError(
            translated(
                "The scored list does not say how much of the value at stake hangs on the resumption "
                "(columns resumption and value_of_resumption). Score again with 'stayworth score', or "
                "leave --resumption out."
            )
        )
    change = (resumption - stated) * customers["value_of_resumption"].to_numpy(dtype=np.float64)
    return np.asarray(customers["value_at_stake"].to_numpy(dtype=np.float64) + change)


def at_resumption(customers: pd.DataFrame, resumption: float) -> pd.DataFrame:
    """Return the customers valued at a resumption; raises as `value_at_resumption` does."""
    value = value_at_resumption(customers, resumption)
    return customers.assign(value_at_stake=value, resumption=resumption)
