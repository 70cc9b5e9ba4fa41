"""Bid ceilings: what acquiring a customer may cost at most, by channel.

A newcomer is worth the net margin of the first purchase and the expected value the day after. Of customers who came in
the last `NEWCOMER_DAYS` days, that is what they have brought since, net of what they cost, and what the scored list
expects of them from now on: their later purchases have only moved from the second part to the first.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from features.economics.acquisition import CHANNEL_OF_CUSTOMER, Spend, create_channels
from features.economics.facts import Facts
from features.economics.inputs import Inputs
from features.economics.past_costs import past_costs
from features.economics.segments import EVERYONE
from features.table.purchase_days import PURCHASE_DAYS

NEWCOMER_DAYS = 90
FEW_NEWCOMERS = 30

_NEWCOMERS = f"""WITH newcomers AS (
  SELECT customers.customer AS customer, {{channel}} AS channel, potentials.cents AS potential_cents
  FROM customers{{join}}
  JOIN bid_potentials AS potentials ON potentials.customer_id = customers.customer_id
  WHERE customers.first_day >= {{since}}
),
brought AS (
  SELECT customer, CAST(sum(cents) AS BIGINT) AS cents
  FROM (
    SELECT days.customer AS customer, {{margin}} AS cents
    FROM {PURCHASE_DAYS} AS days
    JOIN calendar ON calendar.day = days.day{{costs}}
  ) AS parts
  GROUP BY customer
)
SELECT channel, count(*) AS newcomers, CAST(sum(coalesce(brought.cents, 0)) AS BIGINT) AS margin_cents,
  CAST(sum(potential_cents) AS BIGINT) AS potential_cents
FROM newcomers
LEFT JOIN brought ON brought.customer = newcomers.customer
GROUP BY channel
ORDER BY channel"""


def bid_ceilings(facts: Facts, inputs: Inputs) -> pd.DataFrame | None:
    """Return what newcomers of each channel are worth, beside what acquiring them has cost.

    Returns
    -------
    DataFrame or None
        channel, newcomers, few_newcomers (bool), past_margin, potential, bid_ceiling, cac and headroom in money per
        newcomer, the last two empty without spend; `EVERYONE` first. None without margins, a scored list or newcomers.
    """
    if inputs.potential is None or not facts.has_margins:
        return None
    listed = inputs.potential
    types = pa.schema([("customer_id", pa.string()), ("cents", pa.int64())])
    rows = {"customer_id": list(listed), "cents": list(listed.values())}
    facts.engine.register("bid_potentials", pa.table(rows, schema=types))
    until = int(facts.periods.boundaries[-1])
    since = until - NEWCOMER_DAYS
    costs = past_costs(facts, inputs)
    spent = f"\n    UNION ALL\n    SELECT customer, -cents AS cents FROM ({costs}) AS costs" if costs else ""
    terms = {"since": since, "margin": facts.margin_sql, "costs": spent}
    parts = [facts.query(_NEWCOMERS.format(channel=f"'{EVERYONE}'", join="", **terms))]
    if create_channels(facts, inputs.channel_of):
        by_channel = {"channel": "acquisition.channel", "join": CHANNEL_OF_CUSTOMER}
        parts.append(facts.query(_NEWCOMERS.format(**by_channel, **terms)))
    found = pd.concat(parts, ignore_index=True)
    if found.empty:
        return None
    people, shown = found["newcomers"].astype(float), inputs.unit.shown
    worth = shown((found["margin_cents"] + found["potential_cents"]) / people)
    spend = [_spent(inputs.spend, channel, since, until) for channel in found["channel"]]
    cac = shown(np.array(spend) / people)
    return pd.DataFrame(
        {
            "channel": found["channel"],
            "newcomers": found["newcomers"],
            "few_newcomers": found["newcomers"] < FEW_NEWCOMERS,
            "past_margin": shown(found["margin_cents"] / people),
            "potential": shown(found["potential_cents"] / people),
            "bid_ceiling": worth,
            "cac": cac,
            "headroom": worth - cac,
        }
    )


def _spent(spend: Spend | None, channel: str, since: int, until: int) -> float:
    """Return what was spent through a channel on the days [since, until), cents; NaN where no spend is known."""
    if spend is None or (channel != EVERYONE and channel not in spend.channels):
        return np.nan
    own = np.array([channel in (EVERYONE, each) for each in spend.channels])
    days = np.minimum(spend.ends, until) - np.maximum(spend.starts, since)
    shares = np.maximum(days, 0) / (spend.ends - spend.starts)
    return float((spend.cents * shares)[own].sum())
