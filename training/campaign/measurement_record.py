"""The record of a measured campaign, ``measured.json``: its one definition, with writer and reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from features.files import atomic_path
from training.campaign.acceptance import AcceptanceUpdate
from training.campaign.effect import Effect
from training.campaign.measurement import Measurement
from training.campaign.resumption_learning import LearnedResumption
from training.campaign.settings import Measure
from training.offers.offers import BetaPrior


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EffectRecord(_Part):
    """A difference between contacted and holdout, with the interval that holds it at this confidence."""

    difference: float
    low: float
    high: float
    confidence: float

    @classmethod
    def of(cls, found: Effect) -> Self:
        """Return the record of an effect."""
        return cls(difference=found.difference, low=found.low, high=found.high, confidence=found.confidence)


class AcceptanceRecord(_Part):
    """An offer's acceptance rate before and after the campaign; a warning where it was not updated."""

    before: BetaPrior
    after: BetaPrior
    warning: str | None

    @classmethod
    def of(cls, update: AcceptanceUpdate) -> Self:
        """Return the record of an update."""
        return cls(before=update.prior, after=update.posterior, warning=update.warning)


class PowerRecord(_Part):
    """Customers that the effect which the plan expected takes to be found."""

    measure: str
    expected: float
    customers: int
    power: float


class ResumptionRecord(_Part):
    """What the time after the churn window showed of the resumption; low and high are None where none fits."""

    days: int
    margin: EffectRecord
    promised_once: float
    promised_on: float
    estimate: float
    low: float | None
    high: float | None
    assumed: float | None

    @classmethod
    def of(cls, found: LearnedResumption) -> Self:
        """Return the record of a learnt resumption."""
        low, high = (found.low, found.high) if found.fits else (None, None)
        return cls(**{**asdict(found), "margin": EffectRecord.of(found.margin), "low": low, "high": high})


class MeasurementRecord(_Part):
    """Everything that ``measured.json`` says of a campaign's effect; money over ``[start, end)``.

    Where ``complete`` is false the churn window was open, and the intervals hold at every look together.
    """

    format: Literal[1] = 1
    start: date
    end: date
    verdict: str
    primary_measure: Measure
    primary: EffectRecord
    cost: float
    incremental_profit: EffectRecord
    return_on_cost: EffectRecord | None
    acceptance: dict[str, AcceptanceRecord]
    notes: tuple[str, ...]
    complete: bool = True
    power: tuple[PowerRecord, ...] = ()
    resumption: ResumptionRecord | None = None

    @classmethod
    def of(cls, found: Measurement) -> Self:
        """Return the record of a measurement."""
        rate = found.return_on_cost
        return cls(
            start=found.start,
            end=found.end,
            verdict=found.verdict(),
            primary_measure=found.primary_measure,
            primary=EffectRecord.of(found.primary),
            cost=found.cost,
            incremental_profit=EffectRecord.of(found.incremental_profit),
            return_on_cost=None if rate is None else EffectRecord.of(rate),
            acceptance={name: AcceptanceRecord.of(update) for name, update in found.updates.items()},
            notes=found.notes,
            complete=found.complete,
            power=tuple(PowerRecord(**asdict(each)) for each in found.power),
            resumption=None if found.resumption is None else ResumptionRecord.of(found.resumption),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the record in JSON's types."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Make a record from `to_dict`'s values; a file of before the format number is of format 1.

        Raises
        ------
        ValueError
            If a value is missing or wrong.
        """
        return cls.model_validate(raw)


def write_measurement(record: MeasurementRecord, path: Path) -> None:
    """Write a record as JSON, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    text = json.dumps(record.to_dict(), indent=2, ensure_ascii=False)
    with atomic_path(path) as beside:
        beside.write_text(text + "\n", encoding="utf-8")
