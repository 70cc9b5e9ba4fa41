"""A version that learnt from baskets and prices: a list and a request get the same numbers, or are warned."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.behaviour.files import BehaviourFiles
from features.errors import ModelError
from features.log.settings import Columns
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.baskets import GROUPS, NEEDS
from features.table.history import PurchaseHistory
from features.table.seasons import SEASONS
from serving.api.requests import ExplainRequest, ScoreRequest
from serving.explanation.explanation import explain
from serving.scorer import Scorer
from training.churn.calibration import Calibrator
from training.churn.inputs import Inputs, features_by_file
from training.churn.level import Level
from training.churn.model import fit_churn
from training.model.files import load_model, save_model
from training.model.log_summary import LogSummary
from training.model.self_check import check_example
from training.snapshots.dataset import labelled_snapshots

JULY = Snapshot(date(1998, 7, 1))
MONTHS = [Snapshot(date(1998, month, 1)) for month in (2, 3)]
LINES = ("product_id", "category", "quantity", "discount", "margin")


@pytest.fixture(scope="module")
def lines(log: TransactionLog) -> pd.DataFrame:
    """The sample's orders as lines with products, quantities, prices and costs."""
    rows = log.table.to_pandas()
    rng = np.random.default_rng(1)
    n = len(rows)
    product = rng.integers(0, 40, n)
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"],
            "ordered_at": rows["ordered_on"].astype(str),
            "amount": rows["amount_cents"] / 100,
            "channel": rows["channel"].astype(object).where(rows["channel"].notna(), None),
            "product_id": [f"p{each}" for each in product],
            "category": [f"c{each % 5}" for each in product],
            "quantity": rng.integers(1, 5, n),
            "discount": np.where(rng.random(n) < 0.3, 2.5, 0.0),
            "margin": rows["amount_cents"] / 100 * rng.choice([-0.1, 0.2, 0.4], n),
        }
    )


@pytest.fixture(scope="module")
def listed(lines: pd.DataFrame) -> TransactionLog:
    return validate(lines, columns=Columns(margin_column="margin"))


@pytest.fixture(scope="module")
def informed(scorer: Scorer, listed: TransactionLog, tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """A version that learnt from all that the lines tell, saved and loaded."""
    with PurchaseHistory(listed, beside=BehaviourFiles().with_baskets(NEEDS)) as history:
        rows = labelled_snapshots(history, MONTHS, 90)
    assert list(features_by_file(rows)) == [*GROUPS, SEASONS]
    inputs = Inputs.learnt(list(NEEDS), rows)
    options: dict[str, Any] = {"calibrator": Calibrator(), "level": Level(), "seed": 0, "threads": 1}
    churn = fit_churn(rows, rounds=15, monotone=False, inputs=inputs, **options)
    card = replace(scorer.model.card, log=LogSummary.of(listed))
    place = tmp_path_factory.mktemp("informed")
    save_model(replace(scorer.model, churn=churn, card=card), place)
    loaded = load_model(place)
    assert loaded.files == GROUPS
    return Scorer(loaded, "7")


def request(lines: pd.DataFrame, ids: list[str], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The lines of customers, as a program would send them."""
    found = []
    for each in ids:
        own = lines[lines["customer_id"] == each].drop(columns=["customer_id", *without])
        found.append({"customer_id": each, "transactions": own.to_dict("records")})
    return {"snapshot_date": str(JULY), "customers": found}


def test_a_request_of_lines_gets_the_numbers_of_the_list(
    informed: Scorer, listed: TransactionLog, lines: pd.DataFrame
) -> None:
    whole = informed.score_log(listed, JULY)
    scores = whole.scores.set_index("customer_id")
    ids = [*scores.index[:20], *scores.index[-5:]]
    sent = ScoreRequest.model_validate_json(json.dumps(request(lines, ids)))

    live = informed.score_customers(sent.rows(), JULY, beside=sent.beside())
    alone = informed.score_customers(
        ScoreRequest.model_validate_json(json.dumps(request(lines, ids[:1]))).rows(), JULY
    )

    assert live.notes == whole.notes == ()
    of_request = live.scores.set_index("customer_id").loc[ids]
    pd.testing.assert_frame_equal(of_request, scores.loc[ids], check_exact=True)
    pd.testing.assert_frame_equal(
        alone.scores.set_index("customer_id"), scores.loc[ids[:1]], check_exact=True
    )
    reasons = " ".join(scores["reasons"].map(" ".join))
    assert "per unit (risk" in reasons
    assert "nan" not in reasons


def test_what_the_version_learnt_from_and_a_request_lacks_is_named(
    informed: Scorer, listed: TransactionLog, lines: pd.DataFrame
) -> None:
    ids = informed.score_log(listed, JULY).scores["customer_id"].tolist()[:3]
    sent = ScoreRequest.model_validate_json(json.dumps(request(lines, ids, LINES)))
    of_orders = replace(informed.model.churn, inputs=Inputs())

    note = informed.score_customers(sent.rows(), JULY).notes[0]
    fewer = informed.remarks.differences(validate(lines.drop(columns=list(LINES))))
    other = Scorer(replace(informed.model, churn=of_orders), "8").remarks.of_request(validate(sent.rows()))

    assert "The transactions have no margin, product_id, quantity, category, discount, which the log" in note
    assert any(each.name == "fewer-columns" and "discount" in each.message for each in fewer)
    assert "The transactions have no margin, product_id, which the log" in other[0]  # which all models know


def test_an_explanation_tells_the_basket(
    informed: Scorer, listed: TransactionLog, lines: pd.DataFrame
) -> None:
    scores = informed.score_log(listed, JULY).scores.set_index("customer_id")
    recent = scores[scores["last_purchase_date"] >= date(1998, 1, 1)]
    customer = recent.index[0]
    body = request(lines, [customer])
    sent = ExplainRequest.model_validate_json(
        json.dumps({"snapshot_date": str(JULY), "customer": body["customers"][0]})
    )

    told = explain(informed, sent.rows(), JULY)

    share = {each.feature: each for each in told.log_odds.contributions}["discounted_share_365d"]
    assert isinstance(share.value, float) and 0 <= share.value <= 1
    assert share.unit == "0 to 1"
    assert "bought at a discount" in share.meaning
    assert told.score["churn_probability"] == scores.loc[customer, "churn_probability"]


def test_a_version_s_own_example_has_the_baskets(informed: Scorer, tmp_path: Path) -> None:
    save_model(informed.model, tmp_path)
    check_example(informed.model, tmp_path)
    other = replace(informed.model.churn, inputs=Inputs(informed.model.churn.inputs.beside[:-1]))

    with pytest.raises(ModelError, match="its own example"):
        check_example(replace(informed.model, churn=other), tmp_path)
