"""Recipe of the churn and spend models: the choices that rolling validation makes, and how they are fitted.

Each of the newest closed snapshots is predicted by a model trained only on windows that had closed by its date.
On these predictions are chosen, in this order: the residual's form (free or monotone) and its number of trees, 0
included; the files beside the log that it learns from; the calibrator; the rules for the level of churn and of money
per purchase, over all closed windows. Where the log is too short for a split forward in time, the folds are groups of
customers, and `Recipe.validation` says ``"by customers"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from scipy.special import expit

from features.errors import FitError
from features.language import translatable, translated
from features.progress import Report
from training.churn.bins import Bins
from training.churn.calibration import Calibrator, choose_calibrator, intercept_of
from training.churn.file_choice import FileGain
from training.churn.fit_options import FitOptions
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.churn.level import NO_RULE, LevelRule, choose_rule, level_of
from training.churn.model import ChurnModel, base_log_odds, fit_churn
from training.churn.residuals import choose_churn_residual, choose_spend_residual
from training.churn.rolling import customer_splits, rolling_splits
from training.churn.spend import SpendModel, fit_spend, level_deviation, price_levels, price_missed
from training.clv.model import CLVForm
from training.clv.operational_time import CONSTANT_FORM, IntensityForm
from training.metrics.comparison import log_losses
from training.metrics.probabilities import TIE
from training.snapshots.dataset import LabelledSnapshot

PRICE_NOISE = 0.05**2
"""A squared error of the money per purchase, in logs, that is not worth a correction: 5%."""


@dataclass(frozen=True)
class Recipe:
    """Choices behind a fit of the churn and spend models, made on rolling validation.

    Parameters
    ----------
    rounds : int
        Trees of the residual; 0: BG/NBD alone.
    monotone : bool
    calibrator : Calibrator
    validation : str
        ``"forward in time"`` or ``"by customers"``.
    spend_rounds : int
        Trees of the spend model's residual; 0: BG/NBD and Gamma-Gamma alone.
    level, price_level : LevelRule
        Of churn, in log-odds, and of the money per purchase, as the log of a factor.
    losses : dict of str to float
        Mean validation log-loss of every candidate.
    tuned : dict
        LightGBM parameters of the churn residual over the defaults; empty without tuning.
    intensity : IntensityForm
        Season and trend of the purchase model under both residuals.
    first_spend : bool
        Whether Gamma-Gamma counts the first purchase (`choose_first_spend`).
    inputs, spend_inputs : Inputs
        Of the two residuals.
    files, spend_files : dict of file to FileGain
        What each file beside the log bought, in log-loss of churn and in deviance of spend.
    """

    rounds: int
    monotone: bool
    calibrator: Calibrator
    validation: str
    spend_rounds: int = 0
    level: LevelRule = NO_RULE
    price_level: LevelRule = NO_RULE
    losses: dict[str, float] = field(default_factory=dict)
    tuned: dict[str, Any] = field(default_factory=dict)
    intensity: IntensityForm = CONSTANT_FORM
    first_spend: bool = False
    inputs: Inputs = ORDERS_ALONE
    spend_inputs: Inputs = ORDERS_ALONE
    files: dict[str, FileGain] = field(default_factory=dict)
    spend_files: dict[str, FileGain] = field(default_factory=dict)

    @property
    def form(self) -> CLVForm:
        """The form of the purchase model and of Gamma-Gamma."""
        return CLVForm(self.intensity, self.first_spend)

    @property
    def used_files(self) -> tuple[str, ...]:
        """The files beside the log that a residual learns from."""
        return tuple(dict.fromkeys((*self.inputs.files, *self.spend_inputs.files)))

    def parameters(self) -> dict[str, Any]:
        """Return the choices by name, as they are logged with a run."""
        return {
            "rounds": self.rounds,
            "monotone": self.monotone,
            "level": str(self.level),
            "price_level": str(self.price_level),
            "calibration": self.calibrator.kind,
            "spend_rounds": self.spend_rounds,
            "validation": self.validation,
            "harmonics": self.intensity.harmonics,
            "trend": self.intensity.trend,
            "first_spend": self.first_spend,
            **({"tuned": self.tuned} if self.tuned else {}),
            **({"files": ", ".join(self.used_files) or "none"} if self.files else {}),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe ready for JSON, all but the calibrator's numbers, which the model keeps."""
        levels = {"level": asdict(self.level), "price_level": asdict(self.price_level)}
        return self.parameters() | levels | {"losses": self.losses} | (self._of_files() if self.files else {})

    def _of_files(self) -> dict[str, Any]:
        return {
            "inputs": self.inputs.to_dict(),
            "spend_inputs": self.spend_inputs.to_dict(),
            "files": {name: gain.to_dict() for name, gain in self.files.items()},
            "spend_files": {name: gain.to_dict() for name, gain in self.spend_files.items()},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any], calibrator: Calibrator) -> Recipe:
        """Read what `to_dict` wrote."""
        return cls(
            rounds=record["rounds"],
            monotone=record["monotone"],
            calibrator=calibrator,
            validation=record["validation"],
            spend_rounds=record["spend_rounds"],
            level=LevelRule(**record["level"]),
            price_level=LevelRule(**record["price_level"]),
            losses=dict(record["losses"]),
            tuned=dict(record.get("tuned", {})),
            intensity=IntensityForm(record["harmonics"], record["trend"]),
            first_spend=record.get("first_spend", False),
            inputs=Inputs.from_dict(record["inputs"]) if "inputs" in record else ORDERS_ALONE,
            spend_inputs=Inputs.from_dict(record["spend_inputs"])
            if "spend_inputs" in record
            else ORDERS_ALONE,
            files=_gains(record, "files"),
            spend_files=_gains(record, "spend_files"),
        )

    def in_words(self) -> str:
        """Describe the models for churn, spend and value in one line.

        Examples
        --------
        >>> Recipe(0, False, Calibrator(), "forward in time").in_words()
        "churn by the purchase model's p0; spend and value by the purchase model and Gamma-Gamma"
        """
        churn = translated("the purchase model's p0")
        if self.intensity != CONSTANT_FORM:
            churn += f" ({self.intensity})"
        if self.rounds:
            churn = _corrected(churn, self._trees, self.inputs)
        if self.level != NO_RULE:
            churn = translated(
                "{models}, at the level missed before: {rule}", models=churn, rule=self.level.in_words()
            )
        if self.calibrator.kind != "none":
            churn = translated("{models}, {kind} calibration", models=churn, kind=self.calibrator.kind)
        spend = (
            translated("the purchase model and Gamma-Gamma of all purchases")
            if self.first_spend
            else translated("the purchase model and Gamma-Gamma")
        )
        if self.spend_rounds:
            spend = _spend_corrected(spend, self.spend_rounds, self.spend_inputs)
        if self.price_level != NO_RULE:
            spend = translated(
                "{models}, money per purchase at the level missed before: {rule}",
                models=spend,
                rule=self.price_level.in_words(),
            )
        return translated("churn by {churn}; spend and value by {spend}", churn=churn, spend=spend)

    @property
    def _trees(self) -> str:
        if self.monotone:
            return translated("{n} monotone LightGBM trees", n=self.rounds)
        return translated("{n} LightGBM trees", n=self.rounds)

    def fit(
        self, rows: Sequence[LabelledSnapshot], options: FitOptions, bins: Bins | None = None
    ) -> ChurnModel:
        """Fit the churn model on labelled snapshots whose windows have closed by the date to predict at.

        The snapshots' purchase models have the recipe's form (`in_form`).
        """
        return fit_churn(
            rows,
            rounds=self.rounds,
            monotone=self.monotone,
            calibrator=self.calibrator,
            level=level_of(rows, churn_missed(rows), options, self.level),
            seed=options.seed,
            threads=options.threads,
            tuned=self.tuned,
            inputs=self.inputs,
            bins=bins,
        )

    def fit_spend(
        self, rows: Sequence[LabelledSnapshot], options: FitOptions, bins: Bins | None = None
    ) -> SpendModel:
        """Fit the spend model on the same snapshots."""
        churn_level = level_of(rows, churn_missed(rows), options, self.level)
        price_level = level_of(rows, price_levels(rows), options, self.price_level)
        return fit_spend(
            rows,
            rounds=self.spend_rounds,
            price_level=price_level,
            level_deviation=level_deviation(rows, churn_level, price_level),
            seed=options.seed,
            threads=options.threads,
            inputs=self.spend_inputs,
            bins=bins,
        )


def _gains(record: Mapping[str, Any], name: str) -> dict[str, FileGain]:
    found = record.get(name, {}) if "inputs" in record else {}
    return {file: FileGain.from_dict(gain) for file, gain in found.items()}


def _corrected(model: str, trees: str, inputs: Inputs) -> str:
    if not inputs.files:
        return translated("{model} and {trees} on what it misses", model=model, trees=trees)
    return translated(
        "{model} and {trees} on what it misses by orders and {files}",
        model=model,
        trees=trees,
        files=list(inputs.files),
    )


def _spend_corrected(models: str, rounds: int, inputs: Inputs) -> str:
    if not inputs.files:
        return translated("{models}, corrected by {n} LightGBM trees", models=models, n=rounds)
    return translated(
        "{models}, corrected by {n} LightGBM trees by orders and {files}",
        models=models,
        n=rounds,
        files=list(inputs.files),
    )


def choose_recipe(
    rows: Sequence[LabelledSnapshot],
    options: FitOptions,
    *,
    tuned: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> Recipe:
    """Choose residual, calibrator and levels on rolling validation.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot, oldest first, closed windows only, the test snapshot not among them
        Their purchase models have the form that was chosen before (`choose_intensity`, `choose_first_spend`).
    options : FitOptions
    tuned : mapping, optional
        LightGBM parameters of the churn residual over the defaults (`training.churn.tuning`).

    Raises
    ------
    FitError
        If in every closed window all customers churned, or none did.
    """
    if all(len(np.unique(row.churned)) < 2 for row in rows):
        days = rows[-1].window.horizon_days
        if rows[-1].churned.all():
            raise FitError(
                translated(
                    "In every one of the {n} closed churn windows of {days} days all customers churned: there is "
                    "nothing to learn. Use a longer --horizon-days.",
                    n=len(rows),
                    days=days,
                )
            )
        raise FitError(
            translated(
                "In every one of the {n} closed churn windows of {days} days all customers came back: there is "
                "nothing to learn. Use a shorter --horizon-days.",
                n=len(rows),
                days=days,
            )
        )
    splits = rolling_splits(rows)
    how = translatable("forward in time") if splits else translatable("by customers")
    splits = splits or customer_splits(rows)
    bins = Bins()
    churn, losses, files = choose_churn_residual(rows, splits, options, tuned, report, bins)
    odds = zip(churn.choice.odds, splits, strict=True)
    own = [z + intercept_of(z, split.valid.churned) for z, split in odds]
    calibrator, calibration_losses = choose_calibrator(own, [split.valid.churned for split in splits])
    spend = choose_spend_residual(rows, splits, options, bins)
    level, price_level, gains = _choose_levels(rows, options)
    losses |= spend.losses | gains
    losses |= {f"calibration_{kind}": loss for kind, loss in calibration_losses.items()}
    return Recipe(
        rounds=churn.choice.rounds,
        monotone=churn.choice.monotone,
        calibrator=calibrator,
        validation=how,
        spend_rounds=spend.rounds,
        level=level,
        price_level=price_level,
        losses=losses,
        tuned=dict(tuned or {}),
        intensity=rows[-1].clv.intensity.form,
        first_spend=rows[-1].clv.first_spend,
        inputs=churn.inputs,
        spend_inputs=spend.inputs,
        files=files,
        spend_files=spend.files,
    )


def _choose_levels(
    rows: Sequence[LabelledSnapshot], options: FitOptions
) -> tuple[LevelRule, LevelRule, dict[str, float]]:
    """Return the rules for the level of churn and of money per purchase, and what each rule gained."""
    base, prices = [base_log_odds(row.columns) for row in rows], [price_missed(row) for row in rows]

    def of_churn(place: int, shift: float) -> np.ndarray:
        return log_losses(rows[place].churned, expit(base[place] + shift))

    def squared_error(place: int, shift: float) -> np.ndarray:
        return (prices[place] - shift) ** 2

    level, gains = choose_rule(rows, level_of(rows, churn_missed(rows), options), of_churn, noise=TIE)
    price_level, price_gains = choose_rule(
        rows, level_of(rows, price_levels(rows), options), squared_error, noise=PRICE_NOISE
    )
    if (
        price_level == NO_RULE
        and price_gains.get(str(level), -np.inf) > -PRICE_NOISE
        and level.kind == "year_ago"
    ):
        price_level = (
            level  # in season, people buy more and dearer: one season for both, unless prices say otherwise
        )
    named = {f"gain of level, {rule}": gain for rule, gain in gains.items()}
    return level, price_level, named | {f"gain of price level, {r}": gain for r, gain in price_gains.items()}


def churn_missed(rows: Sequence[LabelledSnapshot]) -> list[float]:
    """Return what each window's churn was off by, in log-odds: the intercept over the purchase model's p0."""
    return [intercept_of(base_log_odds(row.columns), row.churned) for row in rows]
