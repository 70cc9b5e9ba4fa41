"""The product that a customer may buy next: the likeliest not bought yet, by what others bought together.

A rule ``i -> j`` has the probability P(j | i) = customers who bought i and j / customers who bought i, and is used if
`SUPPORT` customers bought both. A customer's next product is that of the most probable rule from a product that they
bought to one that they did not. It is worth showing only if it beats the most popular product not bought yet: rules
and popularity are learnt before a date, and hits counted in the window after it.

The work is bounded, however large the log: rules are learnt from the `MOST_PRODUCTS` products with most buyers, from
`MOST_CUSTOMERS` customers at most (every k-th), and from the `LARGEST_BASKET` products that each came to last; of each
product the `MOST_RULES` most probable rules are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import pandas as pd

from features.economics.facts import Facts
from features.economics.profitability import MOST_ROWS
from features.table.purchase_days import LOG, PURCHASE_DAYS

SUPPORT = 20
MOST_PRODUCTS, MOST_CUSTOMERS, LARGEST_BASKET, MOST_RULES = 3_000, 100_000, 50, 50
STANDARD_ERRORS = 2.0

_FIRSTS = f"""SELECT customers.customer AS customer, product_names.product AS product,
  min(unix_date(log.ordered_on)) AS first_day
FROM {LOG} AS log
JOIN customers ON customers.customer_id = log.customer_id
JOIN product_names ON product_names.product_id = log.product_id
WHERE amount_cents >= 0
GROUP BY 1, 2"""

_NAMES = f"""SELECT product_id, CAST(row_number() OVER (ORDER BY product_id) AS INTEGER) AS product
FROM (SELECT DISTINCT product_id FROM {LOG} WHERE product_id IS NOT NULL AND amount_cents >= 0) AS names"""

# What is known before a day. Products are numbered by their buyers there: the first is the most popular.
_POPULAR = f"""SELECT * FROM (
  SELECT product, buyers, CAST(row_number() OVER (ORDER BY buyers DESC, product) AS INTEGER) AS place
  FROM (
    SELECT product, count(*) AS buyers FROM product_firsts WHERE first_day < {{day}} GROUP BY product
  ) AS counted
) AS numbered
WHERE place <= {MOST_PRODUCTS}"""

_OWNED = """SELECT customer, popular.place AS product, first_day, buyers
FROM product_firsts
JOIN popular ON popular.product = product_firsts.product
WHERE first_day < {day}"""

_BASKETS = f"""SELECT customer, product FROM (
  SELECT customer, product, row_number() OVER (PARTITION BY customer ORDER BY first_day DESC, product) AS nth
  FROM owned
  WHERE buyers >= {SUPPORT}
) AS latest
WHERE nth <= {LARGEST_BASKET}"""

_RULES = f"""WITH learners AS (SELECT customer, product FROM baskets WHERE customer % {{step}} = 0),
counts AS (SELECT product, count(*) AS buyers FROM learners GROUP BY product),
pairs AS (
  SELECT one.product AS one, other.product AS other, count(*) AS both_bought
  FROM learners AS one
  JOIN learners AS other ON other.customer = one.customer AND other.product > one.product
  GROUP BY one.product, other.product
  HAVING count(*) >= {SUPPORT}
),
directed AS (
  SELECT one AS bought, other AS next, both_bought FROM pairs
  UNION ALL
  SELECT other AS bought, one AS next, both_bought FROM pairs
),
probable AS (
  SELECT bought, next, both_bought, both_bought / CAST(counts.buyers AS DOUBLE) AS probability
  FROM directed
  JOIN counts ON counts.product = directed.bought
),
best AS (
  SELECT *, row_number() OVER (PARTITION BY bought ORDER BY probability DESC, both_bought DESC, next) AS nth
  FROM probable
)
SELECT bought, next, both_bought, probability,
  row_number() OVER (ORDER BY probability DESC, both_bought DESC, next, bought) AS rule
FROM best
WHERE nth <= {MOST_RULES}"""

_SUGGESTED = """SELECT baskets.customer AS customer, min(rule) AS rule
FROM baskets
JOIN rules ON rules.bought = baskets.product
LEFT JOIN owned ON owned.customer = baskets.customer AND owned.product = rules.next
WHERE owned.customer IS NULL
GROUP BY baskets.customer"""

# Of a customer's products in order of popularity the n-th is number n until the first that they have not bought.
_MOST_POPULAR = """SELECT customer, 1 + count(*) FILTER (WHERE product = nth) AS product
FROM (
  SELECT customer, product, row_number() OVER (PARTITION BY customer ORDER BY product) AS nth FROM owned
) AS in_turn
GROUP BY customer"""

# Whom something was suggested to and who bought after it: new to them is what they had not bought before.
_HITS = f"""WITH buyers AS (
  SELECT DISTINCT customer FROM {PURCHASE_DAYS} WHERE orders > 0 AND day >= {{day}}
),
came AS (
  SELECT customer, popular.place AS product
  FROM product_firsts
  JOIN popular ON popular.product = product_firsts.product
  WHERE first_day >= {{day}}
),
judged AS (
  SELECT suggested.customer AS customer, CASE WHEN hit.customer IS NULL THEN 0 ELSE 1 END AS hit,
    CASE WHEN popular_hit.customer IS NULL THEN 0 ELSE 1 END AS popular_hit
  FROM suggested
  JOIN buyers ON buyers.customer = suggested.customer
  JOIN rules ON rules.rule = suggested.rule
  JOIN most_popular ON most_popular.customer = suggested.customer
  LEFT JOIN came AS hit ON hit.customer = suggested.customer AND hit.product = rules.next
  LEFT JOIN came AS popular_hit ON popular_hit.customer = suggested.customer
    AND popular_hit.product = most_popular.product
)
SELECT count(*) AS customers, CAST(coalesce(sum(hit), 0) AS BIGINT) AS hits,
  CAST(coalesce(sum(popular_hit), 0) AS BIGINT) AS popular_hits,
  count(*) FILTER (WHERE hit > popular_hit) AS only_hits,
  count(*) FILTER (WHERE hit < popular_hit) AS only_popular_hits
FROM judged"""

_LISTED = f"""SELECT customers.customer_id AS customer_id, next_names.product_id AS next_product,
  bought_names.product_id AS bought_product, probability, both_bought AS support
FROM suggested
JOIN rules ON rules.rule = suggested.rule
JOIN customers ON customers.customer = suggested.customer
JOIN popular AS next_popular ON next_popular.place = rules.next
JOIN product_names AS next_names ON next_names.product = next_popular.product
JOIN popular AS bought_popular ON bought_popular.place = rules.bought
JOIN product_names AS bought_names ON bought_names.product = bought_popular.product
ORDER BY suggested.rule, customers.customer
LIMIT {MOST_ROWS}"""


@dataclass(frozen=True)
class Evidence:
    """How the rules did against the most popular product, out of time.

    Attributes
    ----------
    day : int, of which rules and popularity are, days since 1970-01-01; hits are those from it to the log's end
    customers : int, who had a suggestion and bought in the window
    hits, popular_hits : int, of them, who bought the product suggested, by rules and by popularity
    only_hits, only_popular_hits : int, who bought the one and not the other
    """

    day: int
    customers: int
    hits: int
    popular_hits: int
    only_hits: int
    only_popular_hits: int

    @property
    def better(self) -> bool:
        """Whether rules hit more often, by more than `STANDARD_ERRORS` of the difference between two paired counts.

        Examples
        --------
        >>> Evidence(0, 100, 30, 20, 15, 5).better, Evidence(0, 100, 22, 20, 7, 5).better
        (True, False)
        """
        difference = self.only_hits - self.only_popular_hits
        return difference > STANDARD_ERRORS * sqrt(self.only_hits + self.only_popular_hits)


def judge_next_products(facts: Facts) -> Evidence:
    """Learn rules before the log's last inactivity window, or its second half, and count hits in it.

    Parameters
    ----------
    facts : Facts, of a log with the column ``product_id``
    """
    facts.engine.create("product_names", _NAMES)
    facts.engine.create("product_firsts", _FIRSTS)
    start, end = (int(day) for day in facts.periods.boundaries[[0, -1]])
    first_day = max(start, int(facts.query(f"SELECT min(day) AS day FROM {PURCHASE_DAYS}")["day"].iloc[0]))
    day = max(end - facts.inactivity_days, (first_day + end + 1) // 2)
    _suggest(facts, day)
    facts.engine.create("most_popular", _MOST_POPULAR)
    counts = facts.query(_HITS.format(day=day)).iloc[0]
    return Evidence(day, **{str(name): int(count) for name, count in counts.items()})


def next_products(facts: Facts) -> pd.DataFrame:
    """Return each customer's next product by the whole log, the most probable first, after `judge_next_products`.

    Returns
    -------
    DataFrame
        customer_id, next_product, bought_product, probability (share), support (customers who bought both)
    """
    _suggest(facts, int(facts.periods.boundaries[-1]))
    return facts.query(_LISTED)


def _suggest(facts: Facts, day: int) -> None:
    """Create the tables of what is known before a day: popular, owned, baskets, rules, suggested."""
    engine = facts.engine
    engine.create("popular", _POPULAR.format(day=day))
    engine.create("owned", _OWNED.format(day=day))
    engine.create("baskets", _BASKETS)
    customers = int(
        facts.query("SELECT count(DISTINCT customer) AS customers FROM baskets")["customers"].iloc[0]
    )
    engine.create("rules", _RULES.format(step=max(1, ceil(customers / MOST_CUSTOMERS))))
    engine.create("suggested", _SUGGESTED)
