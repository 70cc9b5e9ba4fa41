"""A version that learnt from files: a list by files and a request by rows get the same numbers, or are warned."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.behaviour.attributes import Attributes
from features.behaviour.files import BehaviourFiles
from features.economics.receivables import Receivables
from features.economics.surveys import Surveys
from features.economics.touches import Touches
from features.errors import ModelError
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from serving.api.requests import CardRequest, ExplainRequest, ScoreRequest
from serving.explanation.explanation import explain
from serving.scorer import Scorer
from training.churn.calibration import Calibrator
from training.churn.inputs import Inputs
from training.churn.level import Level
from training.churn.model import fit_churn
from training.model.files import load_model, save_model
from training.model.self_check import check_example
from training.monitoring.columns import described, monitored_columns, with_predictions
from training.reference.distribution import compare
from training.snapshots.dataset import labelled_snapshots

JULY = Snapshot(date(1998, 7, 1))
MONTHS = [Snapshot(date(1998, month, 1)) for month in (2, 3)]
OWN = {"weekend_share": "avg(CASE WHEN dayofweek(day) IN (0, 6) THEN 1 ELSE 0 END)"}
LEARNT = (
    *("complaints_90d", "days_since_complaint", "last_nps", "overdue_debt", "attribute_region"),
    "own_weekend_share",
)


@pytest.fixture(scope="module")
def folder(log: TransactionLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files about the sample's customers: a third complains, is asked, owes money; all live somewhere."""
    folder = tmp_path_factory.mktemp("beside")
    ids = sorted(set(log.table["customer_id"].to_pylist()))
    rng = np.random.default_rng(1)

    def dates(n: int) -> np.ndarray:
        return np.asarray(np.datetime64("1997-10-01") + rng.integers(0, 270, n))

    some = np.array(ids[::3])
    n = len(some)
    touches = {
        "customer_id": some,
        "occurred_at": dates(n),
        "touchpoint": np.where(rng.random(n) < 0.7, "fault", "call"),
    }
    surveys = {"customer_id": some, "answered_at": dates(n), "kind": "nps", "score": rng.integers(0, 11, n)}
    issued = dates(n)
    receivables = {
        "customer_id": some,
        "issued_at": issued,
        "due_at": issued + 14,
        "amount": rng.integers(1, 90, n),
    }
    regions = {"customer_id": ids, "region": rng.choice(["north", "south"], len(ids))}
    for name, rows in (
        ("touchpoints", touches),
        ("surveys", surveys),
        ("receivables", receivables),
        ("attributes", regions),
    ):
        pd.DataFrame(rows).to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def files(folder: Path) -> BehaviourFiles:
    return BehaviourFiles(
        Touches.read(folder / "touchpoints.csv"),
        Surveys.read(folder / "surveys.csv"),
        Receivables.read(folder / "receivables.csv"),
        Attributes.read(folder / "attributes.csv"),
        {"fault": "complaint"},
        own=OWN,
    )


@pytest.fixture(scope="module")
def informed(
    scorer: Scorer, log: TransactionLog, files: BehaviourFiles, tmp_path_factory: pytest.TempPathFactory
) -> Scorer:
    """A version that learnt from the files, saved and loaded."""
    with PurchaseHistory(log, beside=files) as history:
        rows = labelled_snapshots(history, MONTHS, 90)
    inputs = Inputs.learnt(LEARNT, rows)
    churn = fit_churn(
        rows,
        rounds=15,
        monotone=False,
        calibrator=Calibrator(),
        level=Level(),
        seed=0,
        threads=1,
        inputs=inputs,
    )
    model = replace(scorer.model, churn=churn, kinds=files.kinds, own=OWN)
    place = tmp_path_factory.mktemp("informed")
    save_model(model, place)
    loaded = load_model(place)
    assert loaded.churn.inputs == inputs and loaded.files == (*files.given, "own_weekend_share")
    assert loaded.own == OWN
    return Scorer(loaded, "7")


def request(folder: Path, log: TransactionLog, ids: list[str], names: tuple[str, ...]) -> dict[str, Any]:
    """The rows of customers in the log and the files, as a program would send them."""
    orders = log.table.to_pandas()
    found = []
    tables = {name: pd.read_csv(folder / f"{name}.csv", dtype={"customer_id": str}) for name in names}
    for each in ids:
        own = orders[orders["customer_id"] == each]
        transactions = [
            {"ordered_at": str(day), "amount": cents / 100, "channel": channel}
            for day, cents, channel in zip(
                own["ordered_on"],
                own["amount_cents"],
                own["channel"].astype(object).where(own["channel"].notna(), None),
                strict=True,
            )
        ]
        beside: dict[str, Any] = {}
        for name, table in tables.items():
            rows = table[table["customer_id"] == each].drop(columns="customer_id").to_dict("records")
            beside[name] = rows[0] if name == "attributes" else rows
        found.append({"customer_id": each, "transactions": transactions, **beside})
    return {"snapshot_date": str(JULY), "customers": found}


ALL = ("touchpoints", "surveys", "receivables", "attributes")


def test_a_request_with_the_rows_of_the_files_gets_the_numbers_of_the_list(
    informed: Scorer, log: TransactionLog, files: BehaviourFiles, folder: Path
) -> None:
    listed = informed.score_log(log, JULY, beside=files)
    scores = listed.scores.set_index("customer_id")
    ids = [*scores.index[:20], *scores.index[-5:]]
    sent = ScoreRequest.model_validate_json(json.dumps(request(folder, log, ids, ALL)))

    live = informed.score_customers(sent.rows(), JULY, beside=sent.beside())

    assert live.notes == listed.notes == ()
    of_request = live.scores.set_index("customer_id").loc[ids]
    pd.testing.assert_frame_equal(of_request, scores.loc[ids], check_exact=True)


def test_what_the_version_learnt_from_and_a_request_lacks_is_missing_and_named(
    informed: Scorer, log: TransactionLog, files: BehaviourFiles, folder: Path
) -> None:
    ids = informed.score_log(log, JULY).scores["customer_id"].tolist()[:3]
    sent = ScoreRequest.model_validate_json(json.dumps(request(folder, log, ids, ("touchpoints",))))

    with_touches = informed.score_customers(sent.rows(), JULY, beside=sent.beside())
    alone = informed.score_customers(sent.rows(), JULY)

    assert with_touches.notes == (
        "The request has no surveys that tell last_nps, which version 7 learnt from: they are missing, and "
        "its probabilities are not calibrated for that.",
        "The request has no receivables that tell overdue_debt, which version 7 learnt from: they are missing, and "
        "its probabilities are not calibrated for that.",
        "The request has no attributes that tell attribute_region, which version 7 learnt from: they are missing, and "
        "its probabilities are not calibrated for that.",
    )
    assert "no touchpoints that tell complaints_90d, days_since_complaint, which version 7" in alone.notes[0]
    listed = informed.score_log(log, JULY, beside=files.only(["touchpoints"])).scores.set_index("customer_id")
    live = with_touches.scores.set_index("customer_id")
    assert live["churn_probability"].equals(listed.loc[live.index, "churn_probability"])


def test_own_features_are_those_of_the_version_whatever_the_settings_say_now(
    informed: Scorer, log: TransactionLog, files: BehaviourFiles
) -> None:
    scores = informed.score_log(log, JULY, beside=files).scores

    changed = informed.score_log(log, JULY, beside=files.with_own({"weekend_share": "count(*)"})).scores
    unsaid = informed.score_log(log, JULY, beside=files.with_own({})).scores

    assert changed["churn_probability"].equals(scores["churn_probability"])
    assert unsaid["churn_probability"].equals(scores["churn_probability"])
    without = Scorer(replace(informed.model, own={}), "7").score_log(log, JULY, beside=files).scores
    assert not without["churn_probability"].equals(scores["churn_probability"])  # it does tell something
    assert scores["reasons"].map(lambda each: any("weekend_share: " in reason for reason in each)).any()


def test_a_version_s_own_example_has_what_it_learnt_from(informed: Scorer, tmp_path: Path) -> None:
    save_model(informed.model, tmp_path)
    check_example(informed.model, tmp_path)
    north_only = replace(
        informed.model.churn.inputs, categories={"attribute_region": ("south", "north")}
    )  # regions swapped

    with pytest.raises(ModelError, match="does not score its own example"):
        check_example(
            replace(informed.model, churn=replace(informed.model.churn, inputs=north_only)), tmp_path
        )
    with pytest.raises(ModelError, match="does not score its own example"):
        check_example(replace(informed.model, own={"weekend_share": "1.0 * count(*)"}), tmp_path)


def test_drift_of_files_and_own_features_is_watched(
    informed: Scorer, log: TransactionLog, files: BehaviourFiles
) -> None:
    with PurchaseHistory(log, beside=informed.model.beside(files)) as history:
        predicted = with_predictions(informed.model, history.features(JULY))
    with PurchaseHistory(log, beside=informed.model.beside(None)) as history:
        fewer = with_predictions(informed.model, history.features(JULY))

    found = monitored_columns(log, JULY, predicted, informed.model)
    without = monitored_columns(log, JULY, fewer, informed.model)

    assert found.keys() >= set(LEARNT)
    assert without.keys() & set(LEARNT) == {"own_weekend_share"}
    distance, moved = compare(described(found["attribute_region"]), np.full(900, "south", dtype=object))
    assert distance.psi > 1
    assert "north" in moved
    calls = found["complaints_90d"]
    assert compare(described(calls), calls)[0].psi == 0
    assert compare(described(calls), calls + 3)[0].psi > 1


def test_an_explanation_tells_what_was_known_beside_the_orders(
    informed: Scorer, log: TransactionLog, files: BehaviourFiles, folder: Path
) -> None:
    complained = files.touches.table.to_pandas() if files.touches else pd.DataFrame()
    late = complained[(complained["touchpoint"] == "fault") & (complained["day"] > 10_380)]
    customer = late["customer_id"].iloc[0]
    body = request(folder, log, [customer], ALL)
    sent = ExplainRequest.model_validate_json(
        json.dumps({"snapshot_date": str(JULY), "customer": body["customers"][0]})
    )

    told = explain(informed, sent.rows(), JULY, beside=sent.beside())
    untold = explain(informed, sent.rows(), JULY)

    contributions = {each.feature: each for each in told.log_odds.contributions}
    assert (
        contributions["complaints_90d"].value == 1.0 and contributions["complaints_90d"].unit == "complaints"
    )
    assert contributions["attribute_region"].value in ("north", "south")
    assert {each.feature: each.value for each in untold.log_odds.contributions}["complaints_90d"] is None
    assert {"complaints", "nps", "debt", "attribute_region", "own_weekend_share"} <= {
        each.topic for each in told.log_odds.topics
    }
    assert "shop's own" in contributions["own_weekend_share"].meaning
    assert told.notes == [] and len(untold.notes) == 4
    listed = informed.score_log(log, JULY, beside=files).scores.set_index("customer_id")
    assert told.score["churn_probability"] == listed.loc[customer, "churn_probability"]


def test_a_list_says_which_file_it_does_not_use_and_which_is_silent(
    scorer: Scorer, informed: Scorer, log: TransactionLog, files: BehaviourFiles
) -> None:
    of_orders = scorer.score_log(log, JULY, beside=files)
    early = informed.score_log(log, Snapshot(date(1997, 9, 1)), beside=files)

    assert of_orders.scores.equals(scorer.score_log(log, JULY).scores)
    assert "The file of surveys is not used: version 1 did not learn from one." in of_orders.notes
    assert any("The file of touchpoints has no row before 1997-09-01" in note for note in early.notes)


def test_a_value_that_was_not_learnt_from_is_missing_and_named(
    informed: Scorer, log: TransactionLog, folder: Path
) -> None:
    ids = informed.score_log(log, JULY).scores["customer_id"].tolist()[:2]
    body = request(folder, log, ids, ALL)
    body["customers"][0]["attributes"] = {"region": "moon"}
    strange = ScoreRequest.model_validate_json(json.dumps(body))
    body["customers"][0]["attributes"] = {"region": None}
    unknown = ScoreRequest.model_validate_json(json.dumps(body))

    named, silent = (
        informed.score_customers(sent.rows(), JULY, beside=sent.beside()) for sent in (strange, unknown)
    )

    assert named.scores.equals(silent.scores) and silent.notes == ()
    assert named.notes == (
        "attribute_region: version 7 did not learn from 'moon', what 1 of the customers have; that counts as missing.",
    )


def test_a_card_reads_complaints_and_debts_wherever_they_stand() -> None:
    orders = [{"ordered_at": "1998-01-05", "amount": 20.5}]
    touches, invoices = (
        [{"occurred_at": "1998-06-20", "touchpoint": "complaint"}],
        [{"due_at": "1998-06-01", "amount": 12}],
    )
    inside = {
        "customer": {
            "customer_id": "17",
            "transactions": orders,
            "touchpoints": touches,
            "receivables": invoices,
        }
    }
    outside = {
        "customer": {"customer_id": "17", "transactions": orders},
        "touchpoints": touches,
        "receivables": invoices,
    }

    both = [CardRequest.model_validate_json(json.dumps(body)) for body in (inside, outside)]

    assert both[0].known() == both[1].known()
    columns = [sent.beside().columns(JULY, np.array(["17"])) for sent in both]  # type: ignore[union-attr]
    pd.testing.assert_frame_equal(*map(pd.DataFrame, columns))
    assert (columns[0]["complaints_90d"], columns[0]["overdue_debt"]) == (1, 12)


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ([{"surveys": []}, {}], "surveys is given for 1 of 2 customers. Give it for all"),
        (
            [{"surveys": [{"answered_at": "1998-06-01", "kind": "nps", "score": 11}]}],
            "not on the scale of nps: 0 to 10",
        ),
        ([{"surveys": [{"answered_at": "1998-06-01", "kind": "ces", "score": 1}]}], "'nps' or 'csat'"),
        (
            [{"touchpoints": [{"occurred_at": "1998-06-01", "touchpoint": "call", "sentiment": 3}]}],
            "less than or equal to 1",
        ),
        ([{"attributes": {"region": 7}}], "valid string"),
    ],
)
def test_rows_of_a_request_that_cannot_be_used_are_refused(
    beside: list[dict[str, Any]], message: str
) -> None:
    orders = [{"ordered_at": "1998-01-05", "amount": 20.5}]
    customers = [
        {"customer_id": str(place), "transactions": orders} | fields for place, fields in enumerate(beside)
    ]

    with pytest.raises(ValueError, match=message):
        ScoreRequest.model_validate_json(json.dumps({"customers": customers}))


def test_rows_without_customers_give_a_table_of_the_files_types() -> None:
    orders = [{"ordered_at": "1998-01-05", "amount": 20.5}]
    empty: dict[str, Any] = {"touchpoints": [], "surveys": [], "receivables": [], "attributes": {}}
    sent = ScoreRequest.model_validate({"customers": [{"customer_id": "1", "transactions": orders} | empty]})

    files = sent.beside()

    assert files is not None and files.given == ALL
    found = files.columns(JULY, np.array(["1"]))
    assert (found["complaints_90d"], found["overdue_debt"]) == (0, 0) and np.isnan(found["last_nps"])
    assert files.touches is not None and files.touches.table.schema == pa.schema(Touches.none().table.schema)
