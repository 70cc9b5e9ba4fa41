"""Value destroyers: customers who are expected to cost more than they bring, with the cause and what to do.

The cause is what a customer has cost most beyond an average customer with the same gross revenue: service (keeping and
support), returns (their margin), debt, or discount (a margin rate below all customers'). Where nothing stands out,
service is more than their orders bear.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.economics.facts import Facts
from features.economics.profitability import MOST_ROWS, PROFITS

REMEDIES = {
    "service": "cheaper channel",
    "returns": "no offer",
    "debt": "prepayment",
    "discount": "no offer",
}
"""What to do about each cause."""

_LOSS_MAKERS = f"""SELECT profits.*, scored.cents AS expected_cents, scored.high_cents AS high_cents
FROM {PROFITS} AS profits
JOIN scored ON scored.customer_id = profits.customer_id
WHERE scored.cents < 0
ORDER BY scored.cents, profits.customer
LIMIT {MOST_ROWS}"""


def value_destroyers(facts: Facts, whole: pd.Series) -> pd.DataFrame:
    """Return the customers whose expected value is below 0, the worst first.

    Parameters
    ----------
    facts : Facts, with the table of `features.economics.profitability.create_profits` and `register_scored`
    whole : Series of the sums of all customers, as `segment_profits` returns them

    Returns
    -------
    DataFrame
        The columns of the table, expected_cents, high_cents, sure (bool; None where the list has no intervals), cause
        and remedy.
    """
    found = facts.query(_LOSS_MAKERS)
    sure = (found["high_cents"] < 0).astype(object).where(found["high_cents"].notna(), None)
    causes = _causes(found, whole, discounts="margin_cents" in facts.columns)
    return found.assign(sure=sure, cause=causes, remedy=[REMEDIES[cause] for cause in causes])


def register_scored(
    facts: Facts, potential: Mapping[str, int], high: Mapping[str, int] | None = None
) -> None:
    """Make a scored list readable as the table ``scored (customer_id, cents, high_cents)``."""
    rows = {
        "customer_id": pa.array(list(potential), pa.string()),
        "cents": pa.array(list(potential.values()), pa.int64()),
        "high_cents": pa.array([(high or {}).get(each) for each in potential], pa.int64()),
    }
    facts.engine.register("scored", pa.table(rows))


def _causes(found: pd.DataFrame, whole: pd.Series, *, discounts: bool) -> list[str]:
    """Return what each customer cost most beyond the average; only a log of margins shows discounts."""
    gross = found["gross_cents"].to_numpy(float)
    rate = float(whole["margin_cents"]) / float(whole["net_cents"]) if whole["net_cents"] > 0 else 0.0

    def beyond(cents: npt.NDArray[np.float64], of_all: float) -> npt.NDArray[np.float64]:
        usual = of_all / float(whole["gross_cents"]) if whole["gross_cents"] > 0 else 0.0
        return np.asarray(cents - usual * gross)

    served = (found["keep_cents"] + found["support_cents"]).to_numpy(float)
    excess = {
        "service": beyond(served, float(whole["keep_cents"] + whole["support_cents"])),
        "returns": rate * beyond(found["refund_cents"].to_numpy(float), float(whole["refund_cents"])),
        "debt": beyond(found["loss_cents"].to_numpy(float), float(whole["loss_cents"])),
        "discount": discounts
        * (rate * found["net_cents"].to_numpy(float) - found["margin_cents"].fillna(0).to_numpy(float)),
    }
    names = list(excess)
    beyond_average = np.column_stack(list(excess.values()))
    most = np.where((beyond_average > 0).any(axis=1), beyond_average.argmax(axis=1), 0)
    return [names[place] for place in most]
