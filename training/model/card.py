"""Training card: the record of the training run behind a version, kept in ``model.json``.

Everything that is read later (the service's ``/model``, monitoring, promotion, the model card's page) is read from
these fields; `TrainingCard.to_dict` and `TrainingCard.from_dict` are the only code that knows the names in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from features.language import translated
from features.snapshot import Snapshot
from training.churn.calibration import Calibrator
from training.churn.recipe import Recipe
from training.model.log_summary import LogSummary
from training.reference.reference import Reference

FORMAT = 1
"""Raised when a field changes its meaning or goes; a field that is added has a default in `from_dict`."""


@dataclass(frozen=True)
class EvaluationSummary:
    """Result of the training procedure on the held-out test snapshot.

    Parameters
    ----------
    snapshot : Snapshot
    winner : str
        The racer with the lowest log-loss, the simpler one on a tie.
    metrics : dict of name to float
        Those that are defined.
    """

    snapshot: Snapshot
    winner: str
    metrics: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON."""
        return {"snapshot_date": str(self.snapshot), "winner": self.winner, "metrics": self.metrics}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> EvaluationSummary:
        """Read what `to_dict` wrote."""
        return cls(Snapshot.parse(record["snapshot_date"]), record["winner"], dict(record["metrics"]))


@dataclass(frozen=True)
class TrainingCard:
    """Record of a training run.

    Parameters
    ----------
    release : str
        Of stayworth.
    trained_at : datetime, UTC
    snapshot : Snapshot
        The newest that the version knows: the day after the log's last order.
    horizon_days, value_horizon_days, dormant_after_days : int
    log : LogSummary
    snapshots : tuple of Snapshot
        Closed ones, which the deployed models were fitted on.
    snapshot_limit : int
        Most snapshots to learn from, as set.
    test : EvaluationSummary
        Of a fit on what the test snapshot knew.
    recipe : Recipe
        Chosen on every closed window.
    judged_recipe : Recipe or None
        Chosen on what the test snapshot knew; None where it is not known.
    notes : tuple of str
        What to know about the fit.
    features : tuple of str
    contacted_left_out : int or None
        Labelled customers left out for a campaign; None without campaigns.
    reference : Reference or None
        What monitoring compares with; None before it is built.
    """

    release: str
    trained_at: datetime
    snapshot: Snapshot
    horizon_days: int
    value_horizon_days: int
    dormant_after_days: int
    log: LogSummary
    snapshots: tuple[Snapshot, ...]
    snapshot_limit: int
    test: EvaluationSummary
    recipe: Recipe
    notes: tuple[str, ...]
    features: tuple[str, ...]
    judged_recipe: Recipe | None = None
    contacted_left_out: int | None = None
    reference: Reference | None = None

    def recipe_for(self, snapshot: Snapshot) -> Recipe:
        """Return the recipe to judge at a snapshot: the one that was chosen without its window, if there is one."""
        if self.judged_recipe is None or snapshot not in self.snapshots:
            return self.recipe
        return self.judged_recipe

    def to_dict(self) -> dict[str, Any]:
        """Return the record, ready for JSON; all but the calibrator's numbers, which the model keeps."""
        record = {
            "format": FORMAT,
            "release": self.release,
            "trained_at": self.trained_at.isoformat(timespec="seconds"),
            "snapshot_date": str(self.snapshot),
            "horizon_days": self.horizon_days,
            "value_horizon_days": self.value_horizon_days,
            "dormant_after_days": self.dormant_after_days,
            "log": self.log.to_dict(),
            "snapshots": [str(snapshot) for snapshot in self.snapshots],
            "snapshot_limit": self.snapshot_limit,
            "test": self.test.to_dict(),
            "recipe": self.recipe.to_dict(),
            "notes": list(self.notes),
            "features": list(self.features),
        }
        if self.judged_recipe is not None:
            calibrator = self.judged_recipe.calibrator.to_dict()
            record["judged_recipe"] = self.judged_recipe.to_dict() | {"calibrator": calibrator}
        if self.contacted_left_out is not None:
            record["contacted_left_out"] = self.contacted_left_out
        if self.reference is not None:
            record["reference"] = self.reference.to_dict()
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any], calibrator: Calibrator) -> TrainingCard:
        """Read what `to_dict` wrote.

        Parameters
        ----------
        record : mapping
            Without a format number it is of the first one.
        calibrator : Calibrator
            The recipe's, which the model keeps.

        Raises
        ------
        ValueError
            If a field is missing or cannot be read, or another release wrote the record in another format.
        """
        if record.get("format", FORMAT) != FORMAT:
            raise ValueError(
                translated(
                    "its training card has format {found}, this release reads {format}",
                    found=record["format"],
                    format=FORMAT,
                )
            )
        try:
            return cls(
                release=record["release"],
                trained_at=_utc(record["trained_at"]),
                snapshot=Snapshot.parse(record["snapshot_date"]),
                horizon_days=record["horizon_days"],
                value_horizon_days=record["value_horizon_days"],
                dormant_after_days=record["dormant_after_days"],
                log=LogSummary.from_dict(record["log"]),
                snapshots=tuple(map(Snapshot.parse, record["snapshots"])),
                snapshot_limit=record["snapshot_limit"],
                test=EvaluationSummary.from_dict(record["test"]),
                recipe=Recipe.from_dict(record["recipe"], calibrator),
                notes=tuple(record["notes"]),
                features=tuple(record["features"]),
                judged_recipe=_judged(record.get("judged_recipe")),
                contacted_left_out=record.get("contacted_left_out"),
                reference=Reference.from_dict(record["reference"]) if "reference" in record else None,
            )
        except KeyError as error:
            raise ValueError(translated("its training card lacks {name!r}", name=error.args[0])) from error


def _judged(record: Mapping[str, Any] | None) -> Recipe | None:
    return None if record is None else Recipe.from_dict(record, Calibrator.from_dict(record["calibrator"]))


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
