"""Presets: exports of shops, with their own columns, statuses and grain, read as the sales that they hold."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from features.commands.log import read_and_check
from features.errors import MissingColumnError
from features.log.settings import Columns, LogSettings

# An order of two lines, one with a refund of a part, one refunded, one cancelled, one that was never paid.
SHOPIFY = """Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem quantity,Lineitem name,\
Cancelled at,Refunded Amount,Id
#1001,ann@x.org,paid,2024-01-05 10:15:00 +0100,EUR,20.50,2024-01-05 10:15:00 +0100,1,tea,,0.00,501
#1001,ann@x.org,,,,,2024-01-05 10:15:00 +0100,2,cup,,,
#1002,bob@x.org,partially_refunded,2024-01-06 10:15:00 +0100,EUR,30.00,2024-01-06 00:15:00 +0100,1,tea,,10.00,502
#1003,bob@x.org,refunded,2024-01-07 10:15:00 +0100,EUR,30.00,2024-01-07 10:15:00 +0100,1,tea,,30.00,503
#1004,ann@x.org,paid,2024-01-08 10:15:00 +0100,EUR,9.00,2024-01-08 10:15:00 +0100,1,tea,2024-01-09 08:00:00 +0100,,504
#1005,ann@x.org,pending,,EUR,9.00,2024-01-10 10:15:00 +0100,1,tea,,0.00,505
"""
WEBTOFFEE = """order_id,order_number,order_date,status,order_total,order_currency,billing_email,line_item
11,11,2024-01-05 10:15:00,completed,20.50,EUR,ann@x.org,tea
11,11,2024-01-05 10:15:00,completed,20.50,EUR,ann@x.org,cup
12,12,2024-01-06 10:15:00,wc-processing,20.00,EUR,bob@x.org,tea
13,13,2024-01-07 10:15:00,failed,30.00,EUR,bob@x.org,tea
14,14,2024-01-08 10:15:00,cancelled,9.00,EUR,ann@x.org,tea
"""
ADVANCED = """Order Number,Order Status,Order Date,Email (Billing),Order Total Amount,Item #,Item Name
11,Completed,2024-01-05 10:15,ann@x.org,20.50,1,tea
11,Completed,2024-01-05 10:15,ann@x.org,20.50,2,cup
12,Processing,2024-01-06 10:15,bob@x.org,20.00,1,tea
13,Pending payment,2024-01-07 10:15,bob@x.org,30.00,1,tea
"""
STRIPE = """id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Fee,Status,Customer ID,Customer Email
ch_1,2024-01-05 10:15:00,20.50,0.00,eur,true,0.90,Paid,cus_a,ann@x.org
ch_2,2024-01-06 10:15:00,30.00,10.00,eur,true,0.90,Paid,cus_b,bob@x.org
ch_3,2024-01-07 10:15:00,30.00,30.00,eur,true,0.90,Refunded,cus_b,bob@x.org
ch_4,2024-01-08 10:15:00,30.00,,eur,false,0.00,Failed,cus_b,bob@x.org
ch_5,2024-01-09 10:15:00,30.00,,eur,false,0.00,Paid,cus_b,bob@x.org
"""
OLIST = """order_id,customer_id,customer_unique_id,order_status,order_purchase_timestamp,payment_value
o1,c1,ann,delivered,2024-01-05 10:15:00,18.50
o1,c1,ann,delivered,2024-01-05 10:15:00,2.00
o2,c2,bob,shipped,2024-01-06 10:15:00,20.00
o3,c3,bob,canceled,2024-01-07 10:15:00,30.00
"""
OLIST_ITEMS = """order_id,order_item_id,customer_unique_id,order_status,order_purchase_timestamp,price,freight_value
o1,1,ann,delivered,2024-01-05 10:15:00,15.50,3.00
o1,2,ann,delivered,2024-01-05 10:15:00,1.50,0.50
o2,1,bob,shipped,2024-01-06 10:15:00,20.00,0.00
o3,1,bob,unavailable,2024-01-07 10:15:00,20.00,0.00
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str, preset: str, **settings: Any) -> tuple[list[tuple[str, date, int]], list[str]]:
    """Return the sales, customer, day and cents, of each order or day, and the names of what was found."""
    Path("export.csv").write_text(text.replace("\\\n", ""))
    log = LogSettings(transactions="export.csv", preset=preset, **settings)  # type: ignore[arg-type]
    orders, found = read_and_check(log, Columns(), lambda step, done, total: None)
    sums = orders.table.group_by(["customer_id", "ordered_on"]).aggregate([("amount_cents", "sum")])
    rows = zip(
        *(sums[name].to_pylist() for name in ("customer_id", "ordered_on", "amount_cents_sum")), strict=True
    )
    return sorted(rows), [finding.name for finding in found]


@pytest.mark.parametrize(
    ("preset", "text", "ann", "bob"),
    [
        ("shopify", SHOPIFY, "ann@x.org", "bob@x.org"),
        ("woocommerce", WEBTOFFEE, "ann@x.org", "bob@x.org"),
        ("woocommerce", ADVANCED, "ann@x.org", "bob@x.org"),
        ("stripe", STRIPE, "cus_a", "cus_b"),
        ("stripe", STRIPE.replace("Customer ID,", "Card ID,"), "ann@x.org", "bob@x.org"),
        ("olist", OLIST, "ann", "bob"),
        ("olist", OLIST_ITEMS, "ann", "bob"),
    ],
)
def test_an_export_is_read_as_the_sales_that_it_holds(preset: str, text: str, ann: str, bob: str) -> None:
    # Ann paid 20.50 for one order, once; Bob 20.00 in the end; what failed or was given back is no purchase.
    # Shopify's order 1002 was placed at a quarter past midnight, an hour ahead of UTC.
    second = 5 if preset == "shopify" else 6
    sales, found = read(text, preset)

    assert sales == [(ann, date(2024, 1, 5), 2050), (bob, date(2024, 1, second), 2000)]
    assert found == []


def test_a_flag_overrides_what_the_preset_says() -> None:
    sales, _ = read(STRIPE, "stripe", where="Status = 'Refunded'")

    assert sales == [("cus_b", date(2024, 1, 7), 0)]


def test_another_file_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(
        MissingColumnError, match=r"--preset stripe knows: it lacks 'Amount Refunded', 'Status'\."
    ):
        read("id,Created date (UTC),Amount,Customer ID\n1,2024-01-05,3,a\n", "stripe")


def test_items_joined_with_payments_are_refused() -> None:
    joined = "\n".join(
        f"{line},{more}"
        for line, more in zip(
            OLIST.splitlines(), ["order_item_id,price,freight_value", *["1,5,1"] * 4], strict=True
        )
    )

    with pytest.raises(MissingColumnError, match="besides its columns it has order_item_id, of another one"):
        read(joined, "olist")
