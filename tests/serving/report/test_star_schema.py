"""The star schema: what is in it comes out as the report says it, in every calendar and unit."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.economics.facts import Facts
from features.economics.inputs import Inputs
from features.economics.periods import Periods
from features.economics.report import build_report
from features.economics.star_schema import star_schema
from features.log.validation import validate

TABLES = {"dim_customer", "dim_date", "dim_segment", "customer_segments"} | {
    f"fact_{name}" for name in ("orders", "costs", "scores", "indicators")
}


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def star(shop: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shop's report with its star schema, in weeks and tomans of the last month."""
    out = tmp_path_factory.mktemp("star") / "report"
    flags = ("--segment", "city", "--money-unit", "toman", "--period", "week")
    shop.report(out, set(shop.flags) - {"--targets"}, "--star-schema", *flags)
    return out


def test_every_table_is_there_as_csv_and_as_parquet(star: Path) -> None:
    for name in TABLES:
        csv = pd.read_csv(star / "star_schema" / f"{name}.csv")
        parquet = pd.read_parquet(star / "star_schema" / f"{name}.parquet")
        assert list(csv) == list(parquet) and len(csv) == len(parquet) > 0


def test_sums_of_facts_are_the_reports_numbers(star: Path) -> None:
    read = {name: pd.read_parquet(star / "star_schema" / f"{name}.parquet") for name in TABLES}
    sales = pd.read_csv(star / "sales.csv").set_index(["segment", "period"])
    joined = (
        read["fact_orders"]
        .merge(read["customer_segments"], on="customer_key")
        .merge(read["dim_segment"], on="segment_key")
        .merge(read["dim_date"], on="date")
    )

    summed = joined.groupby(["segment", "period"])[["orders", "net_revenue", "margin"]].sum()

    for name in summed:
        found = summed[name].reindex(sales.index).fillna(0)
        assert found.tolist() == pytest.approx(sales[name].fillna(0).tolist(), abs=0.01)
    bookings = pd.read_csv(star / "bookings.csv")
    assert read["fact_costs"]["cost"].sum() == pytest.approx(bookings["allocated"].sum(), abs=0.01)
    churn = (
        read["fact_indicators"].query("indicator == 'churn_rate' and segment_key == 0").set_index("period")
    )
    base = (
        pd.read_csv(star / "customer_base.csv")
        .query("segment == 'all'")
        .set_index("period")["churn_rate"]
        .dropna()
    )
    assert churn["value"].to_dict() == pytest.approx(base.to_dict())


def test_a_day_stands_in_both_calendars(star: Path) -> None:
    days = pd.read_parquet(star / "star_schema" / "dim_date.parquet").set_index("date")

    nowruz = days.loc[date(2023, 3, 21)]
    assert nowruz[["jalali_date", "jalali_year", "jalali_month", "jalali_day"]].tolist() == [
        "1402/01/01",
        1402,
        1,
        1,
    ]
    assert nowruz[["year", "quarter", "month", "day", "weekday"]].tolist() == [2023, 1, 3, 21, 2]
    assert nowruz["period"] == "2023-03-20"  # its week began on Monday


def test_a_star_schema_that_does_not_give_the_reports_totals_is_not_written() -> None:
    rows = pd.DataFrame(
        {"customer_id": ["1", "2"], "ordered_at": ["2024-01-05", "2024-02-05"], "amount": [10.0, 5]}
    )
    log = validate(rows)
    with Facts(log, Periods(log.first_day, log.last_day, "month", "gregorian"), inactivity_days=90) as facts:
        made = build_report(facts, Inputs())
        assert star_schema(facts, Inputs(), made)["fact_orders"]["net_revenue"].tolist() == [10, 5]
        made.table("sales").rows.loc[0, "net_revenue"] = 11

        with pytest.raises(RuntimeError, match="net_revenue by period is another"):
            star_schema(facts, Inputs(), made)


def test_next_products_and_indicators_of_products_are_facts() -> None:
    bread = [(f"b{number}", "2015-01-01", "bread") for number in range(40)]
    butter = [(f"b{number}", "2015-01-02", "butter") for number in range(30)]
    milk = [(f"m{number}", "2015-01-03", "milk") for number in range(35)]
    later = [(f"b{number}", "2015-03-20", "butter") for number in range(30, 40)]
    names = ["customer_id", "ordered_at", "product_id"]
    rows = pd.DataFrame([*bread, *butter, *milk, *later, ("eve", "2015-03-31", "bread")], columns=names)
    log = validate(rows.assign(amount=3, discount=1, category="food"))

    with Facts(log, Periods(log.first_day, log.last_day), 30) as facts:
        tables = star_schema(facts, Inputs(), build_report(facts, Inputs()))

    customers = tables["fact_next_products"].merge(tables["dim_customer"], on="customer_key")
    assert customers[["customer_id", "next_product"]].to_numpy().tolist() == [["eve", "butter"]]
    shares = tables["fact_indicators"].query("indicator == 'discount_share'")
    assert set(shares["value"]) == {0.25}
    assert "cross_buying_rate" in set(tables["fact_indicators"]["indicator"])
