"""What customers have cost beside their acquisition, by day: keeping and support, and bad debt at the log's end."""

from __future__ import annotations

from features.economics.ageing import Ageing
from features.economics.cost_allocation import NOBODY, POOLED, TOUCHED, allocate
from features.economics.facts import Facts
from features.economics.inputs import Inputs

_KEPT = f"""SELECT customer, touched.day AS day, CAST(round(touch_cents * factor) AS BIGINT) AS cents
FROM {TOUCHED} AS touched
JOIN calendar ON calendar.day = touched.day
WHERE keeping = 1 AND customer < {NOBODY} AND month IS NOT NULL AND touch_cents IS NOT NULL
UNION ALL
SELECT customer, ends.day AS day, CAST(round(cents * factor) AS BIGINT) AS cents
FROM {POOLED} AS pooled
JOIN (SELECT period AS month, max(day) AS day, any_value(factor) AS factor FROM calendar GROUP BY period) AS ends
  ON ends.month = pooled.month
WHERE customer < {NOBODY}"""


def past_costs(facts: Facts, inputs: Inputs) -> str | None:
    """Return a query of ``customer, day, cents`` on the facts' engine; None where nothing is known.

    A touch costs on its day, a pool on the last day of its month, bad debt at the log's end.
    """
    parts = []
    if inputs.costs is not None:
        months = inputs.costs.facts
        allocate(months, inputs.costs.touches, inputs.costs.table)
        if months is facts:
            facts.engine.create("kept_costs", _KEPT)
        else:
            facts.engine.register("kept_costs", months.engine.query(_KEPT))
        parts.append("SELECT customer, day, cents FROM kept_costs")
    if inputs.receivables is not None:
        since, until = (int(day) for day in facts.periods.boundaries[[0, -1]])
        ageing = Ageing(facts, inputs.receivables, inputs.unpaid_rates)
        if ageing.create_losses("losses", since, until):
            parts.append(f"SELECT customer, {until} AS day, loss_cents AS cents FROM losses")
    return "\nUNION ALL\n".join(parts) or None
