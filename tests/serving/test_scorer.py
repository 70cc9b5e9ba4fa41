"""The scorer: every customer has a score or a reason, and the same one wherever it is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.errors import EmptyLogError, LogError, ModelError, StayworthError, WindowError
from features.log.clock import tomorrow
from features.log.prices import Prices
from features.log.terms import LogTerms
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from serving.lists.export import write_table
from serving.scorer import Scorer
from training.model.score_schema import SCORE_COLUMNS

JULY = Snapshot(date(1998, 7, 1))


def rows(*orders: tuple[str, str, float]) -> pa.Table:
    """Return orders of (customer, day, amount) as a raw log."""
    customers, days, amounts = zip(*orders, strict=True)
    return pa.table({"customer_id": customers, "ordered_at": days, "amount": amounts})


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=True, check_dtype=False)


def test_the_default_snapshot_is_the_day_after_the_last_order(scorer: Scorer, log: TransactionLog) -> None:
    scored = scorer.score_log(log)

    assert log.last_day == date(1998, 6, 30)
    assert scored.snapshot == JULY
    assert set(scored.scores["snapshot_date"]) == {date(1998, 7, 1)}


def test_scores_have_the_columns_of_the_contract_and_the_version(scorer: Scorer, log: TransactionLog) -> None:
    scores = scorer.score_log(log).scores

    assert tuple(scores.columns) == SCORE_COLUMNS
    assert set(scores["model_version"]) == {"1"}
    assert scores["churn_probability"].between(0, 1).all()


def test_without_reasons_a_list_is_the_same_in_every_other_column(
    scorer: Scorer, log: TransactionLog
) -> None:
    whole = scorer.score_log(log).scores

    bare = replace(scorer, reasons=False).score_log(log).scores

    assert not any(bare["reasons"])
    same(bare.drop(columns="reasons"), whole.drop(columns="reasons"))


def test_every_row_and_every_customer_is_accounted_for(scorer: Scorer) -> None:
    # alice has two orders; bob's only order is on the snapshot; cecil was only ever refunded; the last row
    # has no customer.
    raw = pa.table(
        {
            "customer_id": ["alice", "alice", "bob", "cecil", None],
            "ordered_at": ["1998-01-05", "1998-03-30", "1998-07-01", "1998-02-02", "1998-02-02"],
            "amount": [20.0, 12.0, 30.0, -5.0, 7.0],
        }
    )

    scored = scorer.score_log(validate(raw), JULY)

    assert scored.scores["customer_id"].tolist() == ["alice"]
    assert scored.unscored.to_dict("list") == {
        "customer_id": ["bob", "cecil"],
        "reason": ["no order before the snapshot", "refunds only before the snapshot"],
    }
    # 5 in = 3 used (alice's two, cecil's refund) + 1 not yet visible (bob's) + 1 quarantined
    assert (scored.rows_in, scored.rows_used, scored.rows_not_visible) == (5, 3, 1)
    assert scored.quarantined == {"no customer": 1}


def test_a_list_is_sorted_by_value_at_risk_and_then_by_customer(scorer: Scorer) -> None:
    # 10 and 9 have the same orders: "10" comes before "9", as text. The big spender comes first.
    twins = [(customer, "1998-05-05", 20.0) for customer in ("9", "10")]
    again = [(customer, "1998-06-05", 20.0) for customer in ("9", "10")]

    scored = scorer.score_log(
        validate(rows(*twins, *again, ("5", "1998-05-05", 200.0), ("5", "1998-06-05", 200.0))), JULY
    )

    assert scored.scores["customer_id"].tolist() == ["5", "10", "9"]
    at_risk = scored.scores["value_at_risk"].tolist()
    assert at_risk[0] > at_risk[1] == at_risk[2]


def test_the_dormant_come_after_all_others_whatever_they_would_be_worth(scorer: Scorer) -> None:
    days = scorer.model.card.dormant_after_days
    long_ago = [("dear", str(JULY.date - timedelta(days=days + back)), 900.0) for back in (1, 15, 30, 45)]
    lately = [("cheap", str(JULY.date - timedelta(days=back)), 5.0) for back in (days, days + 30)]

    scored = scorer.score_log(validate(rows(*long_ago, *lately)), JULY)

    assert scored.scores["value_at_risk"].idxmax() == 1
    assert scored.scores["customer_id"].tolist() == ["cheap", "dear"]
    assert scored.recent.tolist() == [True, False]


def test_orders_from_the_snapshot_on_change_no_score(
    scorer: Scorer, log: TransactionLog, orders: pa.Table
) -> None:
    april = Snapshot(date(1998, 4, 1))
    before = orders.filter(pc.less(orders["ordered_at"], pa.scalar(april.date)))

    whole, cut = scorer.score_log(log, april), scorer.score_log(validate(before), april)

    same(whole.scores, cut.scores)
    assert whole.rows_not_visible == len(orders) - len(before) > 0
    assert cut.rows_not_visible == 0


@pytest.mark.parametrize("company", [0, 1, 30, 400])
def test_a_customer_is_scored_alike_alone_in_company_and_in_the_list(
    scorer: Scorer, log: TransactionLog, orders: pa.Table, company: int
) -> None:
    listed = scorer.score_log(log).scores
    asked = ["0016", *listed["customer_id"].iloc[: 5 * company : 5]]

    clv = scorer.model.clv
    forgetful = replace(
        scorer, model=replace(scorer.model, clv=replace(clv, purchases=replace(clv.purchases)))
    )
    answered = forgetful.score_customers(
        orders.filter(pc.is_in(orders["customer_id"], pa.array(asked))), JULY
    )

    expected = listed[listed["customer_id"].isin(asked)].reset_index(drop=True)
    same(answered.scores, expected)


def test_the_order_of_rows_changes_no_score(scorer: Scorer, log: TransactionLog, orders: pa.Table) -> None:
    backwards = orders.take(pa.array(range(len(orders) - 1, -1, -1)))

    same(scorer.score_customers(backwards, JULY).scores, scorer.score_log(log).scores)


def test_a_live_request_sees_the_orders_of_today(scorer: Scorer) -> None:
    today = datetime.now(UTC)

    scored = scorer.score_customers(
        rows(("17", "2020-01-05", 20.0), ("17", f"{today:%Y-%m-%d %H:%M:%SZ}", 30.0))
    )

    # A test that runs over midnight would see the snapshot of the day after.
    assert scored.snapshot.date - today.date() in (timedelta(days=1), timedelta(days=2))
    assert scored.rows_used == 2


def test_a_customer_with_refunds_only_is_unscored_even_alone(scorer: Scorer) -> None:
    scored = scorer.score_customers(rows(("17", "1998-01-05", -20.0)), JULY)

    assert scored.scores.empty
    assert tuple(scored.scores.columns) == SCORE_COLUMNS
    assert scored.unscored.values.tolist() == [["17", "refunds only before the snapshot"]]


def test_a_customer_whose_rows_are_all_quarantined_is_unscored(scorer: Scorer) -> None:
    scored = scorer.score_customers(
        rows(("17", "1998-01-05", 20.0), ("18", "2999-01-05", 20.0), ("16", "2999-01-05", 20.0)), JULY
    )

    assert scored.scores["customer_id"].tolist() == ["17"]
    assert scored.unscored.values.tolist() == [
        ["16", "no usable order: all were quarantined"],
        ["18", "no usable order: all were quarantined"],
    ]
    assert scored.quarantined == {"date in the future": 2}


def test_years_that_no_shop_has_are_set_aside(scorer: Scorer) -> None:
    scored = scorer.score_customers(
        rows(("17", "1998-01-05", 20.0), ("18", "1376-10-15", 20.0), ("19", "0098-01-05", 20.0)), JULY
    )

    assert scored.scores["customer_id"].tolist() == ["17"]
    assert scored.unscored["customer_id"].tolist() == ["18", "19"]
    assert scored.quarantined == {"date before the earliest": 2}


def test_an_id_with_spaces_around_it_is_scored_and_not_unscored_too(scorer: Scorer) -> None:
    scored = scorer.score_customers(rows((" 17", "1998-01-05", 20.0), ("17 ", "2999-01-05", 20.0)), JULY)

    assert scored.scores["customer_id"].tolist() == ["17"]
    assert scored.unscored.empty


def test_another_snapshot_of_the_same_orders_is_another_question(scorer: Scorer) -> None:
    request = rows(("17", "1998-01-05", 20.0), ("17", "1998-06-05", 20.0), ("18", "1998-06-05", 9.0))

    july, june = (scorer.score_customers(request, s) for s in (JULY, Snapshot(date(1998, 6, 1))))

    assert (july.rows_used, june.rows_used, june.rows_not_visible) == (3, 1, 2)
    assert june.unscored.values.tolist() == [["18", "no order before the snapshot"]]
    assert july.unscored.empty


def test_a_request_without_a_usable_row_is_an_error(scorer: Scorer) -> None:
    with pytest.raises(EmptyLogError):
        scorer.score_customers(rows(("18", "2999-01-05", 20.0)), JULY)


def test_a_request_that_mixes_currencies_is_an_error(scorer: Scorer) -> None:
    mixed = rows(("17", "1998-01-05", 20.0), ("17", "1998-01-06", 20.0))

    with pytest.raises(LogError, match="mixes 2 currencies"):
        scorer.score_customers(mixed.append_column("currency", pa.array(["EUR", "USD"])), JULY)


def test_fields_that_the_model_learnt_from_and_a_request_lacks_are_noted(
    scorer: Scorer, orders: pa.Table
) -> None:
    asked = orders.filter(pc.equal(orders["customer_id"], "0016"))

    whole = scorer.score_customers(asked, JULY)
    without_channel = scorer.score_customers(asked.drop_columns("channel"), JULY)

    assert whole.notes == ()
    assert without_channel.notes == (
        "The transactions have no channel, which the log that version 1 learnt from had: what the model knows by "
        "them is not known here, and scores differ.",
    )


def test_a_request_in_another_currency_than_the_model_learnt_from_is_an_error(scorer: Scorer) -> None:
    card = scorer.model.card
    euros = replace(card, log=replace(card.log, terms=LogTerms(currency="EUR")))
    scorer = replace(scorer, model=replace(scorer.model, card=euros))
    order = rows(("alice", "1998-05-05", 20.0))

    with pytest.raises(LogError, match="in USD, those that version 1 learnt from in EUR. Convert them"):
        scorer.score_customers(order.append_column("currency", pa.array(["USD"])), JULY)

    assert len(scorer.score_customers(order.append_column("currency", pa.array(["EUR"])), JULY).scores) == 1


def test_before_the_first_order_nobody_is_scored(scorer: Scorer, log: TransactionLog) -> None:
    scored = scorer.score_log(log, Snapshot(date(1997, 1, 1)))

    assert scored.scores.empty
    assert len(scored.unscored) == log.report.customers
    assert scored.rows_not_visible == log.report.rows_used


def test_a_snapshot_in_the_future_is_refused(scorer: Scorer, log: TransactionLog) -> None:
    latest = Snapshot.after(tomorrow().date)

    with pytest.raises(WindowError, match=r"The snapshot 2999-01-01 lies in the future: .* Use \d{4}-"):
        scorer.score_log(log, Snapshot(date(2999, 1, 1)))

    assert scorer.score_log(log, latest).snapshot == latest


def test_without_a_champion_there_is_no_scorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ModelError, match="No model has the alias 'champion' in sqlite:///mlflow.db"):
        Scorer.from_registry()


def test_costs_that_are_not_the_versions_are_refused_with_both_values(scorer: Scorer) -> None:
    terms = replace(scorer.model.terms, cost_per_order=2.5)
    costly = Scorer(replace(scorer.model, terms=terms), "7")

    costly.costs.require({"cost_per_order": 2.5, "inactivity_days": terms.inactivity_days})
    with pytest.raises(StayworthError, match="--cost-per-order 3 contradicts version 7, whose .* is 2.5"):
        costly.costs.require({"cost_per_order": 3.0})


def test_a_version_in_real_money_scores_orders_as_booked_as_it_scores_them_in_its_money(
    scorer: Scorer, log: TransactionLog
) -> None:
    first = [(date(1997, 1, 1) - date(1970, 1, 1)).days, (date(1998, 1, 1) - date(1970, 1, 1)).days]
    prices = Prices("1998-01", ("1997-01", "1998-01"), tuple(first), (1.3, 1.0))
    card = scorer.model.card
    terms = replace(card.log.terms or LogTerms(), prices=prices)
    summary = replace(card.log, terms=terms)
    real = Scorer(replace(scorer.model, card=replace(card, log=summary)), "1")
    booked = log.table.slice(0, 400)
    asked = pa.table(
        {
            "customer_id": booked["customer_id"],
            "ordered_at": booked["ordered_on"],
            "amount": pc.divide(booked["amount_cents"].cast(pa.float64()), 100.0),
        }
    )

    found = real.score_customers(asked, JULY)

    expected = scorer.score_log(replace(log, table=prices.converted(booked.drop_columns("channel"))), JULY)
    same(found.scores, expected.scores)
    assert "Money is that of 1998-01, by the deflator." in found.notes
    assert any("knows prices until 1998-01" in note for note in found.notes)


def test_a_log_in_parts_gives_the_same_list_and_the_same_files(
    scorer: Scorer, log: TransactionLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scorer.score_log(log, Snapshot(date(1997, 2, 10)))  # many customers come later
    done: list[int] = []
    monkeypatch.setattr("features.log.customer_days._PART_ROWS", 5_000)
    monkeypatch.setattr("features.table_files._SLICE_ROWS", 700)

    parts = scorer.score_log(log, Snapshot(date(1997, 2, 10)), progress=lambda step, n, total: done.append(n))

    assert len(done) > 2
    assert done == sorted(done)
    assert done[-1] == len(log.customer_ids.dictionary) == parts.customers + len(parts.unscored)
    same(parts.scores, whole.scores)
    same(parts.unscored, whole.unscored)
    same(parts.part(np.array([7, 2])).scores, whole.scores.iloc[[7, 2]].reset_index(drop=True))
    assert parts.recent.tolist() == whole.recent.tolist()
    for name in ("rows_in", "rows_used", "rows_not_visible", "quarantined", "notes"):
        assert getattr(parts, name) == getattr(whole, name)
    for name in ("list.csv", "list.parquet"):
        write_table(whole.table, tmp_path / name)
        write_table(parts.table, tmp_path / f"parts-{name}")
    assert (tmp_path / "list.csv").read_bytes() == (tmp_path / "parts-list.csv").read_bytes()
    written = [pq.read_table(tmp_path / f"{which}list.parquet") for which in ("", "parts-")]
    assert written[0].schema == written[1].schema
    assert written[0].equals(written[1])


def test_parts_hold_customers_in_the_order_of_their_ids_and_a_short_log_is_one(
    log: TransactionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [part is log for part in log.parts()] == [True]
    monkeypatch.setattr("features.log.customer_days._PART_ROWS", 5_000)

    parts = [sorted(part.customer_ids.dictionary.to_pylist()) for part in log.parts()]

    assert len(parts) > 2
    assert [name for part in parts for name in part] == sorted(log.customer_ids.dictionary.to_pylist())
