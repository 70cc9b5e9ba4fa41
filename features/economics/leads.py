"""Leads: who may become a customer, from ``leads.csv``.

Its columns are lead_id, created_at, channel, qualified, customer_id and converted_at. A lead is converted by
``converted_at``, else by the first purchase of its customer. Conversion counts within the inactivity window after the
creation, so that old and new leads are compared alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import pyarrow as pa

from features.economics.acquisition import Spend
from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.economics.optional_files import PLAIN_RULES, OptionalFile
from features.economics.segments import EVERYONE, UNKNOWN
from features.language import translatable
from features.log.answers import NO, YES
from features.log.identity import read_ids
from features.log.settings import LogRules

_LEADS = """SELECT {channel} AS channel, calendar.period AS period, count(*) AS leads,
  count(*) FILTER (WHERE qualified) AS qualified,
  count(*) FILTER (WHERE coalesce(converted, first_day) - created BETWEEN 0 AND {window}) AS converted
FROM leads
JOIN calendar ON calendar.day = leads.created
LEFT JOIN customers ON customers.customer_id = leads.customer_id
WHERE calendar.period < {periods}
GROUP BY 1, 2"""


@dataclass(frozen=True)
class Leads:
    """Leads, one row each.

    Attributes
    ----------
    table : pyarrow.Table
        channel, created and converted (days since 1970-01-01, the second may be null), qualified (bool or null),
        customer_id (or null)
    """

    table: pa.Table

    @classmethod
    def read(
        cls, path: str | Path, rules: LogRules = PLAIN_RULES, aliases: dict[str, str] | None = None
    ) -> Self:
        """Read leads; only ``lead_id`` and ``created_at`` are required.

        Raises
        ------
        StayworthError
            If the file cannot be read, a lead stands twice, or is converted before it was created.
        """
        file = OptionalFile(path, ["lead_id", "created_at"], rules)
        twice = pd.Series(file.ids("lead_id")).duplicated().to_numpy()
        file.refuse(
            twice, translatable("repeat a lead"), "lead_id", remedy=translatable("Keep one row for each")
        )
        created = file.days("created_at")
        none = pa.nulls(len(file), pa.int32())
        converted = file.optional_days("converted_at") if file.has("converted_at") else none
        early = pd.Series(converted.to_pandas() < created).fillna(False).to_numpy(dtype=bool)
        if early.any():
            file.refuse(
                early, translatable("are converted before they were created"), "created_at", "converted_at"
            )
        blank: list[str | None] = [None] * len(file)
        channels = file.texts("channel") if file.has("channel") else blank
        ids = (
            read_ids(file.table["customer_id"], rules.fold_ids).to_pylist()
            if file.has("customer_id")
            else blank
        )
        return cls(
            pa.table(
                {
                    "channel": pa.array([channel or UNKNOWN for channel in channels], pa.string()),
                    "created": pa.array(created, pa.int32()),
                    "converted": converted,
                    "qualified": pa.array(_qualified(file), pa.bool_()),
                    "customer_id": pa.array(
                        [(aliases or {}).get(each or "", each) for each in ids], pa.string()
                    ),
                }
            )
        )


def _qualified(file: OptionalFile) -> list[bool | None]:
    if not file.has("qualified"):
        return [None] * len(file)
    written = [None if each is None else each.lower() for each in file.texts("qualified")]
    wrong = np.array([each is not None and each not in YES + NO for each in written], dtype=bool)
    file.refuse(wrong, translatable("have a word in qualified that is neither yes nor no"), "qualified")
    return [None if each is None else each in YES for each in written]


def lead_results(facts: Facts, leads: Leads, spend: Spend | None, unit: MoneyUnit) -> pd.DataFrame:
    """Return the leads of each channel and period of creation, what each cost, and how many became customers.

    Returns
    -------
    DataFrame, a row for each channel and period with leads, and for `EVERYONE`
        channel, period (number), leads, qualified, converted, conversion_rate, conversion_rate_provisional (bool),
        cost_per_lead (money; empty without spend)
    """
    facts.engine.register("leads", leads.table)
    terms = {"window": facts.inactivity_days, "periods": len(facts.periods)}
    parts = [facts.query(_LEADS.format(channel=name, **terms)) for name in (f"'{EVERYONE}'", "channel")]
    found = pd.concat(parts, ignore_index=True)
    found["cents"] = np.nan
    if spend is not None:
        cents = spend.by_period(facts.periods).drop(columns="outside")
        cents.loc[EVERYONE] = cents.sum()
        long = cents.melt(ignore_index=False, var_name="period", value_name="cents").reset_index()
        found = found.drop(columns="cents").merge(
            long.astype({"period": int}), "left", on=["channel", "period"]
        )
    found = found.assign(part=found["channel"] != EVERYONE).sort_values(
        ["part", "channel", "period"], ignore_index=True
    )
    waiting = facts.periods.waiting(facts.inactivity_days)
    return pd.DataFrame(
        {
            **{name: found[name] for name in ("channel", "period", "leads", "qualified", "converted")},
            "conversion_rate": found["converted"] / found["leads"],
            "conversion_rate_provisional": waiting[found["period"].to_numpy(int)],
            "cost_per_lead": unit.shown(found["cents"].astype(float) / found["leads"]),
        }
    )
