"""Training, from a validated log to a model that can be registered.

log → purchase days → labelled snapshots → the training procedure, run on what the test snapshot knows and judged
there → the same procedure on every closed window → the model to deploy, with its training card.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pandas as pd

from features.behaviour.files import BehaviourFiles
from features.economics.trailing import CostFiles, trailing_year
from features.errors import ModelError, StayworthError
from features.language import translated
from features.log.transactions import TransactionLog
from features.progress import Report
from features.table.history import FEATURES, PurchaseHistory
from training.assembly import assemble_model
from training.churn.budget import Budget
from training.churn.fit_options import FitOptions
from training.churn.procedure import FittedRecipe, Tuner, run_procedure
from training.churn.tuning_result import TuningResult
from training.clv.customer_costs import OwnCosts
from training.clv.net_value import OWN
from training.clv.value import ValueTerms
from training.cost_settings import CostSettings
from training.judging.evaluation import HeldOutEvaluation, evaluate
from training.judging.tuning_gain import TuningReport, gain_on_test
from training.run import TrainingRun
from training.settings import DEFAULT_MARGIN, TrainSettings
from training.snapshots.dataset import DescribedSnapshot, LabelledSnapshot
from training.threads import cpu_quota
from training.training_data import TrainingData, prepare, tried_beside
from training.versions.registry import Registry
from training.window.dormancy import other_than_usual

Described = TypeVar("Described", bound=DescribedSnapshot)


def train(
    log: TransactionLog,
    settings: TrainSettings,
    report: Report | None = None,
    *,
    registry: Registry | None = None,
    costs: CostSettings | None = None,
    cost_files: CostFiles | None = None,
    beside: BehaviourFiles | None = None,
    everybody: PurchaseHistory | None = None,
    by_orders_alone: bool = False,
) -> TrainingRun:
    """Train churn and value models on a log and judge them out of time.

    Parameters
    ----------
    log : TransactionLog
    settings : TrainSettings
    report : callable, optional
        Told of each step: its name, how much is done, how much there is.
    registry : Registry, optional
        Whose database keeps the trials of tuning; by default the one at the default address.
    costs : CostSettings, optional
        What customers cost; without, values are gross.
    cost_files : CostFiles, optional
        What each customer cost in the trailing year, as `CostSettings.files` reads it; their means are kept in the
        version.
    beside : BehaviourFiles, optional
        What is known of customers beside their orders: the models learn from each file that surely makes them better.
    everybody : PurchaseHistory, optional
        Of all customers, where ``log`` holds the rows of a sample of them: the deployed purchase and spend models are
        fitted on it.
    by_orders_alone : bool
        Try no features of products and prices, though the log has them.

    Raises
    ------
    WindowError
        If the log is too short, or the test window has not closed.
    FitError
        If nothing can be learnt: no repeat buyers, or everybody churned.
    StayworthError
        If the discount rate is negative, and the log's money is as booked.
    """
    report = report or (lambda step, done, total: None)
    _require_rate(settings, log)
    notes = [*beside.notes(log), *_of_undated(beside)] if beside else []
    beside = beside if by_orders_alone else tried_beside(log, beside)
    data = prepare(log, settings, report, beside, everybody)
    notes += _of_sample(log, data, everybody)
    if settings.horizon_days and not settings.dormant_after_days:
        notes += other_than_usual(settings.horizon_days, data.settings.dormancy_days)
    settings = data.settings
    options = fit_options(log, settings)
    terms = value_terms(settings, data.newest.fitted_on, costs)
    own: OwnCosts | None = None
    if cost_files:
        newest, terms, own, cost_notes = with_own_costs(data.newest, log, settings, terms, cost_files)
        data, notes = replace(data, newest=newest), [*notes, *cost_notes]
    known, test = data.known_at_test, data.test

    judged = run_procedure(
        known, options, tuner=_tuner(settings, options, registry or Registry(), report), report=report
    )
    report(translated("Judging on the test snapshot"), 0, 1)
    evaluation = evaluate(judged, known, test, terms, options)
    tuning = _tuning_report(judged, evaluation, known, test, options)

    report(translated("Choosing and fitting again on every closed window"), 0, 1)
    deployed = run_procedure(data.closed, options, tuner=_again(judged.choice.tuning), report=report)
    newest = deployed.describe(data.newest, settings.horizon)
    model = assemble_model(deployed, judged.recipe, log, data, newest, evaluation, terms, own, beside)
    if notes:
        notes = list(dict.fromkeys(notes))
        model = replace(model, card=replace(model.card, notes=(*model.card.notes, *notes)))
    columns = ["snapshot_date", "customer_id", *(feature.name for feature in FEATURES)]
    columns += [
        column for column in (*OWN.values(), *(beside.names if beside else ())) if column in data.newest.table
    ]
    return TrainingRun(
        log=data.log,
        model=model,
        recipe=deployed.recipe,
        schedule=data.plan,
        test=evaluation,
        newest=newest,
        scores=model.score(data.newest.table[columns]),
        labelled=data.labelled,
        settings=settings,
        advice=data.advice,
        tuning=tuning,
        beside=beside,
    )


def _require_rate(settings: TrainSettings, log: TransactionLog) -> None:
    if settings.discount_rate < 0 and log.prices is None:
        raise StayworthError(
            translated(
                "The discount rate {rate:g} is negative, as only a real rate may be: it goes with --deflator, which "
                "makes the log's money real. Or use --discount-rate 0 or more.",
                rate=settings.discount_rate,
            )
        )


def _tuning_report(
    judged: FittedRecipe,
    evaluation: HeldOutEvaluation,
    known: Sequence[LabelledSnapshot],
    test: LabelledSnapshot,
    options: FitOptions,
) -> TuningReport | None:
    """Return what the search found, and what it gains on the test snapshot where it was taken; None without one."""
    if not judged.choice.tuning:
        return None
    untuned = judged.choice.untuned
    tuned = judged.recipe is not untuned
    gain = gain_on_test(evaluation.probability, untuned, known, test, options) if tuned else None
    return TuningReport(judged.choice.tuning, gain)


def _of_sample(
    log: TransactionLog, data: TrainingData, everybody: PurchaseHistory | None = None
) -> list[str]:
    """Say that models learnt from a sample of the customers."""
    if data.log is log and everybody is None:
        return []
    fitted = len(data.newest.fitted_on)
    if fitted < log.report.customers - log.report.refunds_only_customers:
        return [
            translated(
                "The log has {all:customer|customers}. Churn and spend were learnt from {n:,} of them, drawn by a hash "
                "of their ids, and judged on these; counts and sums of customers are theirs. The purchase model and "
                "Gamma-Gamma that are deployed are fitted on {fitted:,}, drawn by the same hash.",
                all=log.report.customers,
                n=data.settings.sample_customers,
                fitted=fitted,
            )
        ]
    return [
        translated(
            "The log has {all:customer|customers}. Churn and spend were learnt from {n:,} of them, drawn by a hash of "
            "their ids, and judged on these; counts and sums of customers are theirs. The purchase model and "
            "Gamma-Gamma that are deployed are fitted on all. --sample-customers takes more.",
            all=log.report.customers,
            n=data.settings.sample_customers,
        )
    ]


def _of_undated(beside: BehaviourFiles) -> Iterator[str]:
    """Say which attributes are taken as true of every past snapshot: there they may look into the future."""
    if beside.attributes and (names := beside.attributes.undated):
        yield (
            translated(
                "{names}: without valid_from an attribute holds at every past snapshot too. One that follows from what "
                "customers did later, such as a status or a last visit, lets the model look into the future, and its "
                "test is too good to be true: leave it out, or say from when it holds.",
                names=list(names),
            )
        )


def with_own_costs(
    described: Described,
    log: TransactionLog,
    settings: TrainSettings,
    terms: ValueTerms,
    files: CostFiles,
) -> tuple[Described, ValueTerms, OwnCosts, tuple[str, ...]]:
    """Give the customers of a snapshot their own costs of the trailing year, and the terms the means of all.

    Returns
    -------
    The snapshot, the terms, which costs are customers' own, and what to know of the files, in sentences
    """
    year = trailing_year(log, described.snapshot, files, terms.inactivity_days)
    own, terms = OwnCosts.learnt(year, terms, margin_given=settings.margin is not None)
    columns = own.columns(year, terms, described.table["customer_id"].to_numpy())
    return replace(described, table=described.table.assign(**columns)), terms, own, year.notes


def with_champion_window(settings: TrainSettings, registry: Registry) -> TrainSettings:
    """Return the settings with the champion's churn window, where none was set and there is a champion.

    Advice may change as a log grows, and two models of different windows cannot be compared.
    """
    champion = registry.current() if settings.horizon_days is None else None
    if champion is None:
        return settings
    try:
        card = registry.load(champion.version).card
    except ModelError:  # of another release, or damaged: the new version does not have to be comparable
        return settings
    return settings.advised(card.horizon_days, card.dormant_after_days)


def fit_options(log: TransactionLog, settings: TrainSettings) -> FitOptions:
    """Return the options of every fit of a run."""
    return FitOptions(
        first_order=log.first_day,
        dormant_after_days=settings.dormancy_days,
        seed=settings.seed,
        threads=settings.threads or cpu_quota(),
    )


def _again(tuning: TuningResult | None) -> Tuner | None:
    """Return a search that gives what was found before: parameters are searched once per run."""
    return None if tuning is None else lambda known: tuning


def _tuner(settings: TrainSettings, options: FitOptions, registry: Registry, report: Report) -> Tuner | None:
    """Return the search that the settings ask for, with its study in the registry's database."""
    if settings.tune is None:
        return None
    from training.churn.tuning import study_storage, tune  # Optuna takes a second to import

    registry.create()
    return partial(
        tune,
        options=options,
        budget=Budget.parse(settings.tune),
        storage=study_storage(registry.uri.text),
        report=report,
    )


def value_terms(
    settings: TrainSettings, table: pd.DataFrame, costs: CostSettings | None = None
) -> ValueTerms:
    """Return the terms of value: the margin as given, else the log's own where it has one, else the default.

    Customers are active for as long as they are not dormant, unless the costs say otherwise: until then lists and plans
    treat them as customers.
    """
    margin = settings.margin
    if margin is None:
        total_margin, total_spend = (
            float(table["net_margin"].sum(min_count=1)),
            float(table["net_spend"].sum()),
        )
        margin = total_margin / total_spend if total_margin > 0 and total_spend > 0 else DEFAULT_MARGIN
    return ValueTerms(
        horizon_days=settings.horizon,
        value_horizon_days=settings.value_horizon_days,
        margin=margin,
        discount_rate=settings.discount_rate,
        resumption=settings.resumption,
        **({"inactivity_days": settings.dormancy_days} | (costs or CostSettings()).stated()),
    )
