"""Migration between stages: who was in which stage at the start of each period, in which at its end, and what they did.

A customer's stage is that of the date, by what was known before it. Who had not bought before a period begins as
``new``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.customer_groups import STAGES
from features.economics.base import customer_base
from features.economics.facts import Facts
from features.economics.segments import NEW

_AT = "facts.period"
STARTS = (NEW, *STAGES)
"""Where customers may be at the start of a period."""

_LAPSED = STAGES.index("lapsed")
_NEW = -1

# Of the active, each boundary begins a period; who was not active before ends one in which they came.
_MOVES = f"""WITH steps AS (
  SELECT customer, boundary, stage, lag(boundary) OVER in_turn AS before, lead(boundary) OVER in_turn AS after,
    lead(stage) OVER in_turn AS next_stage
  FROM stages
  WINDOW in_turn AS (PARTITION BY customer ORDER BY boundary)
)
SELECT customer, boundary AS period, stage AS from_stage,
  CASE WHEN after = boundary + 1 THEN next_stage ELSE {_LAPSED} END AS to_stage
FROM steps
WHERE boundary < <periods>
UNION ALL
SELECT steps.customer AS customer, boundary - 1 AS period,
  CASE WHEN first_period = boundary - 1 THEN {_NEW} ELSE {_LAPSED} END AS from_stage, stage AS to_stage
FROM steps
JOIN customers ON customers.customer = steps.customer
WHERE before IS NULL OR before < boundary - 1"""

_COUNTS = """SELECT {segment} AS segment, facts.period AS period, from_stage, to_stage, count(*) AS customers
FROM moves AS facts{members}
GROUP BY 1, 2, 3, 4"""

_SUMS = """count(*) FILTER (WHERE purchase_days > 0) AS buyers,
  CAST(coalesce(sum(gross_cents - refund_cents), 0) AS BIGINT) AS net_cents,
  CAST(coalesce(sum(margin_cents), 0) AS BIGINT) AS margin_cents"""

_DID = f"""SELECT {{segment}} AS segment, facts.period AS period, moves.from_stage AS from_stage,
  {_SUMS}
FROM customer_periods AS facts
JOIN moves ON moves.customer = facts.customer AND moves.period = facts.period
  AND moves.from_stage > {_LAPSED}{{members}}
GROUP BY 1, 2, 3"""

_ALL_DID = f"""SELECT {{segment}} AS segment, facts.period AS period,
  CASE WHEN facts.period <= facts.cohort OR facts.cohort IS NULL THEN {_NEW} ELSE {_LAPSED} END AS from_stage,
  {_SUMS}
FROM customer_periods AS facts{{members}}
GROUP BY 1, 2, 3"""


def migration(facts: Facts) -> pd.DataFrame:
    """Count the moves of each segment and period, after `features.economics.stages.create_stages`.

    Returns
    -------
    DataFrame, by segment, period number and stage at the start, those of `STARTS`
        customers; for each of `STAGES` how many are in it at the end; buyers; net_cents and margin_cents of the period
    """
    facts.engine.create("moves", _MOVES.replace("<periods>", str(len(facts.periods))))
    cells = pd.MultiIndex.from_product(
        [facts.groups, range(len(facts.periods)), range(_NEW, len(STAGES))],
        names=["segment", "period", "from_stage"],
    )
    found = facts.by_segment(_COUNTS, _AT).pivot_table(
        index=list(cells.names), columns="to_stage", values="customers", aggfunc="sum"
    )
    table = found.reindex(index=cells, columns=range(len(STAGES))).fillna(0).astype(np.int64)
    table = _with_the_lapsed(table, customer_base(facts))
    did = _did(facts, cells)
    table.columns = pd.Index(STAGES)
    table.insert(0, "customers", table.sum(axis="columns"))
    return (
        pd.concat([table, did], axis="columns")
        .reset_index()
        .assign(from_stage=lambda rows: [STARTS[place + 1] for place in rows["from_stage"]])
    )


def _with_the_lapsed(table: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
    """Add who had lapsed at the start and did not come back, and who came and went within a period."""
    everybody = {_LAPSED: base["total_base_at_start"] - base["start"], _NEW: base["acquired"]}
    for place, customers in everybody.items():
        rows = table.xs(place, level="from_stage")
        stayed = customers.reindex(rows.index) - rows.sum(axis="columns")
        table.loc[(slice(None), slice(None), place), _LAPSED] = stayed.to_numpy()
    return table


def _did(facts: Facts, cells: pd.MultiIndex) -> pd.DataFrame:
    """Return what customers of each stage did in the period; the lapsed are who is left of all."""
    names = list(cells.names)
    active = facts.by_segment(_DID, _AT).set_index(names).reindex(cells).fillna(0).astype(np.int64)
    others = facts.by_segment(_ALL_DID, _AT).set_index(names).reindex(cells).fillna(0).astype(np.int64)
    of_active = active.groupby(level=["segment", "period"]).transform("sum")
    lapsed = cells.get_level_values("from_stage") == _LAPSED
    return active + others - of_active.where(pd.Series(lapsed, cells), 0)
