"""Features of what customers buy and pay: by hand, and that neither the future nor others change a bit of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.behaviour.files import BehaviourFiles
from features.engines.duckdb import DuckDBEngine
from features.engines.engine import Engine
from features.engines.prepared import PreparedEngine
from features.log.settings import Columns
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.baskets import FEATURES, NEEDS, told_by
from features.table.history import PurchaseHistory

MAY = Snapshot(date(2024, 5, 1))
NAMES = tuple(NEEDS)
COLUMNS = ["customer_id", "ordered_at", "amount", "product_id", "category", "quantity", "discount", "margin"]

LOG = (
    ("ann", "2023-02-01", 8.0, "tea", "drinks", 2, 0.0, 1.0),  # more than a year before
    ("ann", "2024-04-01", 9.0, "tea", "drinks", 3, 1.0, 0.0),
    ("ann", "2024-04-01", 5.0, "jam", "food", 1, 0.0, 2.0),
    ("ann", "2024-04-01", 5.0, "jam", "food", 1, 0.0, 1.0),  # the same product of the same day
    ("ann", "2024-04-20", 20.0, "tea", "drinks", 4, 5.0, -2.0),
    ("ann", "2024-04-21", -20.0, "tea", "drinks", -4, 0.0, 2.0),  # a refund is no purchase
    ("bob", "2024-04-30", 0.0, None, None, None, None, 0.5),  # a gift of nobody knows what
)


def log_of(rows: Iterable[tuple[object, ...]], columns: list[str] | None = None) -> TransactionLog:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return validate(frame if columns is None else frame[columns], columns=Columns(margin_column="margin"))


def baskets_of(log: TransactionLog, engine: Engine | None = None) -> Mapping[str, np.ndarray]:
    with PurchaseHistory(log, engine, BehaviourFiles().with_baskets(NAMES)) as history:
        found = history.columns(MAY)
    return {name: found[name] for name in ("customer_id", *NAMES)}


def test_what_a_customer_bought_and_paid_before_the_snapshot() -> None:
    found = baskets_of(log_of(LOG))

    ann = {name: float(values[0]) for name, values in found.items() if name != "customer_id"}
    assert ann == pytest.approx(
        {
            "products_per_day_365d": 3 / 2,  # tea and jam, tea
            "products_last_day": 1,
            "repeat_product_share_365d": 2 / 3,  # tea twice, which was bought in 2023; jam was new
            "distinct_categories": 2,
            "main_category_share": 3 / 4,  # drinks on three days, food on one
            "units_per_day_365d": (5 + 4) / 2,
            "spend_per_unit_365d": (9 + 5 + 5 + 20) / 9,
            "discount_rate_365d": 6 / (39 + 6),
            "discounted_share_365d": 2 / 4,
            "margin_rate_365d": (0 + 2 + 1 - 2) / 39,
            "below_cost_share_365d": (9 + 20) / 39,
        }
    )
    bob = {name: float(values[1]) for name, values in found.items() if name != "customer_id"}
    assert bob["distinct_categories"] == 0
    assert np.isnan([bob["products_per_day_365d"], bob["products_last_day"], bob["margin_rate_365d"]]).all()


def test_a_log_tells_what_it_has_columns_for() -> None:
    plain = log_of(LOG, COLUMNS[:3])
    counted = log_of(LOG, [*COLUMNS[:3], "quantity"])
    some = log_of(LOG, [*COLUMNS[:3], "category", "quantity"])

    assert told_by(plain.columns) == told_by(counted.columns) == ()
    assert told_by(some.columns) == (
        "distinct_categories",
        "main_category_share",
        "units_per_day_365d",
        "spend_per_unit_365d",
    )
    assert np.isnan([baskets_of(plain)[name] for name in NAMES]).all()
    assert set(NAMES) == {feature.name for feature in FEATURES}


def random_rows(seed: int, n: int, first: date, days: int, customers: int = 30) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": draw.integers(0, customers, n).astype(str),
            "ordered_at": [first + timedelta(days=int(day)) for day in draw.integers(0, days, n)],
            "amount": draw.integers(-300, 3_000, n) / 100,
            "product_id": draw.integers(0, 9, n).astype(str),
            "category": draw.choice(["a", "b", "c"], n),
            "quantity": draw.integers(-1, 5, n) / 4,
            "discount": draw.integers(0, 200, n) / 100,
            "margin": draw.integers(-100, 900, n) / 100,
        }
    )


PAST = random_rows(1, 600, date(2023, 1, 1), (MAY.date - date(2023, 1, 1)).days)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_any_future_leaves_the_features_identical_to_the_bit(seed: int) -> None:
    future = random_rows(seed, 300, MAY.date, 200, customers=60)
    both = pd.concat([PAST, future]).sample(frac=1, random_state=seed)
    yesterday = PAST.tail(1).assign(ordered_at=MAY.date - timedelta(days=1), amount=99.0)

    as_it_was, as_it_came, seen = (
        baskets_of(log_of(rows[COLUMNS].itertuples(index=False)))
        for rows in (PAST, both, pd.concat([PAST, yesterday]))
    )

    for name, values in as_it_was.items():
        np.testing.assert_array_equal(values, as_it_came[name], name)
    assert any((values != seen[name]).any() for name, values in as_it_was.items())  # the guard of the guard


def test_a_customer_alone_has_the_numbers_of_the_list_on_every_engine() -> None:
    everybody = baskets_of(log_of(PAST[COLUMNS].itertuples(index=False)), DuckDBEngine(threads=2))
    alone = PAST[PAST["customer_id"] == "7"][COLUMNS]

    for engine in (PreparedEngine(), DuckDBEngine(threads=1, small=True)):
        with engine:
            found = baskets_of(log_of(alone.itertuples(index=False)), engine)
        place = everybody["customer_id"].tolist().index("7")
        assert {name: values[0] for name, values in found.items()} == {
            name: values[place] for name, values in everybody.items()
        }
