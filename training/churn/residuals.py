"""Choice of the residuals of churn, frequency and price on rolling validation: form, trees, files beside the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

from features.behaviour.catalogue import file_in_words
from features.language import translated
from features.progress import Report
from training.churn.base import AS_SAID, base_log_odds, weighed
from training.churn.bins import Bins, Target
from training.churn.calibration import intercept_of
from training.churn.file_choice import FileGain, InputsTrial, choose_files
from training.churn.fit_options import FitOptions
from training.churn.inputs import ORDERS_ALONE, Inputs
from training.churn.model import booster_parameters
from training.churn.rolling import Split, gain_and_error, gains_surely, loss_curves, raw_scores
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


class BuyerQuestion(NamedTuple):
    """What is asked of those who buy: its name, what is to be explained in each split, by which deviance."""

    name: str
    targets: Sequence[Target]
    deviance: Callable[[np.ndarray, np.ndarray], np.ndarray]
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class BuyerChoice:
    """Trees of a residual of buyers (0: none), its inputs, mean losses, and what each file bought."""

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
        step = translated(
            "{step}, with {files}", step=step, files=[file_in_words(each) for each in inputs.files]
        )
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


def choose_buyer_residual(
    rows: Sequence[LabelledSnapshot],
    splits: Sequence[Split],
    question: BuyerQuestion,
    options: FitOptions,
    bins: Bins,
) -> BuyerChoice:
    """Choose the rounds of the lowest mean deviance of what buyers do, and 0 if they gain no more than noise.

    Each snapshot is judged at its own level, which the residual does not explain. Files stay that surely lower the
    deviance further.

    Parameters
    ----------
    rows : sequence of LabelledSnapshot
        Of buyers alone, as those of the splits.
    question : BuyerQuestion
    """
    pairs = list(zip(splits, question.targets, strict=True))
    if not pairs or not all(any(target(row)[0].any() for row in split.train) for split, target in pairs):
        return BuyerChoice()  # nobody buys twice, or pays: there is nothing to explain
    none = [question.deviance(*target(split.valid)) for split, target in pairs]
    trial = partial(_buyer_trial, splits, question, options, bins)
    orders = trial(ORDERS_ALONE)
    losses = {
        f"{question.name}_none": float(np.mean([each.mean() for each in none])),
        f"{question.name}_residual": orders.choice[1],
    }
    chosen, files = choose_files(orders, rows, trial)
    if not gains_surely([own - theirs for own, theirs in zip(none, chosen.losses, strict=True)]):
        files = {name: replace(gain, kept=False) for name, gain in files.items()}
        return BuyerChoice(losses=losses, files=files)
    return BuyerChoice(chosen.choice[0], chosen.inputs, losses, files)


def _buyer_trial(
    splits: Sequence[Split],
    question: BuyerQuestion,
    options: FitOptions,
    bins: Bins,
    inputs: Inputs,
) -> InputsTrial[tuple[int, float]]:
    """Return the rounds of the lowest mean deviance, and that mean."""
    parameters = {**question.parameters, "seed": options.seed, "num_threads": options.threads}
    pairs = list(zip(splits, question.targets, strict=True))
    boosters, mean = loss_curves(
        parameters, [bins.of_split(split, target, parameters, inputs) for split, target in pairs]
    )
    rounds, customers = int(mean.argmin()) + 1, []
    for booster, (split, target) in zip(boosters, pairs, strict=True):
        came, start = target(split.valid)
        customers.append(question.deviance(came, start + raw_scores(booster, split.valid, rounds, inputs)))
    return InputsTrial(inputs, customers, (rounds, float(mean.min())))


def _customer_losses(log_odds: np.ndarray, valid: LabelledSnapshot) -> np.ndarray:
    """Return each customer's log-loss with the snapshot's own intercept: the judge of differences between customers."""
    return log_losses(valid.churned, expit(log_odds + intercept_of(log_odds, valid.churned)))
