"""Own features: SQL of the shop over purchase days, which sees nothing but the days before the snapshot."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.behaviour.files import BehaviourFiles
from features.errors import StayworthError
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory
from features.table.own import require_own

SNAPSHOT = Snapshot(date(2024, 2, 1))
OWN = {
    "weekend_share": "avg(CASE WHEN dayofweek(day) IN (0, 6) THEN 1 ELSE 0 END)",
    "recent": "sum(spend) FILTER (WHERE days_ago <= 30)",
    "jump": "max_by(spend, day) / min_by(spend, day)",
    "days": "count(*)",
    "margin_share": "sum(margin) / sum(spend)",
}


def log_of(*rows: tuple[str, str, float]) -> TransactionLog:
    return validate(pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"]))


def own_of(log: TransactionLog, own: dict[str, str] = OWN) -> dict[str, list[float]]:
    with PurchaseHistory(log, beside=BehaviourFiles().with_own(own)) as history:
        found = history.columns(SNAPSHOT)
        frame = history.features(SNAPSHOT)
    assert [name for name in frame if name.startswith("own_")] == [f"own_{name}" for name in own]
    return {name: found[f"own_{name}"].tolist() for name in own}


LOG = (
    ("ann", "2024-01-06", 10.0),  # a Saturday, 26 days before the snapshot
    ("ann", "2024-01-06", 5.0),  # the same purchase day
    ("ann", "2023-12-04", 30.0),  # a Monday, 59 days before
    ("bob", "2024-01-31", 0.0),  # a gift, the day before
    ("bob", "2024-01-20", -3.0),  # a refund alone is no purchase day
)


def test_an_expression_is_computed_over_each_customer_s_purchase_days() -> None:
    found = own_of(log_of(*LOG))

    assert found["weekend_share"] == [0.5, 0.0]
    assert found["recent"] == [15.0, 0.0]
    assert found["days"] == [2.0, 1.0]
    assert found["jump"][0] == 0.5
    assert math.isnan(found["jump"][1])  # 0 / 0
    assert np.isnan(found["margin_share"]).all()  # the log has no margins


def test_orders_from_the_snapshot_on_change_no_expression() -> None:
    later = [
        ("ann", "2024-02-01", 1e6),
        ("ann", "2024-03-02", -70.0),
        ("bob", "2024-02-03", 7.0),
        ("cid", "2024-02-01", 1.0),
    ]
    every = {
        "every": "sum(spend + refunded + orders + coalesce(gap_days, 0) + new_month + epoch(day))",
        "last": "max(day) - min(day)",
        **OWN,
    }

    assert str(own_of(log_of(*LOG, *later), every)) == str(own_of(log_of(*LOG), every))


def test_a_customer_s_numbers_do_not_depend_on_who_else_is_there_to_the_last_digit() -> None:
    rng = np.random.default_rng(1)
    rows = [
        (f"c{customer}", f"2023-{month:02d}-{rng.integers(1, 28):02d}", round(float(rng.lognormal()), 2))
        for customer in range(50)
        for month in range(1, 13)
    ]
    own = {"mean": "avg(spend)", "deviation": "stddev_samp(spend) / avg(spend)"}

    together = own_of(log_of(*rows), own)
    alone = own_of(log_of(*(row for row in rows if row[0] == "c7")), own)
    place = sorted({row[0] for row in rows}).index("c7")

    assert [together[name][place] for name in own] == [alone[name][0] for name in own]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("max(next_day)", "uses a column 'next_day', which the days of a customer do not have"),
        ("max(current_date - day)", "depends on something else than the customer's days: current_date"),
        ("max(today() - day)", "depends on something else than the customer's days: today"),
        ("avg(spend) + random()", "depends on something else than the customer's days: random"),
        ("(SELECT max(day) FROM purchase_days)", "has a query of its own"),
        ("count(*) + (SELECT count(*) FROM read_text('/etc/passwd'))", "has a query of its own"),
        ("max(read_text('/etc/passwd'))", "depends on something else than the customer's days: read_text"),
        ("max(getenv('HOME'))", "cannot be run"),
        ("lead(spend) OVER (ORDER BY day)", "has a window"),
        ("spend", "is no aggregate of the customer's days"),
        ("max(CAST(day AS VARCHAR))", "gives string, and a feature is a number"),
        ("sum(spend", "is no SQL expression"),
        ("count(*)), (2", "is more than one SQL expression"),
        ("1 AS x, 2", "is no SQL expression"),
        ("sum(spend); DROP TABLE purchase_days", "is no SQL expression"),
        ("summ(spend)", "cannot be run"),
    ],
)
def test_an_expression_that_looks_elsewhere_is_refused_before_any_row_is_read(
    expression: str, complaint: str
) -> None:
    with pytest.raises(StayworthError, match=r"^\[features\.own\] odd, ") as error:
        require_own({"odd": expression})

    assert complaint in str(error.value)


def test_a_division_by_zero_is_missing_and_no_error() -> None:
    own = {
        "plain": "count(*) / sum(orders * 0)",
        "whole": "count(*) // sum(orders * 0)",
        "rest": "count(*) % sum(orders * 0)",
        "log": "ln(sum(spend) * 0)",
    }

    require_own(own)

    assert np.isnan(list(own_of(log_of(*LOG), own).values())).all()


def test_a_name_that_is_none_and_a_file_that_is_asked_for_change_nothing(tmp_path: Path) -> None:
    with pytest.raises(StayworthError, match="'Weekend share' is no name of a feature"):
        require_own({"Weekend share": "count(*)"})
    with pytest.raises(StayworthError):
        require_own({"odd": f"max(write_log('{tmp_path}/x'))"})
    assert list(tmp_path.iterdir()) == []
