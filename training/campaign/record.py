"""The record of a planned campaign, ``plan.json``: its one definition, with writer and reader.

Measuring reads from it when the campaign started, for how long it is followed, what the offers were and how many
customers were drawn into each group; training reads which orders may be due to the campaign.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.documents import read_json
from features.errors import StayworthError
from features.invalid import why
from features.language import translated
from training.campaign.plan import CampaignPlan
from training.campaign.resumption import RESUMPTIONS
from training.campaign.settings import Measure, PlanTerms
from training.offers.offers import Offer

PLAN = "plan.json"


class CampaignError(StayworthError):
    """A campaign folder cannot be used, or its assignment was not kept."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputFile(_Part):
    """A file that the plan was made from: its name and the SHA-256 of its content; of a folder, that of all in it."""

    file: str
    sha256: str


class Counts(_Part):
    """Numbers of customers; ``not_selected`` by reason, ``by_offer`` and ``explorers`` of the contacted."""

    scored: int
    chosen: int
    contacted: int
    held_out: int
    explorers: int = 0
    not_selected: dict[str, int]
    by_offer: dict[str, int]


class Erased(_Part):
    """Numbers of customers whose rows were removed from the folder since, because they asked to be forgotten."""

    contacted: int = 0
    held_out: int = 0
    not_selected: int = 0


class ShadowPrices(_Part):
    """Profit that one more unit of each limit would bring, and the share of profit the plan may be missing."""

    budget_price: float
    headcount_price: float
    capacity_prices: dict[str, float]
    gap: float


class Expectation(_Part):
    """Expected cost and profit of the contacts, money; the profit with its 90% interval.

    ``profit_by_resumption`` is that of the same contacts at other resumptions, named as ``0.5``; empty where the
    scores do not state how much hangs on it.
    """

    cost: float
    greatest_cost: float
    profit: float
    profit_low: float
    profit_high: float
    profit_by_resumption: dict[str, float] = {}


class Stratum(_Part):
    """Customers chosen for one offer in one stratum of the draw, and how many of them are held out."""

    stratum: int
    offer: str
    chosen: int
    held_out: int


class Experiment(_Part):
    """The comparison that the campaign was planned for; None where no effect can be detected."""

    primary_measure: Measure
    holdout_share: float
    power: float
    seed: int
    expected_stay_rate: float
    expected_effect: float
    minimum_detectable_effect: float | None
    strata: tuple[Stratum, ...]


class CampaignRecord(_Part):
    """Everything that ``plan.json`` says of a planned campaign.

    ``horizon_days``, ``margin`` and ``costs`` are those of the scores: the churn window in days, the margin per unit of
    spend for a log of orders without margins, and what customers cost, of which values are net. ``currency`` is that
    of the scored list, where it names one. ``starts_on`` is the first day on which an order can be due to the
    campaign; ``running`` names the campaigns whose customers were left alone.
    """

    format: Literal[3] = 3
    created_at: datetime
    inputs: dict[str, InputFile] = {}
    snapshot_date: date
    model_version: str
    starts_on: date
    horizon_days: int = Field(ge=1)
    margin: float = Field(gt=0)
    dormant_after_days: int | None = None
    resumption: float | None = None
    costs: dict[str, float] = {}
    currency: str | None = None
    running: tuple[str, ...] = ()
    offers: tuple[Offer, ...]
    terms: PlanTerms
    counts: Counts
    erased: Erased = Erased()
    allocation: ShadowPrices
    expected: Expectation
    experiment: Experiment

    @property
    def closes_on(self) -> date:
        """First day after the churn window."""
        return self.starts_on + timedelta(days=self.horizon_days)

    @property
    def held_until(self) -> date:
        """First day on which another campaign may contact the holdout."""
        days = max(self.horizon_days, self.terms.hold_days or 0)
        return self.starts_on + timedelta(days=days)

    def to_dict(self) -> dict[str, Any]:
        """Return the record in JSON's types."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Make a record from `to_dict`'s values, or from those of the formats 1 and 2.

        Raises
        ------
        ValueError
            If the format is unknown, or a value is missing or wrong.
        """
        match raw.get("format"):
            case 1:
                raw = _from_format_2(_from_format_1(raw))
            case 2:
                raw = _from_format_2(raw)
            case 3:
                pass
            case other:
                raise ValueError(
                    translated(
                        "its format is {other!r}, and this release reads the formats 1 to 3", other=other
                    )
                )
        return cls.model_validate(raw)


def _from_format_1(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Translate format 1, which had horizon and margin among the terms and called the price of the budget lambda."""
    terms, prices = dict(raw["terms"]), dict(raw["allocation"])
    margin = terms.pop("margin")
    del terms["horizon_days"]
    prices["budget_price"] = prices.pop("lambda")
    return {**raw, "format": 2, "margin": margin, "terms": terms, "allocation": prices}


def _from_format_2(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Translate format 2, whose plans contacted the dormant as all others, and nobody to learn."""
    return {**raw, "format": 3, "terms": {**raw["terms"], "dormant": True, "explore": 0.0}}


def record_of(plan: CampaignPlan, inputs: Mapping[str, InputFile] | None = None) -> CampaignRecord:
    """Return the record of a plan made now, and of the files it was made from."""
    return CampaignRecord(
        created_at=datetime.now(UTC).replace(microsecond=0),
        inputs=dict(inputs or {}),
        snapshot_date=plan.snapshot_date,
        model_version=str(plan.known.customers["model_version"].iloc[0]),
        starts_on=plan.starts_on,
        horizon_days=plan.horizon_days,
        margin=plan.margin,
        dormant_after_days=plan.dormant_after_days,
        resumption=plan.resumption,
        costs=dict(plan.costs),
        currency=plan.currency,
        running=tuple(each.name for each in plan.running),
        offers=plan.offers,
        terms=PlanTerms.model_validate(plan.terms.model_dump(include=set(PlanTerms.model_fields))),
        counts=Counts(
            scored=len(plan.known.customers),
            chosen=len(plan.figures),
            contacted=len(plan.contacts),
            held_out=plan.n_held_out,
            explorers=len(plan.explorers),
            not_selected={str(reason): int(count) for reason, count in plan.reasons.items()},
            by_offer=_by_offer(plan),
        ),
        allocation=_shadow_prices(plan),
        expected=_expectation(plan),
        experiment=_experiment(plan),
    )


def _by_offer(plan: CampaignPlan) -> dict[str, int]:
    return {
        plan.offers[number].name: int(count)
        for number, count in plan.contacts["number"].value_counts().items()
    }


def _shadow_prices(plan: CampaignPlan) -> ShadowPrices:
    names = [offer.name for offer in plan.offers]
    return ShadowPrices(
        budget_price=plan.allocation.budget_price,
        headcount_price=plan.allocation.headcount_price,
        capacity_prices=dict(zip(names, plan.allocation.capacity_prices, strict=True)),
        gap=plan.allocation.gap,
    )


def _expectation(plan: CampaignPlan) -> Expectation:
    low, high = plan.profit_interval()
    return Expectation(
        cost=plan.expected_cost,
        greatest_cost=plan.greatest_cost,
        profit=plan.expected_profit,
        profit_low=low,
        profit_high=high,
        profit_by_resumption={f"{share:g}": plan.profit_at_resumption(share) for share in RESUMPTIONS}
        if plan.resumption is not None
        else {},
    )


def _experiment(plan: CampaignPlan) -> Experiment:
    strata = plan.figures.groupby(["stratum", "number"])["held_out"].agg(["size", "sum"]).reset_index()
    detectable = plan.detectable_effect
    return Experiment(
        primary_measure=plan.terms.primary_measure,
        holdout_share=plan.holdout_share,
        power=plan.terms.power,
        seed=plan.terms.seed,
        expected_stay_rate=plan.stay_rate,
        expected_effect=plan.expected_effect,
        minimum_detectable_effect=detectable if math.isfinite(detectable) else None,
        strata=tuple(
            Stratum(stratum=int(s), offer=plan.offers[int(n)].name, chosen=int(size), held_out=int(held))
            for s, n, size, held in strata.itertuples(index=False)
        ),
    )


def write_record(record: CampaignRecord, path: Path) -> None:
    """Write a record as JSON, for `read_record`."""
    text = json.dumps(record.to_dict(), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_record(path: Path) -> CampaignRecord:
    """Read the record of a plan, of this format or the one before.

    Raises
    ------
    CampaignError
        If the file is missing or damaged, or of a format that this release does not know.
    """
    try:
        return CampaignRecord.from_dict(read_json(path))
    except OSError as error:
        raise CampaignError(
            translated(
                "Can't read {path}: {reason}. Give the folder that 'stayworth plan' wrote.",
                path=path,
                reason=error.strerror,
            )
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise CampaignError(
            translated(
                "{path} is not a plan of 'stayworth plan': {where}: {why}.",
                path=path,
                where=where,
                why=why(first),
            )
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CampaignError(
            translated("{path} is not a plan of 'stayworth plan': {error}.", path=path, error=error)
        ) from None
