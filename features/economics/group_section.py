"""The section of tiers, stages and migration: whom there is, and who moved where in each period."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from features.customer_groups import STAGES, TIERS
from features.economics.dated_segments import STAGE, TIER
from features.economics.facts import Facts
from features.economics.group_definitions import STAGE_COLUMNS
from features.economics.indicators import with_periods
from features.economics.inputs import KEYS, Inputs, missing
from features.economics.leads import Leads
from features.economics.migration import migration
from features.economics.stages import StageInputs, create_stages
from features.economics.tables import Section, Table
from features.language import translated

_YEAR_DAYS = 365

_TIERED = """SELECT tier, count(*) AS customers, CAST(sum(potential_cents) AS BIGINT) AS potential_cents,
  CAST(sum(coalesce(year_cents, 0)) AS BIGINT) AS year_cents{stages}
FROM tier_list
JOIN customers ON customers.customer_id = tier_list.customer_id
LEFT JOIN (
  SELECT customer, CAST(sum(
    CAST(round(gross_cents * factor) AS BIGINT) - CAST(round(refund_cents * factor) AS BIGINT)
  ) AS BIGINT) AS year_cents
  FROM purchase_days
  JOIN calendar ON calendar.day = purchase_days.day
  WHERE purchase_days.day >= {since}
  GROUP BY customer
) AS year ON year.customer = customers.customer
LEFT JOIN stages ON stages.customer = customers.customer AND stages.boundary = {boundary}
GROUP BY tier"""

# A lead is one until it is converted, or its customer has bought.
_LEADS = """SELECT boundaries.boundary - 1 AS period, count(*) FILTER (WHERE qualified) AS prospects,
  count(*) FILTER (WHERE NOT coalesce(qualified, FALSE)) AS suspects
FROM leads
JOIN boundaries ON boundaries.day > leads.created
LEFT JOIN customers ON customers.customer_id = leads.customer_id
WHERE boundaries.boundary > 0 AND coalesce(least(converted, first_day), converted, first_day, boundaries.day)
  >= boundaries.day
GROUP BY 1"""


def group_section(facts: Facts, inputs: Inputs) -> Section:
    """Return who is in which tier and stage, and the moves between stages in each period."""
    create_stages(facts.engine, facts.periods, facts.inactivity_days, stage_inputs(inputs))
    moves = migration(facts)
    tables = [
        Table("stages", translated("Stages at the end of each period"), _stages(facts, moves, inputs.leads)),
        Table(
            "migration", translated("From the start of each period to its end"), _shown(facts, moves, inputs)
        ),
    ]
    if inputs.tiers:
        tables.insert(0, Table("tiers", translated("Tiers"), _tiers(facts, inputs)))
    absent = missing(
        tiers=bool(inputs.tiers),
        advocates=inputs.referrals,
        wallets=inputs.wallets,
        prospects=inputs.leads,
    )
    shown = (replace(table, rows=_without_unknown(table.rows, inputs)) for table in tables)
    title = translated("Tiers, stages, migration")
    return Section("groups", title, tuple(shown), tuple(_hindsight(inputs.segment)), absent)


def _hindsight(segment: str) -> list[str]:
    """Say of when the groups are that customers are told apart by."""
    if segment == STAGE:
        return [
            translated(
                "By period, customers are told apart by their stage at its start, and who comes in it is new. Cohorts, "
                "lifetime values, debts and profitability go by the stage at the start of the last closed period, in "
                "hindsight."
            )
        ]
    if segment == TIER:
        return [
            translated(
                "By period, customers are told apart by their tier in the last scored list known at its start "
                "(--earlier-scores), and who comes in it is new. Periods before the first list take its tiers in "
                "hindsight, and are provisional; cohorts, lifetime values, debts and profitability take the newest's."
            )
        ]
    return []


def _without_unknown(rows: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """Leave the stages empty that nobody can be said to be in: a file is missing."""
    known = {"advocate": inputs.referrals is not None, "majority": inputs.wallets is not None}
    return rows.assign(**{name: np.nan for name, there in known.items() if not there})


def stage_inputs(inputs: Inputs) -> StageInputs:
    """Return what stages take of a report's inputs."""
    return StageInputs(inputs.referrals, inputs.surveys, inputs.wallets or {})


def _stages(facts: Facts, moves: pd.DataFrame, leads: Leads | None) -> pd.DataFrame:
    """Return how many customers, and leads, are in each stage at the end of each period."""
    found = moves.groupby(["segment", "period"], sort=False)[list(STAGES)].sum()
    found.columns = pd.Index(STAGE_COLUMNS.values())
    if leads is not None:
        facts.engine.register("leads", leads.table)
        people = facts.query(_LEADS).set_index("period").reindex(range(len(facts.periods)), fill_value=0)
        everyone = found.index.get_level_values("segment") == facts.groups[0]
        for name in ("prospects", "suspects"):
            found[name] = np.nan
            found.loc[everyone, name] = people[name].to_numpy()
    table = with_periods(found.reset_index(), facts).assign(provisional=facts.provisional(dated=True))
    return table[[*KEYS, *found.columns]]


def _shown(facts: Facts, moves: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """Return the moves by names of columns, without stages in which nobody was."""
    known = pd.Series(
        facts.provisional(dated=True), pd.MultiIndex.from_product([facts.groups, range(len(facts.periods))])
    )
    marks = known.reindex(pd.MultiIndex.from_frame(moves[["segment", "period"]])).to_numpy()
    table = with_periods(moves.assign(provisional=marks), facts)
    table = table.assign(
        stage_at_start=table["from_stage"],
        lapsed_share=table["lapsed"] / table["customers"].where(table["customers"] > 0),
        buying=table["buyers"],
        revenue=inputs.unit.shown(table["net_cents"]),
        brought_margin=inputs.unit.shown(table["margin_cents"] * (1.0 if facts.has_margins else np.nan)),
    ).rename(columns=STAGE_COLUMNS)
    columns = ["stage_at_start", "customers", *STAGE_COLUMNS.values(), "lapsed_share"]
    columns += ["buying", "revenue", "brought_margin"]
    return table.loc[table["customers"] > 0, [*KEYS, *columns]].reset_index(drop=True)


def _tiers(facts: Facts, inputs: Inputs) -> pd.DataFrame:
    """Return what each tier is expected to bring and has brought, and its stages at the log's end."""
    tiers, potential = inputs.tiers or {}, inputs.potential or {}
    rows = {
        "customer_id": pa.array(list(tiers), pa.string()),
        "tier": pa.array(list(tiers.values()), pa.string()),
        "potential_cents": pa.array([potential.get(customer, 0) for customer in tiers], pa.int64()),
    }
    facts.engine.register("tier_list", pa.table(rows))
    counts = "".join(
        f",\n  count(*) FILTER (WHERE coalesce(stage, 0) = {place}) AS {column}"
        for place, column in enumerate(STAGE_COLUMNS.values())
    )
    end = len(facts.periods)
    since = int(facts.periods.boundaries[-1]) - _YEAR_DAYS
    found = facts.query(_TIERED.format(stages=counts, since=since, boundary=end))
    found = found.sort_values("tier", key=lambda names: names.map(TIERS.index), ignore_index=True)
    return pd.DataFrame(
        {
            "tier": found["tier"],
            "customers": found["customers"],
            "customer_share": _share(found["customers"]),
            "potential_total": inputs.unit.shown(found["potential_cents"]),
            "potential_share": _share(found["potential_cents"]),
            "year_revenue": inputs.unit.shown(found["year_cents"]),
            "year_revenue_share": _share(found["year_cents"]),
            **{column: found[column] for column in STAGE_COLUMNS.values()},
        }
    )


def _share(amounts: pd.Series) -> pd.Series:
    total = amounts.sum()
    return amounts / total if total > 0 else amounts * np.nan
