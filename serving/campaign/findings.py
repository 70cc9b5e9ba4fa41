"""What a measurement leaves behind: measured.csv, measured.json and offers.updated.toml."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from features.files import atomic_path
from serving.lists.export import write_table
from training.campaign.effect import Effect
from training.campaign.measurement import Measurement
from training.offers.retention import Offer

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


def write_offers(offers: Sequence[Offer], path: str | os.PathLike[str]) -> None:
    """Write offers as ``[[offers]]`` tables, to be read by :func:`training.offers.retention.read_offers`.

    Examples
    --------
    >>> import tempfile
    >>> from training.offers.retention import read_offers
    >>> path = Path(tempfile.mkdtemp()) / "offers.toml"
    >>> offers = [Offer(name="voucher", incentive_cost=10, acceptance_rate=0.3)]
    >>> write_offers(offers, path)
    >>> read_offers(path) == offers
    True
    """
    tables = (offer.model_dump(mode="json", exclude_none=True) for offer in offers)
    text = "\n".join("[[offers]]\n" + "".join(f"{k} = {_toml(v)}\n" for k, v in t.items()) for t in tables)
    with atomic_path(path) as beside:
        beside.write_text(text, encoding="utf-8")


def _toml(value: object) -> str:
    """Write a text, number, truth value or flat table; all but the table as JSON does."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
