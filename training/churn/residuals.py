"""Choice of the residuals of churn and spend on rolling validation: form, number of trees, and files beside the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
from scipy.special import expit

from features.language import translated
from features.progress import Report
from training.churn.base import AS_SAID, base_log_odds, weighed
from training.churn.bins import Bins
from training.churn.calibration import intercept_of
from training.churn.file_choice import FileGain, InputsTrial, choose_files
from training.churn.fit_options import FitOptions
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.churn.model import booster_parameters
from training.churn.rolling import Split, gain_and_error, gains_surely, loss_curves, raw_scores
from training.churn.spend import TWEEDIE, any_spend, centred_deviance, relative_spend, tweedie_deviance
from training.metrics.comparison import log_losses
from training.snapshots.dataset import LabelledSnapshot

FAR = 0.05
"""Share of p0's loss that trees on p0 as it is have to take back, before larger ones on a weighed p0 are tried.

Where customers are about what the purchase model assumes they take back 2% or less (CDNOW, Online Retail II, Ta-Feng).
"""


class _Form(NamedTuple):
    """What may be chosen of the trees of the churn residual: monotone, and on a p0 that is weighed."""

    name: str
    monotone: bool
    weighed: bool


_FORMS = (
    _Form("residual_monotone", True, False),
    _Form("residual_free", False, False),
    _Form("residual_weighed", False, True),
)


class ChurnChoice(NamedTuple):
    """Trees of the churn residual (0: none), their form and that of p0 under them, validation log-odds and losses."""

    rounds: int
    monotone: bool
    weighed: bool
    odds: list[np.ndarray]
    losses: dict[str, float]


@dataclass(frozen=True)
class SpendChoice:
    """Trees of the spend residual (0: none), its inputs, mean losses, and what each file bought."""

    rounds: int = 0
    inputs: Inputs = ORDERS_ALONE
    losses: dict[str, float] = field(default_factory=dict)
    files: dict[str, FileGain] = field(default_factory=dict)


def choose_churn_residual(
    rows: Sequence[LabelledSnapshot],
    splits: Sequence[Split],
    options: FitOptions,
    tuned: Mapping[str, Any] | None,
    report: Report | None,
    bins: Bins,
) -> tuple[InputsTrial[ChurnChoice], dict[str, float], dict[str, FileGain]]:
    """Choose the churn residual: by the lowest mean loss, and with the files that surely lower it.

    Returns
    -------
    InputsTrial, the mean losses with orders alone, and what each file bought
    """
    trial = partial(_churn_trial, splits, options, tuned, report, bins)
    orders = trial(ORDERS_ALONE)
    chosen, files = choose_files(orders, rows, trial)
    return chosen, orders.choice.losses, files


def _churn_trial(
    splits: Sequence[Split],
    options: FitOptions,
    tuned: Mapping[str, Any] | None,
    report: Report | None,
    bins: Bins,
    inputs: Inputs,
) -> InputsTrial[ChurnChoice]:
    """Return rounds and form with the lowest mean loss, the losses, and the validation log-odds of that choice.

    Where trees that start from p0 as it is show that it is off by more than `FAR`, it is tried weighed too, and stays
    so if that gains more than a standard error.
    """
    p0 = ChurnChoice(0, False, False, [base_log_odds(split.valid.columns) for split in splits], {})
    best = _tried(inputs, splits, p0)
    losses = {"residual_none": best.loss}
    lowest = best.loss
    step = translated("Choosing the recipe on rolling validation")
    if inputs.beside:
        step = translated("{step}, with {files}", step=step, files=", ".join(inputs.files))
    for number, form in enumerate(_FORMS):
        if report is not None:
            report(step, number, len(_FORMS))
        if form.weighed and lowest > (1 - FAR) * losses["residual_none"]:
            break
        losses[form.name], choice = _of_form(form, splits, options, tuned, bins, inputs)
        tried = _tried(inputs, splits, choice)
        gain, error = gain_and_error(tried.gained_on(best))
        if gain > error if form.weighed else losses[form.name] < lowest:
            lowest, best = losses[form.name], tried
    return replace(best, choice=best.choice._replace(losses=losses))


def _of_form(
    form: _Form,
    splits: Sequence[Split],
    options: FitOptions,
    tuned: Mapping[str, Any] | None,
    bins: Bins,
    inputs: Inputs,
) -> tuple[float, ChurnChoice]:
    """Return the lowest mean loss of a residual of a form, and the choice of its rounds."""
    parameters = booster_parameters(
        monotone=form.monotone,
        seed=options.seed,
        threads=options.threads,
        tuned=tuned,
        inputs=inputs,
        larger=form.weighed,
    )
    bases = [weighed(split.train, options) if form.weighed else AS_SAID for split in splits]
    pairs = list(zip(splits, bases, strict=True))
    boosters, mean = loss_curves(
        parameters, [bins.of_split(split, base.target, parameters, inputs) for split, base in pairs]
    )
    rounds = int(mean.argmin()) + 1
    odds = [
        base.log_odds(split.valid.columns) + raw_scores(booster, split.valid, rounds, inputs)
        for (split, base), booster in zip(pairs, boosters, strict=True)
    ]
    return float(mean.min()), ChurnChoice(rounds, form.monotone, form.weighed, odds, {})


def _tried(inputs: Inputs, splits: Sequence[Split], choice: ChurnChoice) -> InputsTrial[ChurnChoice]:
    """Return a choice with each validation customer's log-loss, at the validation snapshot's own intercept."""
    return InputsTrial(
        inputs, [_customer_losses(z, each.valid) for z, each in zip(choice.odds, splits, strict=True)], choice
    )


def choose_spend_residual(
    rows: Sequence[LabelledSnapshot], splits: Sequence[Split], options: FitOptions, bins: Bins
) -> SpendChoice:
    """Choose the rounds of the lowest mean Tweedie deviance, and 0 if they gain no more than noise.

    Each snapshot is judged relative to its mean, which the residual does not explain (`centred_deviance`). Files stay
    that surely lower the deviance further.
    """
    if not all(any_spend(split.train) for split in splits):
        return SpendChoice()
    none = [tweedie_deviance(*relative_spend(split.valid)) for split in splits]
    trial = partial(_spend_trial, splits, options, bins)
    orders = trial(ORDERS_ALONE)
    losses = {
        "spend_none": float(np.mean([each.mean() for each in none])),
        "spend_residual": orders.choice[1],
    }
    chosen, files = choose_files(orders, rows, trial)
    if not gains_surely([own - theirs for own, theirs in zip(none, chosen.losses, strict=True)]):
        files = {name: replace(gain, kept=False) for name, gain in files.items()}
        return SpendChoice(losses=losses, files=files)
    return SpendChoice(chosen.choice[0], chosen.inputs, losses, files)


def _spend_trial(
    splits: Sequence[Split], options: FitOptions, bins: Bins, inputs: Inputs
) -> InputsTrial[tuple[int, float]]:
    """Return the rounds of the lowest mean deviance, and that mean."""
    parameters = TWEEDIE | {"seed": options.seed, "num_threads": options.threads}
    data = [bins.of_split(split, relative_spend, parameters, inputs) for split in splits]
    boosters, mean = loss_curves(parameters, data, loss=_spend_loss)
    rounds, customers = int(mean.argmin()) + 1, []
    for booster, split in zip(boosters, splits, strict=True):
        spend, start = relative_spend(split.valid)
        customers.append(centred_deviance(spend, start + raw_scores(booster, split.valid, rounds, inputs)))
    return InputsTrial(inputs, customers, (rounds, float(mean.min())))


def _spend_loss(expected: np.ndarray, data: lgb.Dataset) -> tuple[str, float, bool]:
    """Judge expected spend as LightGBM asks for it."""
    deviance = centred_deviance(np.asarray(data.get_label()), np.log(expected))
    return "centred deviance", float(deviance.mean()), False


def _customer_losses(log_odds: np.ndarray, valid: LabelledSnapshot) -> np.ndarray:
    """Return each customer's log-loss with the snapshot's own intercept: the judge of differences between customers."""
    return log_losses(valid.churned, expit(log_odds + intercept_of(log_odds, valid.churned)))
