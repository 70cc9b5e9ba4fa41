"""What is noted on a fit: a log that begins in mid-life, a model that lost to one number, values that all tie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training.assembly import left_truncation, no_top_tier, worse_than_the_base_rate
from training.judging.race import MODEL
from training.model.tiers import Tiers
from training.run import TrainingRun


def tenures(first_month: int, later_months: int) -> pd.DataFrame:
    """Return customers by their age in days: those of the log's first month, and of each of 24 later ones."""
    later = np.repeat(np.arange(24) * 30 + 5, later_months)
    return pd.DataFrame({"tenure_days": np.concatenate([np.full(first_month, 750), later])})


def test_a_log_that_begins_in_mid_life_is_said_to() -> None:
    (note,) = left_truncation(tenures(first_month=300, later_months=10))

    # 300 of 540 customers in the first month, 10 of 540 in a usual one
    assert note.startswith(
        "56% of the customers first appear in the log's first 30 days, 2% in a usual month"
    )
    assert "--acquired-after" in note


@pytest.mark.parametrize(
    ("first_month", "later_months"),
    [(2, 0), (29, 1), (25, 10), (300, 0)],
    ids=["two customers", "too few to tell", "as many as ever", "one cohort"],
)
def test_few_customers_an_even_start_and_a_single_cohort_are_no_sign_of_it(
    first_month: int, later_months: int
) -> None:
    assert left_truncation(tenures(first_month, later_months)) == []


def test_a_model_that_loses_to_one_probability_for_everybody_is_not_to_be_relied_on(
    cdnow_run: TrainingRun,
) -> None:
    race = cdnow_run.test.race.copy()
    race.loc[(race["racer"] == MODEL) & (race["customers_slice"] == "all"), "log_loss"] = 0.9

    (note,) = worse_than_the_base_rate(replace(cdnow_run.test, race=race))

    assert "did worse than the base rate" in note
    assert "log-loss 0.9000 against 0." in note
    assert worse_than_the_base_rate(cdnow_run.test) == []


def test_where_all_values_tie_nobody_is_said_to_be_above_the_others() -> None:
    (note,) = no_top_tier(np.zeros(40), Tiers((5e-324, 0.0)))

    assert "100% of the customers" in note
    assert no_top_tier(np.array([1.0, 2.0]), Tiers((2.0, 1.0))) == []
