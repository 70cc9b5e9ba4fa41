"""What two recipes are compared by, on customers whose outcomes are written down."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.snapshot import ChurnWindow, Snapshot
from training.clv.gammagamma import EmpiricalSpend
from training.clv.mbgnbd import MBGNBD
from training.clv.model import CLVModel
from training.judging.recipe_comparison import MeasureComparison, compare_recipes
from training.judging.refit import RefitPredictions
from training.offers.offers import Offer
from training.snapshots.dataset import LabelledSnapshot

N = 4_000
SNAPSHOT = Snapshot(date(2025, 4, 1))
# every second customer leaves, the others spend 20
CHURNED = np.tile([1, 0], N // 2)
SPEND = np.where(CHURNED == 1, 0.0, 20.0)


def predicted(
    probability: float | np.ndarray,
    *,
    spend: float | np.ndarray = 10.0,
    at_stake: float = 30.0,
    silent_days: int = 10,
) -> RefitPredictions:
    """What a recipe predicts of the customers: by default the truth about their mean, and nothing else."""
    table = pd.DataFrame({"days_since_last_purchase": np.full(N, silent_days)})
    outcomes = pd.DataFrame({"churned": CHURNED, "purchases": 1 - CHURNED, "spend": SPEND})
    clv = CLVModel(MBGNBD(1.0, 1.0, 1.0, 1.0), EmpiricalSpend(20.0))
    row = LabelledSnapshot(SNAPSHOT, table, clv, outcomes, ChurnWindow(SNAPSHOT, 90))
    columns = (np.full(N, value, dtype=float) for value in (probability, spend, at_stake, 20.0))
    return RefitPredictions(row, 6, *columns)


def found(
    new: RefitPredictions, old: RefitPredictions, offer: Offer | None = None
) -> dict[str, MeasureComparison]:
    return {measured.measure: measured for measured in compare_recipes(new, old, 180, offer)}


def test_the_same_predictions_differ_in_nothing() -> None:
    by_measure = found(predicted(0.5), predicted(0.5))

    assert {measured.result for measured in by_measure.values()} == {"tie"}
    assert {measured.difference for measured in by_measure.values()} == {0.0}
    assert len(by_measure) == 5


def test_log_loss_tells_the_recipe_that_knows_more() -> None:
    knowing = predicted(np.where(CHURNED == 1, 0.6, 0.4))

    better, worse = found(knowing, predicted(0.5))["log-loss"], found(predicted(0.5), knowing)["log-loss"]

    # −ln .6 = .5108 against −ln .5 = .6931, for every customer
    assert (better.challenger, better.champion) == pytest.approx((0.5108, 0.6931), abs=5e-5)
    assert (better.low, better.high) == pytest.approx((-0.1823, -0.1823), abs=5e-5)
    assert (better.result, worse.result) == ("better", "worse")
    assert (
        better.sentence()
        == "log-loss: 0.5108 against the champion's 0.6931, difference -0.1823 (95% -0.1823 to -0.1823): better."
    )


def test_a_difference_too_small_to_matter_is_none_however_certain() -> None:
    measured = found(predicted(np.where(CHURNED == 1, 0.5004, 0.4996)), predicted(0.5))["log-loss"]

    assert measured.high < 0  # certain: .0008 for every customer
    assert measured.result == "tie"
    assert measured.sentence().endswith("too small to matter.")


def test_a_large_difference_of_few_customers_is_noise() -> None:
    bold = np.full(N, 0.5)
    bold[:8] = 0.9  # four of them leave and four stay: 4·(.105 + 2.303 − 2·.693) / 4,000 = .00102

    measured = found(predicted(bold), predicted(0.5))["log-loss"]

    assert measured.difference == pytest.approx(0.00102, abs=5e-6)
    assert measured.low < 0 < measured.high
    assert measured.result == "tie"


def test_recent_customers_are_a_measure_of_their_own_and_where_there_are_none_nothing_is_said() -> None:
    assert "log-loss of recent customers" in found(predicted(0.5), predicted(0.5))
    long_gone = found(predicted(0.5, silent_days=400), predicted(0.5, silent_days=400))
    assert set(long_gone) == {"log-loss", "calibration in the large", "bias of expected spend"}


@pytest.mark.parametrize(
    ("ours", "champions", "result"),
    [
        (0.525, 0.500, "tie"),  # off by .025: within the bound, though the champion is closer
        (0.560, 0.500, "worse"),  # off by .06
        (0.560, 0.580, "tie"),  # outside as well, and no further off
        (0.460, 0.545, "tie"),  # off by −.04 against +.045
    ],
)
def test_calibration_is_a_bound_never_a_reason_to_promote(ours: float, champions: float, result: str) -> None:
    assert found(predicted(ours), predicted(champions))["calibration in the large"].result == result


def test_expecting_half_of_the_spend_is_as_wrong_as_expecting_double() -> None:
    # actual spend is 10 a head
    measured = found(predicted(0.5, spend=5.0), predicted(0.5, spend=20.0))["bias of expected spend"]

    assert (measured.challenger, measured.champion) == pytest.approx((np.log(2), np.log(2)))
    assert measured.result == "tie"
    assert measured.remark == "expected totals are 0.500 and 2.000 of the actual"


def test_the_nearer_total_is_better_unless_the_log_is_too_small_to_say() -> None:
    clearly = found(predicted(0.5, spend=10.5), predicted(0.5, spend=13.0))["bias of expected spend"]
    # 4,000 customers, half of whom spend 20: the mean of 10 is known to ± 3%
    perhaps = found(predicted(0.5, spend=10.1), predicted(0.5, spend=9.8))["bias of expected spend"]

    assert (clearly.result, perhaps.result) == ("better", "tie")
    assert clearly.difference == pytest.approx(np.log(1.05) - np.log(1.3))


def test_the_list_earns_what_the_contacted_turn_out_to_be_worth() -> None:
    offer = Offer(contact_cost=1, incentive_cost=2, acceptance_rate=0.5)
    knowing = predicted(np.where(CHURNED == 1, 0.9, 0.1))
    # expected profit of a contact, V = 30: p·.5·28 − (1−p)·2 − 1. At .9: 11.4; at .1: −1.4; at .5: 5
    profit = found(knowing, predicted(0.5), offer)["profit of the list"]

    # a leaver brings .5·28 − 1 = 13, a stayer costs 2 + 1 = 3: 2,000·13 = 26,000, and less 6,000 for everybody
    assert (profit.challenger, profit.champion, profit.difference) == pytest.approx((26_000, 20_000, 6_000))
    assert profit.low < 6_000 < profit.high
    assert profit.result == "better"
    assert profit.remark.startswith(
        "2,000 and 4,000 recent customers contacted; contact 1.00, incentive 2.00"
    )


def test_a_recipe_does_not_earn_more_by_valuing_customers_higher() -> None:
    offer = Offer(contact_cost=1, incentive_cost=2, acceptance_rate=0.5)

    profit = found(predicted(0.5, at_stake=60.0), predicted(0.5, at_stake=30.0), offer)["profit of the list"]

    assert profit.difference == 0  # both contact everybody, and a kept customer counts with 45 for both


def test_the_example_offer_follows_the_currency() -> None:
    # a contact is 2% of a purchase of 20
    assert "contact 0.40, incentive 10% of a purchase, taken by 30%" in (
        found(predicted(0.5), predicted(0.5))["profit of the list"].remark
    )
