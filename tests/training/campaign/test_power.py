"""Power: the customers that the expected profit takes."""

from __future__ import annotations

import pandas as pd
import pytest

from training.campaign.plan import plan
from training.campaign.power import customers_for_profit
from training.campaign.settings import PlanTerms
from training.offers.offers import Offer

SCORES = pd.DataFrame(
    {
        "customer_id": [f"{i:03d}" for i in range(100)],
        "snapshot_date": "2024-01-01",
        "churn_probability": 0.5,
        "value_at_stake": 40.0,
        "horizon_days": 90,
        "margin": 0.3,
    }
)
CALL = Offer(name="call", contact_cost=1, incentive_cost=0, acceptance_rate=0.25)


def test_the_customers_that_the_expected_profit_takes() -> None:
    made = plan(SCORES, [CALL], PlanTerms(holdout=0.2, explore=0))

    # A contact earns .5 · .25 · 40 − 1 = 4. Who stays counts 40, who does not 0: deviation 20. (2.4865 · 20 / 4)² / .16
    assert customers_for_profit(made) == pytest.approx(966, abs=1)


def test_without_a_holdout_no_number_of_customers_is_enough() -> None:
    assert customers_for_profit(plan(SCORES, [CALL], PlanTerms(holdout=0, explore=0))) is None
