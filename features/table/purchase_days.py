"""The log, collapsed once to one row per customer and day.

The gap since the previous purchase, and whether the month, a product or a channel is new to the customer, depend
on earlier days only. They are computed once, here; a snapshot is then one pass over the days before it. A day with
refunds only is kept for its refunds and is no purchase day.

=================  ===========================================================================
column             meaning
=================  ===========================================================================
customer_id        string
day                int, days since 1970-01-01
orders             orders of the day; 0: refunds only, no purchase day
gross_cents        money of the orders
refund_cents       money refunded, as a positive number
refunds            rows with a negative amount
log_rows           rows of the log
gap_days           days since the purchase day before; null on the first, and without an order
new_month          1 on the first purchase day of a calendar month, else 0
margin_cents       margin of all rows; where the log has ``margin_cents``
new_products       products never bought before; where the log has ``product_id``
channels           channels bought through; this and the next two where the log has ``channel``
new_channels       of them, never used before
main_channel_days  purchase days so far in the one of them used most
=================  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Collection

LOG = "transactions"
PURCHASE_DAYS = "purchase_days"

# A count takes less than a sum, and what is counted from other counts nothing: almost every row is a day of its own.
_SUMS = """    count(CASE WHEN amount_cents >= 0 THEN 1 END) AS lines,
    sum(CASE WHEN amount_cents >= 0 THEN amount_cents ELSE 0 END) AS gross_cents,
    sum(CASE WHEN amount_cents < 0 THEN -amount_cents ELSE 0 END) AS refund_cents,
    count(*) AS log_rows"""

# A day's order of several lines has one id and is counted once; lines without an id are an order each.
_DAYS_BY_ORDER = f"""order_lines AS (
  SELECT customer_id, ordered_on, order_id,
{_SUMS}{{margin}}
  FROM {LOG}
  GROUP BY customer_id, ordered_on, order_id
),
days AS (
  SELECT customer_id, ordered_on,
    sum(CASE WHEN order_id IS NULL OR lines = 0 THEN lines ELSE 1 END) AS orders,
    sum(lines) AS lines,
    sum(gross_cents) AS gross_cents,
    sum(refund_cents) AS refund_cents,
    sum(log_rows) AS log_rows{{margin}}
  FROM order_lines
  GROUP BY customer_id, ordered_on
)"""

_DAYS_BY_ROW = f"""rows_of_days AS (
  SELECT customer_id, ordered_on,
{_SUMS}{{margin}}
  FROM {LOG}
  GROUP BY customer_id, ordered_on
),
days AS (
  SELECT *, lines AS orders FROM rows_of_days
)"""

# A product is counted on the day of its first purchase.
_PRODUCTS = f"""first_products AS (
  SELECT customer_id, product_id, min(ordered_on) AS ordered_on
  FROM {LOG}
  WHERE amount_cents >= 0 AND product_id IS NOT NULL
  GROUP BY customer_id, product_id
),
products AS (
  SELECT customer_id, ordered_on, count(*) AS new_products
  FROM first_products
  GROUP BY customer_id, ordered_on
)"""

# A channel's days are numbered in order: the highest number so far is that of the main channel.
_CHANNELS = f"""channel_days AS (
  SELECT DISTINCT customer_id, channel, ordered_on
  FROM {LOG}
  WHERE amount_cents >= 0 AND channel IS NOT NULL
),
numbered_channel_days AS (
  SELECT customer_id, ordered_on,
    row_number() OVER (PARTITION BY customer_id, channel ORDER BY ordered_on) AS nth
  FROM channel_days
),
channels AS (
  SELECT customer_id, ordered_on,
    count(*) AS channels,
    sum(CASE WHEN nth = 1 THEN 1 ELSE 0 END) AS new_channels,
    max(nth) AS main_channel_days
  FROM numbered_channel_days
  GROUP BY customer_id, ordered_on
)"""

# Days with an order are a partition of their own: a day of refunds alone does not break a gap in two.
_SELECT = """SELECT days.customer_id AS customer_id, unix_date(days.ordered_on) AS day,
  CAST(orders AS INTEGER) AS orders,
  CAST(gross_cents AS BIGINT) AS gross_cents,
  CAST(refund_cents AS BIGINT) AS refund_cents,
  CAST(log_rows - lines AS INTEGER) AS refunds,
  CAST(log_rows AS INTEGER) AS log_rows,
  CASE WHEN orders > 0
    THEN unix_date(days.ordered_on) - unix_date(lag(days.ordered_on) OVER in_turn)
  END AS gap_days,
  CASE WHEN orders = 0 THEN 0
    WHEN year(days.ordered_on) = year(lag(days.ordered_on) OVER in_turn)
      AND month(days.ordered_on) = month(lag(days.ordered_on) OVER in_turn) THEN 0
    ELSE 1
  END AS new_month"""

_FROM = "\nFROM days"
_WINDOW = "\nWINDOW in_turn AS (PARTITION BY days.customer_id, orders > 0 ORDER BY days.ordered_on)"


def purchase_days_sql(columns: Collection[str]) -> str:
    """Return the query that collapses a log with these columns to its purchase days.

    Examples
    --------
    >>> print(purchase_days_sql(["customer_id", "ordered_on", "amount_cents", "margin_cents"]))
    WITH rows_of_days AS (
    ...
      sum(margin_cents) AS margin_cents
    ...
    """
    margin = ",\n    sum(margin_cents) AS margin_cents" if "margin_cents" in columns else ""
    steps = [(_DAYS_BY_ORDER if "order_id" in columns else _DAYS_BY_ROW).format(margin=margin)]
    select, joins = _SELECT, ""
    if margin:
        select += ",\n  CAST(margin_cents AS BIGINT) AS margin_cents"
    for source, name, step, counts in (
        ("product_id", "products", _PRODUCTS, ("new_products",)),
        ("channel", "channels", _CHANNELS, ("channels", "new_channels", "main_channel_days")),
    ):
        if source not in columns:
            continue
        steps.append(step)
        select += "".join(f",\n  CAST(coalesce({name}.{count}, 0) AS INTEGER) AS {count}" for count in counts)
        joins += f"\nLEFT JOIN {name}"
        joins += f" ON {name}.customer_id = days.customer_id AND {name}.ordered_on = days.ordered_on"
    return "WITH " + ",\n".join(steps) + "\n" + select + _FROM + joins + _WINDOW
