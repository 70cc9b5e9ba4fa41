"""Recipe of the churn and spend models: the choices that rolling validation makes, and how they are fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from features.behaviour.catalogue import file_in_words
from features.language import translated
from training.churn.base import AS_SAID, Base, weighed
from training.churn.bins import Bins
from training.churn.calibration import Calibrator
from training.churn.file_choice import FileGain
from training.churn.fit_options import FitOptions
from training.churn.frequency import fit_frequency, fit_line, windows_of_buyers
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.churn.later_fit import fit_later
from training.churn.level import NO_RULE, LevelRule, level_of
from training.churn.model import ChurnModel, fit_churn
from training.churn.price import fit_price, price_levels
from training.churn.spend import SpendModel, level_deviation
from training.clv.model import CLVForm
from training.clv.operational_time import CONSTANT_FORM, IntensityForm
from training.snapshots.dataset import LabelledSnapshot

_INPUTS = ("inputs", "frequency_inputs", "price_inputs")
_FILES = ("files", "frequency_files", "price_files")


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
    frequency_rounds, price_rounds : int
        Trees of the residuals of the spend model: of how often buyers buy, and of what they pay; 0: none.
    level, price_level : LevelRule
        Of churn, in log-odds, and of the money per purchase, as the log of a factor.
    losses : dict of str to float
        Mean validation log-loss of every candidate.
    tuned : dict
        LightGBM parameters of the churn residual over the defaults; empty without tuning.
    intensity : IntensityForm
        Season, trend and steps of the purchase model under both residuals.
    first_spend : bool
        Whether Gamma-Gamma counts the first purchase (`choose_first_spend`).
    rhythm : bool
        Whether the days of purchases within the churn window go by customers' own gaps (`choose_rhythm`).
    weighed : bool
        Whether the trees start from a line in logit p0 that the windows fit, and are larger (`training.churn.base`).
    inputs, frequency_inputs, price_inputs : Inputs
        Of the residuals.
    files, frequency_files, price_files : dict of file to FileGain
        What each file beside the log bought, in log-loss of churn and in deviance of frequency and price.
    """

    rounds: int
    monotone: bool
    calibrator: Calibrator
    validation: str
    frequency_rounds: int = 0
    price_rounds: int = 0
    level: LevelRule = NO_RULE
    price_level: LevelRule = NO_RULE
    losses: dict[str, float] = field(default_factory=dict)
    tuned: dict[str, Any] = field(default_factory=dict)
    intensity: IntensityForm = CONSTANT_FORM
    first_spend: bool = False
    rhythm: bool = False
    weighed: bool = False
    inputs: Inputs = ORDERS_ALONE
    frequency_inputs: Inputs = ORDERS_ALONE
    price_inputs: Inputs = ORDERS_ALONE
    files: dict[str, FileGain] = field(default_factory=dict)
    frequency_files: dict[str, FileGain] = field(default_factory=dict)
    price_files: dict[str, FileGain] = field(default_factory=dict)

    @property
    def form(self) -> CLVForm:
        """The form of the purchase model and of Gamma-Gamma."""
        return CLVForm(self.intensity, self.first_spend)

    @property
    def used_files(self) -> tuple[str, ...]:
        """The files beside the log that a residual learns from."""
        inputs = (self.inputs, self.frequency_inputs, self.price_inputs)
        return tuple(dict.fromkeys(name for each in inputs for name in each.files))

    def parameters(self) -> dict[str, Any]:
        """Return the choices by name, as they are logged with a run."""
        return {
            "rounds": self.rounds,
            "monotone": self.monotone,
            "level": str(self.level),
            "price_level": str(self.price_level),
            "calibration": self.calibrator.kind,
            "frequency_rounds": self.frequency_rounds,
            "price_rounds": self.price_rounds,
            "validation": self.validation,
            "harmonics": self.intensity.harmonics,
            "trend": self.intensity.trend,
            "steps": self.intensity.steps,
            "first_spend": self.first_spend,
            "rhythm": self.rhythm,
            "weighed": self.weighed,
            **({"tuned": self.tuned} if self.tuned else {}),
            **({"files": ", ".join(self.used_files) or "none"} if self.files else {}),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe ready for JSON, all but the calibrator's numbers, which the model keeps."""
        levels = {"level": asdict(self.level), "price_level": asdict(self.price_level)}
        return self.parameters() | levels | {"losses": self.losses} | (self._of_files() if self.files else {})

    def _of_files(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name).to_dict() for name in _INPUTS},
            **{name: {file: gain.to_dict() for file, gain in getattr(self, name).items()} for name in _FILES},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any], calibrator: Calibrator) -> Recipe:
        """Read what `to_dict` wrote."""
        return cls(
            rounds=record["rounds"],
            monotone=record["monotone"],
            calibrator=calibrator,
            validation=record["validation"],
            frequency_rounds=record["frequency_rounds"],
            price_rounds=record["price_rounds"],
            level=LevelRule(**record["level"]),
            price_level=LevelRule(**record["price_level"]),
            losses=dict(record["losses"]),
            tuned=dict(record.get("tuned", {})),
            intensity=IntensityForm(record["harmonics"], record["trend"], record.get("steps", False)),
            first_spend=record.get("first_spend", False),
            rhythm=record.get("rhythm", False),
            weighed=record.get("weighed", False),
            **_of_files(record),
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
            churn += f" ({self.intensity.in_words()})"
        if self.weighed:
            churn = translated("a line in {model}", model=churn)
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
        rounds = self.frequency_rounds + self.price_rounds
        if rounds:
            spend = _spend_corrected(spend, rounds, (*self.frequency_inputs.files, *self.price_inputs.files))
        if self.price_level != NO_RULE:
            spend = translated(
                "{models}, money per purchase at the level missed before: {rule}",
                models=spend,
                rule=self.price_level.in_words(),
            )
        models = translated("churn by {churn}; spend and value by {spend}", churn=churn, spend=spend)
        return (
            translated("{models}; dates by customers' own rhythm", models=models) if self.rhythm else models
        )

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
        base = self.base(rows, options)
        return fit_churn(
            rows,
            rounds=self.rounds,
            monotone=self.monotone,
            calibrator=self.calibrator,
            level=level_of(rows, churn_missed(rows, base), options, self.level),
            seed=options.seed,
            threads=options.threads,
            tuned=self.tuned,
            inputs=self.inputs,
            bins=bins,
            base=base,
        )

    def base(self, rows: Sequence[LabelledSnapshot], options: FitOptions) -> Base:
        """Return what the trees start from where they are fitted on labelled snapshots."""
        return weighed(rows, options) if self.weighed else AS_SAID

    def fit_spend(
        self, rows: Sequence[LabelledSnapshot], options: FitOptions, bins: Bins | None = None
    ) -> SpendModel:
        """Fit the spend model on the same snapshots."""
        base, bought = self.base(rows, options), windows_of_buyers(rows)
        bins, how = bins or Bins(), {"seed": options.seed, "threads": options.threads}
        churn_level = level_of(rows, churn_missed(rows, base), options, self.level)
        price_level = level_of(rows, price_levels(rows), options, self.price_level)
        frequency = fit_frequency(
            bought,
            fit_line(rows, options, base),
            rounds=self.frequency_rounds,
            inputs=self.frequency_inputs,
            bins=bins,
            **how,
        )
        price = fit_price(
            bought, price_level, rounds=self.price_rounds, inputs=self.price_inputs, bins=bins, **how
        )
        spend = SpendModel(frequency, price, later=fit_later(rows, options))
        return replace(spend, level_deviation=level_deviation(rows, churn_level, spend, base))


def _of_files(record: Mapping[str, Any]) -> dict[str, Any]:
    """Read what `Recipe.to_dict` wrote of files, where it did."""
    if "inputs" not in record:
        return {}
    gains = {name: {file: FileGain.from_dict(each) for file, each in record[name].items()} for name in _FILES}
    return {name: Inputs.from_dict(record[name]) for name in _INPUTS} | gains


def _corrected(model: str, trees: str, inputs: Inputs) -> str:
    if not inputs.files:
        return translated("{model} and {trees} on what it misses", model=model, trees=trees)
    return translated(
        "{model} and {trees} on what it misses by orders and {files}",
        model=model,
        trees=trees,
        files=[file_in_words(each) for each in inputs.files],
    )


def _spend_corrected(models: str, rounds: int, files: Sequence[str]) -> str:
    if not files:
        return translated("{models}, corrected by {n} LightGBM trees", models=models, n=rounds)
    return translated(
        "{models}, corrected by {n} LightGBM trees by orders and {files}",
        models=models,
        n=rounds,
        files=[file_in_words(each) for each in dict.fromkeys(files)],
    )


def churn_missed(rows: Sequence[LabelledSnapshot], base: Base = AS_SAID) -> list[float]:
    """Return what each window's churn was off by, in log-odds: the intercept over the base."""
    return [base.missed(row) for row in rows]
