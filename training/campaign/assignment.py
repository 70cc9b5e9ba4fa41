"""The assignment of a campaign: who was drawn to be contacted and who was held out, read back and checked.

A measurement is only as good as the draw it compares. This reader refuses a campaign folder whose lists no
longer are the draw: customers in both groups, customers twice, or groups whose sizes cannot have come from
the plan. Training reads the same assignment to keep treated customers out of its labels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import StayworthError
from features.log.sources import read_table
from training.campaign.holdout import sample_ratio_p_value
from training.offers.offers import Offer

CONTACT_LIST, HOLDOUT_LIST, PLAN = "list.csv", "holdout.csv", "plan.json"
MISMATCH = 0.001
NUMBERS = (
    "churn_probability",
    "value_at_stake",
    "expected_spend",
    "expected_value",
    "expected_profit",
    "expected_cost",
    "incentive_cost",
    "stratum",
)


class CampaignError(StayworthError):
    """A campaign folder cannot be used, or its assignment was not kept."""


@dataclass(frozen=True)
class Assignment:
    """Everyone whom a plan chose, and the group they were drawn into.

    Parameters
    ----------
    customers : DataFrame, one row per customer: customer_id, contacted (bool), offer, value_tier, and the
        numbers known at planning time (churn_probability, value_at_stake, incentive_cost, stratum …)
    plan : dict, the content of plan.json
    notes : tuple of str, what a reader should know about how the assignment was kept
    """

    customers: pd.DataFrame
    plan: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def starts_on(self) -> date:
        """First day on which an order can be the campaign's doing."""
        return date.fromisoformat(self.plan["starts_on"])

    @property
    def horizon_days(self) -> int:
        """Length of the churn window that the scores are about."""
        return int(self.plan["horizon_days"])

    @property
    def offers(self) -> dict[str, Offer]:
        """The plan's offers by name."""
        return {offer["name"]: Offer.model_validate(offer) for offer in self.plan["offers"]}

    def contacted(self) -> set[str]:
        """Ids of the customers drawn to be contacted."""
        return set(self.customers.loc[self.customers["contacted"], "customer_id"])


def read_assignment(campaign: str | Path) -> Assignment:
    """Read a campaign folder written by ``stayworth plan``, and check that the draw was kept.

    Raises
    ------
    CampaignError
        If a file is missing or damaged, a customer is in both groups or twice in one, or the sizes of the
        groups are not those of the draw (sample-ratio mismatch, p < .001).
    """
    folder = Path(campaign)
    plan = _read_plan(folder / PLAN)
    lists = []
    for name, contacted in ((CONTACT_LIST, True), (HOLDOUT_LIST, False)):
        lists.append(_read_list(folder / name).assign(contacted=contacted))
    customers = pd.concat(lists, ignore_index=True)
    _require_one_group(customers)
    notes = _require_the_draw(customers, plan)
    return Assignment(customers, plan, tuple(notes))


def _read_plan(path: Path) -> dict[str, Any]:
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        for key in ("starts_on", "horizon_days", "offers", "experiment", "counts"):
            plan[key]
    except OSError as error:
        raise CampaignError(
            f"Can't read {path}: {error.strerror}. Give the folder that 'stayworth plan' wrote."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise CampaignError(f"{path} is not a plan of 'stayworth plan': {error}.") from None
    return dict(plan)


def _read_list(path: Path) -> pd.DataFrame:
    try:
        frame = read_table(path)  # a spreadsheet may have saved it again, with its own separator
        numbers = {column: _numbers(frame[column], path) for column in NUMBERS}
        frame = frame.assign(**numbers).astype({"stratum": np.int64})
        return frame[["customer_id", "offer", "value_tier", *NUMBERS]]
    except (ValueError, KeyError) as error:
        raise CampaignError(
            f"{path} is not the list that 'stayworth plan' wrote: {str(error).rstrip('.')}. "
            "Give the folder as it wrote it."
        ) from None


def _numbers(column: pd.Series, path: Path) -> pd.Series:
    """Read a column of numbers; an empty cell is NaN."""
    read = pd.to_numeric(column.replace("", "nan"), errors="coerce")
    odd = column[read.isna() & ~column.isin(["", "nan"])]
    if len(odd):
        raise ValueError(f"column {column.name!r} holds {odd.iloc[0]!r}, which is no number")
    return read


def _require_one_group(customers: pd.DataFrame) -> None:
    groups = customers.groupby("customer_id")["contacted"].agg(["nunique", "size"])
    both, twice = groups.index[groups["nunique"] > 1], groups.index[groups["size"] > 1]
    if len(both):
        raise CampaignError(
            f"{len(both)} customers are both in {CONTACT_LIST} and in {HOLDOUT_LIST}, e.g. {_some(both)}. A "
            "held-out customer must not be contacted; without a clean holdout the effect can't be measured."
        )
    if len(twice):
        raise CampaignError(f"{len(twice)} customers are listed more than once, e.g. {_some(twice)}.")


def _some(ids: pd.Index) -> str:
    return ", ".join(map(str, ids[:3]))


def _require_the_draw(customers: pd.DataFrame, plan: dict[str, Any]) -> list[str]:
    """Compare the groups with the draw: refuse what chance can't explain, note what was merely changed."""
    drawn = plan["counts"]
    planned = {True: int(drawn["contacted"]), False: int(drawn["held_out"])}
    found = {arm: int((customers["contacted"] == arm).sum()) for arm in (True, False)}
    if not planned[False]:
        raise CampaignError(
            "This campaign was planned without a holdout, so nothing tells what its contacts did. "
            "Plan the next one with --holdout 0.1."
        )
    share = planned[False] / (planned[False] + planned[True])
    if sample_ratio_p_value(found[True], found[False], share) < MISMATCH:
        raise CampaignError(
            f"The plan drew {planned[True]:,} customers to contact and {planned[False]:,} to hold out; the "
            f"lists now have {found[True]:,} and {found[False]:,}. Chance does not explain that: customers "
            "got lost or were moved after the draw, and the groups are no longer comparable. Restore the "
            "lists as they were written."
        )
    if found == planned:
        return []
    return [
        f"The lists have {found[True]:,} contacted and {found[False]:,} held-out customers, the plan drew "
        f"{planned[True]:,} and {planned[False]:,}. Whoever was drawn counts, reached or not: restore them."
    ]
