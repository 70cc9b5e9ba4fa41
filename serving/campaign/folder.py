"""A campaign on disk: the lists, the plan and its summary, as one folder that appears whole or not at all."""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import OutputError
from serving.campaign.summary import render_summary
from serving.lists.export import write_table
from training.campaign.assignment import CONTACT_LIST, HOLDOUT_LIST, PLAN
from training.campaign.plan import CampaignPlan
from training.campaign.settings import PlanTerms

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
    "stratum",
)
REST_COLUMNS = (
    "customer_id",
    "reason",
    "best_offer",
    "expected_profit",
    "churn_probability",
    "value_at_stake",
)


def write_campaign(
    plan: CampaignPlan,
    folder: str | os.PathLike[str],
    *,
    xlsx: bool = False,
    excel: bool = False,
    inputs: dict[str, Any] | None = None,
) -> Path:
    """Write list.csv, holdout.csv, not_selected.csv, plan.json and summary.html into a new folder.

    Parameters
    ----------
    plan : CampaignPlan
    folder : path that does not exist yet; a plan is never overwritten, for its draw must be kept
    xlsx : bool, write list.xlsx too
    excel : bool, begin the CSV files with a byte order mark
    inputs : where the plan came from, kept in plan.json

    Returns
    -------
    pathlib.Path of the folder

    Raises
    ------
    OutputError
        If the folder exists, or cannot be written; then nothing is left behind.
    """
    target = Path(folder)
    require_new(target)
    beside = target.parent / f".{target.name}.{secrets.token_hex(4)}"
    try:
        beside.mkdir()
        _write(plan, beside, xlsx=xlsx, excel=excel, inputs=inputs or {})
        beside.rename(target)
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return target


def require_new(folder: str | os.PathLike[str]) -> None:
    """Raise an OutputError if a folder of that name can't be made."""
    target = Path(folder)
    if target.exists():
        raise OutputError(
            f"{target} exists already. A plan is never overwritten, for its draw must be kept: choose "
            "another folder."
        )
    if not target.resolve().parent.is_dir():
        raise OutputError(f"Cannot write {target}: the folder {target.resolve().parent} does not exist.")


def _write(plan: CampaignPlan, folder: Path, *, xlsx: bool, excel: bool, inputs: dict[str, Any]) -> None:
    contacted = plan.contacted[list(LIST_COLUMNS)]
    write_table(contacted, folder / CONTACT_LIST, excel=excel)
    if xlsx:
        write_table(contacted, folder / "list.xlsx")
    write_table(plan.held_out[list(LIST_COLUMNS)], folder / HOLDOUT_LIST, excel=excel)
    write_table(plan.not_selected[list(REST_COLUMNS)], folder / "not_selected.csv", excel=excel)
    record = plan_record(plan, inputs)
    (folder / PLAN).write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "summary.html").write_text(render_summary(plan), encoding="utf-8")


def plan_record(plan: CampaignPlan, inputs: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return all that plan.json holds: inputs, terms, prices of the limits, expectations, the experiment."""
    chosen, low_high = plan.chosen, plan.profit_interval()
    strata = chosen.groupby(["stratum", "offer"])["held_out"].agg(["size", "sum"]).reset_index()
    return {
        "format": 1,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": inputs or {},
        "snapshot_date": str(plan.customers["snapshot_date"].iloc[0])[:10],
        "model_version": str(plan.customers["model_version"].iloc[0]),
        "starts_on": plan.starts_on.isoformat(),
        "horizon_days": plan.terms.horizon_days,
        "offers": [offer.model_dump(mode="json", exclude_none=True) for offer in plan.offers],
        "terms": _terms(plan),
        "counts": {
            "scored": len(plan.customers),
            "chosen": len(chosen),
            "contacted": len(plan.contacted),
            "held_out": len(plan.held_out),
            "not_selected": _counts(plan.not_selected["reason"]),
            "by_offer": _counts(plan.contacted["offer"]),
        },
        "allocation": {
            "lambda": plan.allocation.budget_price,
            "headcount_price": plan.allocation.headcount_price,
            "capacity_prices": dict(
                zip((offer.name for offer in plan.offers), plan.allocation.capacity_prices, strict=True)
            ),
            "gap": plan.allocation.gap,
        },
        "expected": {
            "cost": plan.expected_cost,
            "greatest_cost": plan.greatest_cost,
            "profit": plan.expected_profit,
            "profit_low": low_high[0],
            "profit_high": low_high[1],
        },
        "experiment": {
            "primary_measure": plan.terms.primary_measure,
            "holdout_share": plan.holdout_share,
            "power": plan.terms.power,
            "seed": plan.terms.seed,
            "expected_stay_rate": plan.stay_rate,
            "expected_effect": plan.expected_effect,
            "minimum_detectable_effect": (
                plan.detectable_effect if math.isfinite(plan.detectable_effect) else None
            ),
            "strata": [
                {"stratum": int(s), "offer": offer, "chosen": int(size), "held_out": int(held)}
                for s, offer, size, held in strata.itertuples(index=False)
            ],
        },
    }


def _terms(plan: CampaignPlan) -> dict[str, Any]:
    return plan.terms.model_dump(mode="json", include=set(PlanTerms.model_fields))


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in column.value_counts().items()}
