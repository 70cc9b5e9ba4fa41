"""What a measurement leaves behind: measured.csv, measured.json and offers.updated.toml."""

from __future__ import annotations

import json
import os
from pathlib import Path

from features.files import atomic_path
from serving.lists.export import write_table
from training.campaign.effect import Effect
from training.campaign.measurement import Measurement
from training.offers.offers import write_offers

UPDATED_OFFERS = "offers.updated.toml"


def write_findings(found: Measurement, folder: str | os.PathLike[str]) -> None:
    """Write every effect, the money, and the offers with what the campaign taught, each file whole or not at all.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    target = Path(folder)
    write_table(found.table(), target / "measured.csv")
    text = json.dumps(findings_record(found), indent=2, ensure_ascii=False)
    with atomic_path(target / "measured.json") as beside:
        beside.write_text(text + "\n", encoding="utf-8")
    write_offers(found.offers, target / UPDATED_OFFERS)


def findings_record(found: Measurement) -> dict[str, object]:
    """Return the findings as plain values: verdict, primary measure, money, acceptance rates, notes."""
    rate = found.return_on_cost
    return {
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "verdict": found.verdict(),
        "primary_measure": found.primary_measure,
        "primary": _effect(found.primary),
        "cost": found.cost,
        "incremental_profit": _effect(found.incremental_profit),
        "return_on_cost": None if rate is None else _effect(rate),
        "acceptance": {
            name: {
                "before": update.prior.model_dump(),
                "after": update.posterior.model_dump(),
                "warning": update.warning,
            }
            for name, update in found.updates.items()
        },
        "notes": list(found.notes),
    }


def _effect(found: Effect) -> dict[str, float]:
    return {
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "confidence": found.confidence,
    }
