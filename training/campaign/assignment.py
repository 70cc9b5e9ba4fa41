"""The assignment of a campaign: the customers drawn to be contacted and those held out, read back and checked.

A measurement is valid only if the two lists still are the random draw. The reader refuses a campaign folder with
customers in both lists, customers listed twice, or groups whose sizes cannot have come from the plan. Training
reads the same assignment to leave contacted customers out of its labels.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from features.language import translated
from features.log.identity import read_ids
from features.log.sources import read_table
from training.campaign.holdout import sample_ratio_p_value
from training.campaign.record import PLAN, CampaignError, CampaignRecord, Counts, Erased, read_record
from training.campaign.running import RunningCampaign
from training.offers.offers import Offer

CONTACT_LIST, HOLDOUT_LIST = "list.csv", "holdout.csv"
MISMATCH = 0.001
LIST_COLUMNS = (
    "customer_id",
    "offer",
    "channel",
    "churn_probability",
    "value_at_stake",
    "expected_profit",
    "break_even_probability",
    "probability_of_profit",
    "reasons",
    "value_tier",
    "expected_cost",
    "greatest_cost",
    "incentive_cost",
    "expected_spend",
    "expected_value",
    "value_of_resumption",
    "stratum",
    "silent_days",
    "purpose",
)
"""Columns of both lists, in this order; those that are read back are checked."""

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
_LATER = ("value_of_resumption", "silent_days", "purpose")  # not in the lists of earlier releases


_READ = ["customer_id", "offer", "value_tier", *NUMBERS, *_LATER]


@dataclass(frozen=True)
class Assignment:
    """The customers chosen by a plan, and the group each was drawn into.

    Parameters
    ----------
    customers : DataFrame, one row per customer: customer_id, contacted (bool), offer, value_tier, and the
        numbers known at planning time (churn_probability, value_at_stake, incentive_cost, stratum, silent_days …);
        purpose, "explore" for customers drawn to learn from
    record : CampaignRecord, the plan as it was made
    notes : tuple of str, warnings about how the assignment was kept
    """

    customers: pd.DataFrame
    record: CampaignRecord
    notes: tuple[str, ...] = ()

    @property
    def offers(self) -> dict[str, Offer]:
        """The plan's offers by name."""
        return {offer.name: offer for offer in self.record.offers}

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
    record = read_record(folder / PLAN)
    contacted, held_out = (_read_list(folder / name) for name in (CONTACT_LIST, HOLDOUT_LIST))
    return assignment_of(contacted, held_out, record)


def assignment_of(contacted: pd.DataFrame, held_out: pd.DataFrame, record: CampaignRecord) -> Assignment:
    """Return the assignment of two groups, wherever they were kept, after checking that the draw was.

    Parameters
    ----------
    contacted, held_out : DataFrame with the columns of `Assignment.customers` but ``contacted``
    record : CampaignRecord

    Raises
    ------
    CampaignError
        As `read_assignment`.
    """
    lists = [contacted[_READ].assign(contacted=True), held_out[_READ].assign(contacted=False)]
    customers = pd.concat([each for each in lists if len(each)] or lists, ignore_index=True)
    _require_one_group(customers)
    notes = _require_the_draw(customers, record.counts, record.erased)
    return Assignment(customers, record, tuple(notes))


def read_running(campaign: str | Path) -> RunningCampaign:
    """Read whom a campaign contacts and holds out, for the plan of another.

    The lists are taken as they are: a campaign that can no longer be measured is still running.

    Raises
    ------
    CampaignError
        If a file is missing or damaged.
    """
    folder = Path(campaign)
    record = read_record(folder / PLAN)
    contacted, held_out = (_read_ids(folder / name) for name in (CONTACT_LIST, HOLDOUT_LIST))
    name = os.path.relpath(folder)
    return RunningCampaign(name, record.starts_on, record.closes_on, record.held_until, contacted, held_out)


def _read_ids(path: Path) -> frozenset[str]:
    try:
        ids = read_ids(read_table(path)["customer_id"]).to_pylist()
    except (ValueError, KeyError) as error:
        raise CampaignError(
            translated(
                "{path} is not the list that 'stayworth plan' wrote: {value}. Give the folder as it "
                "wrote it.",
                path=path,
                value=str(error).rstrip("."),
            )
        ) from None
    return frozenset(each for each in ids if each)


def _read_list(path: Path) -> pd.DataFrame:
    try:
        frame = read_table(path)  # a spreadsheet may have saved it again, with its own separator
        numbers = {column: _numbers(frame[column]) for column in NUMBERS}
        frame = frame.assign(**numbers).astype({"stratum": np.int64})
        frame = frame.reindex(columns=_READ, fill_value="")
        return frame.assign(**{name: _numbers(frame[name]) for name in _LATER if name != "purpose"})
    except (ValueError, KeyError) as error:
        raise CampaignError(
            translated(
                "{path} is not the list that 'stayworth plan' wrote: {value}. Give the folder as it "
                "wrote it.",
                path=path,
                value=str(error).rstrip("."),
            )
        ) from None


def _numbers(column: pd.Series) -> pd.Series:
    """Read a column of numbers; an empty cell is NaN."""
    read = pd.to_numeric(column.replace("", "nan"), errors="coerce")
    odd = column[read.isna() & ~column.isin(["", "nan"])]
    if len(odd):
        raise ValueError(
            translated(
                "column {name!r} holds {cell!r}, which is no number", name=column.name, cell=odd.iloc[0]
            )
        )
    return read


def _require_one_group(customers: pd.DataFrame) -> None:
    groups = customers.groupby("customer_id")["contacted"].agg(["nunique", "size"])
    both, twice = groups.index[groups["nunique"] > 1], groups.index[groups["size"] > 1]
    if len(both):
        raise CampaignError(
            translated(
                "{n} customers are both in {contact_list} and in {holdout_list}, e.g. {value}. A "
                "held-out customer must not be contacted; without a clean holdout the effect can't be "
                "measured.",
                n=len(both),
                contact_list=CONTACT_LIST,
                holdout_list=HOLDOUT_LIST,
                value=_some(both),
            )
        )
    if len(twice):
        raise CampaignError(
            translated(
                "{n} customers are listed more than once, e.g. {value}.", n=len(twice), value=_some(twice)
            )
        )


def _some(ids: pd.Index) -> str:
    return ", ".join(map(str, ids[:3]))


def _require_the_draw(customers: pd.DataFrame, drawn: Counts, erased: Erased) -> list[str]:
    """Compare the groups' sizes with the draw: refuse a mismatch that chance can't explain, note any other."""
    planned = {True: drawn.contacted - erased.contacted, False: drawn.held_out - erased.held_out}
    found = {arm: int((customers["contacted"] == arm).sum()) for arm in (True, False)}
    if not planned[False]:
        raise CampaignError(
            translated(
                "This campaign was planned without a holdout, so its effect can't be measured. Plan the "
                "next one with --holdout 0.1."
            )
        )
    share = planned[False] / (planned[False] + planned[True])
    if sample_ratio_p_value(found[True], found[False], share) < MISMATCH:
        raise CampaignError(
            translated(
                "The plan drew {drawn:customer|customers} to contact and {drawn_out:,} to hold out; the lists "
                "now have {example_3:,} and {example_4:,}. Chance does not explain that: customers got "
                "lost or were moved after the draw, and the groups are no longer comparable. Restore the "
                "lists as they were written.",
                drawn=planned[True],
                drawn_out=planned[False],
                example_3=found[True],
                example_4=found[False],
            )
        )
    if found == planned:
        return []
    return [
        translated(
            "The lists have {contacted:,} contacted and {held_out:,} held-out customers, the plan drew "
            "{drawn:,} and {drawn_out:,}. Every customer drawn counts, reached or not: restore them, "
            "also those who have opted out since. Who asks to be forgotten: stayworth forget ID --in "
            "FOLDER.",
            contacted=found[True],
            held_out=found[False],
            drawn=planned[True],
            drawn_out=planned[False],
        )
    ]
