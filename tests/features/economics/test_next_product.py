"""The product that a customer may buy next, by hand, against a plain loop, and judged out of time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from features.economics.facts import Facts
from features.economics.inputs import Inputs
from features.economics.next_product import SUPPORT, judge_next_products, next_products
from features.economics.periods import Periods
from features.economics.product_section import product_section
from features.economics.tables import Section
from features.log.transactions import TransactionLog
from features.log.validation import validate

EPOCH = date(1970, 1, 1)


def facts_of(log: TransactionLog, inactivity_days: int = 30) -> Facts:
    return Facts(log, Periods(log.first_day, log.last_day), inactivity_days)


def shop(later: str) -> TransactionLog:
    """Bread is bought by 40, butter by 30 of them, milk by 35 others; in March the ten buy what is said."""
    rows = [(f"b{number}", "2015-01-01", "bread") for number in range(40)]
    rows += [(f"b{number}", "2015-01-02", "butter") for number in range(30)]
    rows += [(f"m{number}", "2015-01-03", "milk") for number in range(35)]
    rows += [(f"b{number}", "2015-03-20", later) for number in range(30, 40)]
    rows += [("eve", "2015-03-21", "bread"), ("eve", "2015-03-31", "bread")]
    names = ["customer_id", "ordered_at", "product_id"]
    return validate(pd.DataFrame(rows, columns=names).assign(amount=1))


def section_of(log: TransactionLog) -> Section:
    with facts_of(log) as facts:
        return product_section(facts, Inputs())


def rows_of(section: Section) -> dict[str, pd.DataFrame]:
    return {table.name: table.rows for table in section.tables}


def test_the_likeliest_product_is_shown_where_it_is_bought_more_often_than_the_most_popular():
    section = section_of(shop("butter"))

    # Of ten who bought bread and came back all buy butter; the most popular that they lacked was milk.
    found = rows_of(section)
    (evidence,) = found["next_product_evidence"].to_dict("records")
    assert (evidence["from"], evidence["to"]) == (date(2015, 3, 2), date(2015, 4, 1))
    assert [evidence[name] for name in ("customers", "hits", "popular_hits")] == [10, 10, 0]
    assert evidence["better"]
    # At the end 41 have bought bread and 40 of them butter; Eve has not.
    assert found["next_product"].to_dict("records") == [
        {
            "customer_id": "eve",
            "next_product": "butter",
            "bought_product": "bread",
            "probability": 40 / 41,
            "support": 40,
        }
    ]
    assert any("100.0% bought the one" in note for note in section.notes)


@pytest.mark.parametrize("later", ["milk", "bread"])
def test_it_is_not_shown_where_it_is_no_better_and_that_is_said(later):
    section = section_of(shop(later))

    found = rows_of(section)
    assert "next_product" not in found and not found["next_product_evidence"]["better"].any()
    assert any("Next products are not shown" in note for note in section.notes)


def test_without_products_bought_together_often_enough_it_is_said_that_nothing_can_be_judged():
    rows = [("ann", f"2015-01-{day:02}", f"p{day % 3}") for day in range(1, 29)]
    names = ["customer_id", "ordered_at", "product_id"]

    section = section_of(validate(pd.DataFrame(rows, columns=names).assign(amount=1)))

    assert section.tables == ()
    assert any("Next products cannot be judged" in note for note in section.notes)


# --- the oracle ---------------------------------------------------------------------------------------------------

Bought = dict[str, dict[str, int]]


def firsts(log: TransactionLog) -> Bought:
    """Return the first day of each customer's products."""
    found: Bought = defaultdict(dict)
    for row in log.table.to_pandas().itertuples():
        day, own = (row.ordered_on - EPOCH).days, found[row.customer_id]
        if row.amount_cents >= 0:
            own[row.product_id] = min(day, own.get(row.product_id, day))
    return found


def suggestions(bought: Bought, day: int) -> tuple[dict[str, tuple[float, int, str, str]], dict[str, str]]:
    """Return what is suggested to whom, by rules and by popularity, of what was known before a day."""
    baskets = {who: {name for name, first in own.items() if first < day} for who, own in bought.items()}
    buyers = Counter(name for own in baskets.values() for name in own)
    order = sorted(buyers, key=lambda name: (-buyers[name], name))

    def rules(own: Iterable[str]) -> Iterable[tuple[float, int, int, int]]:
        for i in own:
            for j in set(order) - set(own):
                both = sum({i, j} <= basket for basket in baskets.values())
                if both >= SUPPORT:
                    yield (-both / buyers[i], -both, order.index(j), order.index(i))

    ruled, popular = {}, {}
    for who, own in baskets.items():
        if found := sorted(rules(own)):
            probability, both, j, i = found[0]
            ruled[who] = (-probability, -both, order[j], order[i])
        popular[who] = next((name for name in order if name not in own), "")
    return ruled, popular


@pytest.mark.parametrize("seed", range(3))
def test_rules_and_hits_are_those_of_a_plain_loop(seed):
    draw = np.random.default_rng(seed)
    count = 900
    weights = np.arange(9, 0, -1) / 45
    rows = pd.DataFrame(
        {
            "customer_id": [f"c{number:02}" for number in draw.integers(0, 90, count)],
            "ordered_at": [
                date(2015, 1, 1) + timedelta(days=int(day)) for day in draw.integers(0, 120, count)
            ],
            "amount": np.where(draw.random(count) < 0.05, -1, 1),
            "product_id": draw.choice([f"p{number}" for number in range(9)], count, p=weights),
        }
    )
    log = validate(rows)
    bought = firsts(log)
    end = (log.last_day - EPOCH).days + 1
    start = (log.first_day - EPOCH).days

    with facts_of(log, 60) as facts:
        evidence, listed = judge_next_products(facts), next_products(facts)

    ruled, popular = suggestions(bought, evidence.day)
    assert evidence.day == max(end - 60, (start + end + 1) // 2)
    days = log.table.to_pandas()
    back = set(
        days[(days["amount_cents"] >= 0) & (days["ordered_on"] >= EPOCH + timedelta(evidence.day))][
            "customer_id"
        ]
    )
    judged = [who for who in ruled if who in back]
    assert evidence.customers == len(judged) > 30
    assert evidence.hits == sum(ruled[who][2] in bought[who] for who in judged)
    assert evidence.popular_hits == sum(popular[who] in bought[who] for who in judged)
    at_the_end, _ = suggestions(bought, end)
    found = {
        row.customer_id: (row.probability, row.support, row.next_product, row.bought_product)
        for row in listed.itertuples()
    }
    assert found == at_the_end and len(found) > 30
