"""An example offer on a closed window: lists are compared by what they would have earned."""

from __future__ import annotations

import numpy as np
import pytest

from training.judging.trial_offer import RISKIEST, try_offer
from training.offers.offers import Offer

OFFER = Offer(contact_cost=1, incentive_cost=10, acceptance_rate=0.3)


def test_a_list_earns_from_leavers_and_pays_for_stayers() -> None:
    churned = np.array([1, 1, 0, 0])
    at_stake = np.array([210.0, 20.0, 210.0, 20.0])
    ours = np.array([0.9, 0.9, 0.9, 0.1])

    trial = try_offer(OFFER, churned, {"ours": ours}, at_stake, np.full(4, 50.0))

    # leavers: .3·(210 − 10) − 1 = 59 and .3·(20 − 10) − 1 = 2; stayers: −10 − 1 = −11
    assert trial.realised.tolist() == [59.0, 2.0, -11.0, -11.0]
    # expected of the second: .9·.3·10 − .1·10 − 1 = .7 > 0; of the fourth .1·3 − .9·10 − 1 < 0
    mine, everybody, perfect = trial.lists
    assert (mine.contacted, mine.profit) == (3, pytest.approx(50.0))
    assert (everybody.contacted, everybody.profit) == (4, pytest.approx(39.0))
    assert (perfect.contacted, perfect.profit, perfect.share) == (2, pytest.approx(61.0), 1.0)
    assert mine.share == pytest.approx(50 / 61)
    assert trial.rankings[RISKIEST] is ours


def test_where_the_offer_never_pays_nobody_is_contacted() -> None:
    trial = try_offer(
        OFFER, np.array([1, 0]), {"ours": np.array([0.9, 0.2])}, np.full(2, 5.0), np.full(2, 9.0)
    )

    mine, _, perfect = trial.lists
    assert (mine.contacted, mine.profit) == (0, 0.0)
    assert perfect.contacted == 0
    assert np.isnan(mine.share)
