"""The race in words: what the table says, and nothing else."""

from __future__ import annotations

import pandas as pd

from training.judging.race import winners_in_words


def test_a_tie_that_goes_to_the_simpler_is_said_to_be_one() -> None:
    race = {"racer": ["LightGBM defaults", "stayworth"], "log_loss": [0.0969, 0.0941]}
    results = pd.concat([pd.DataFrame(race).assign(customers_slice=name) for name in ("all", "recent")])

    assert winners_in_words(results).startswith(
        "Nearest to what happened (lowest log-loss): stayworth, on a tie with LightGBM defaults, which is simpler and "
        "wins, also among the recent customers."
    )
