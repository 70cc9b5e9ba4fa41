"""Backtest: the profit that targeting policies would have made at past snapshots.

At each of the newest snapshots whose churn window has closed, training is repeated on the windows that had closed by
then, including the choice of the recipe. Each policy chooses customers, and its profit is computed from who churned.
No one was contacted, so the effect of an offer is assumed, for all policies alike: a customer who churned would have
accepted with the offer's acceptance rate and been worth their value at stake less the incentive; one who stayed takes
the incentive with its redemption rate.

The value at stake is what a version trained at the snapshot would have told. All policies that use a value, and the
profits themselves, use this one, because what an accepted offer saves is never observed. So policies differ by how well
they predict who leaves, and none is judged by its own estimate of value.

Customers who have been silent for long are left out unless asked for: their value at stake assumes that they come back,
and the assumed acceptance rate hardly applies to them.
"""

from __future__ import annotations

import numpy as np

from features.behaviour.files import BehaviourFiles
from features.economics.trailing import CostFiles
from features.engines.choice import engine_for
from features.errors import WindowError
from features.language import translated
from features.log.transactions import TransactionLog
from features.progress import Report
from features.table.history import PurchaseHistory
from training.backtest.account import Account, settle
from training.backtest.policies import Prospects
from training.churn.procedure import run_procedure
from training.churn.spend import SpendModel
from training.clv.value import ValueTerms
from training.cost_settings import CostSettings
from training.offers.offers import Offer
from training.pipeline import fit_options, value_terms, with_own_costs
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot, known_at, labelled_snapshots
from training.snapshots.schedule import schedule
from training.threads import cpu_quota
from training.training_data import tried_beside
from training.window.advisor import advise
from training.window.dormancy import dormancy


def backtest(
    log: TransactionLog,
    offer: Offer,
    settings: TrainSettings | None = None,
    *,
    snapshots: int = 4,
    everyone: bool = False,
    costs: CostSettings | None = None,
    cost_files: CostFiles | None = None,
    beside: BehaviourFiles | None = None,
    report: Report | None = None,
) -> Account:
    """Replay the newest closed snapshots and compute the profit of each policy.

    Parameters
    ----------
    log : TransactionLog
    offer : Offer
        Its capacity is ignored.
    settings : TrainSettings
        How each snapshot's model is trained; without ``horizon_days``, for the churn window that
        `training.window.advisor.advise` recommends for the log. Its ``tune`` is ignored.
    snapshots : int, at least 1
        How many of the newest closed snapshots, a month apart.
    everyone : bool
        Also those who have been silent for longer than ``settings.dormancy_days``.
    costs : CostSettings, optional
        What customers cost; the value at stake is net of it.
    cost_files : CostFiles, optional
        What each customer cost in the year before each snapshot, as known at it.
    beside : BehaviourFiles, optional
        What is known of customers beside their orders: models learn from it where they gain.
    report : callable, optional
        Told of each step: its name, how much is done, how much there is.

    Raises
    ------
    WindowError
        If the log is too short, or at no snapshot is there anyone to contact.
    FitError
        If nothing can be learnt.
    """
    settings = settings or TrainSettings()
    report = report or (lambda step, done, total: None)
    threads = settings.threads or cpu_quota()
    with (
        engine_for(log.table.num_rows, threads=threads) as engine,
        PurchaseHistory(log, engine, tried_beside(log, beside)) as history,
    ):
        if settings.horizon_days is None:
            advice = advise(history, limit=settings.snapshots)
            settings = settings.advised(advice.horizon_days, advice.dormant_after_days)
        rows = _labelled(history, log, settings, snapshots, report)
        if settings.dormant_after_days is None:
            settings = settings.advised(settings.horizon, dormancy(history, settings.horizon))
    testable = [row for row in rows if known_at(rows, row.snapshot)][-snapshots:]
    if not testable:
        raise WindowError(
            translated(
                "At no snapshot can a model be fitted whose window had closed when another one opens. Use"
                " a longer log, or a shorter --horizon-days."
            )
        )
    prospects = _replayed(log, rows, testable, settings, costs, cost_files, everyone, report)
    if not prospects:
        raise WindowError(
            translated(
                "At none of the snapshots had anyone bought in the {dormancy_days} days before: there is "
                "nobody to contact. Use --all for everybody who ever bought, or a longer "
                "--dormant-after-days.",
                dormancy_days=settings.dormancy_days,
            )
        )
    return settle(prospects, offer, seed=settings.seed)


def _replayed(
    log: TransactionLog,
    rows: list[LabelledSnapshot],
    testable: list[LabelledSnapshot],
    settings: TrainSettings,
    costs: CostSettings | None,
    cost_files: CostFiles | None,
    everyone: bool,
    report: Report,
) -> list[Prospects]:
    """Train as of each testable snapshot and predict it."""
    step = translated("Training as of each snapshot")
    report(step, 0, len(testable))
    prospects, options = [], fit_options(log, settings)
    for number, row in enumerate(testable):
        keep = np.ones(len(row.table), bool) if everyone else row.recent(settings.dormancy_days)
        if keep.any():
            known = known_at(rows, row.snapshot)[-settings.snapshots :]
            fitted = run_procedure([each.as_known_at(row.snapshot) for each in known], options)
            row = fitted.describe(row, row.window.horizon_days)
            terms = value_terms(settings, row.table, costs)
            if cost_files:
                row, terms, _, _ = with_own_costs(row, log, settings, terms, cost_files)
            probability = fitted.churn.predict(row.columns, row.snapshot)
            prospects.append(prospects_of(row, probability, terms, fitted.spend, keep))
        report(step, number + 1, len(testable))
    return prospects


def prospects_of(
    row: LabelledSnapshot,
    churn_probability: np.ndarray,
    terms: ValueTerms,
    spend: SpendModel,
    keep: np.ndarray | None = None,
) -> Prospects:
    """Return the customers of a labelled snapshot, with what a policy knows of them and whether they churned.

    Parameters
    ----------
    row : LabelledSnapshot
    churn_probability : ndarray of shape (n_customers,), in [0, 1], of a model that had not seen the window
    terms : ValueTerms
    spend : SpendModel
        That had not seen the window either.
    keep : ndarray of bool of shape (n_customers,), who takes part; by default everybody
    """
    table, price = row.table, spend.price.per_purchase(row.columns, row.snapshot)
    columns = {
        "customer_id": table["customer_id"].to_numpy(dtype=object),
        "churn_probability": churn_probability,
        "p0": table["p0"].to_numpy(),
        "days_silent": table["days_since_last_purchase"].to_numpy(dtype=np.float64),
        "value_at_stake": row.clv.net_values(row.columns, terms, price, later=spend.later).at_stake,
        "spend_per_purchase": price,
        "churned": row.churned.astype(np.float64),
    }
    if keep is not None:
        columns = {name: column[keep] for name, column in columns.items()}
    return Prospects(row.window, **columns)


def _labelled(
    history: PurchaseHistory, log: TransactionLog, settings: TrainSettings, snapshots: int, report: Report
) -> list[LabelledSnapshot]:
    """Describe and label every snapshot that is judged or learnt from."""
    # Windows still open at the oldest judged snapshot are neither.
    between = settings.horizon // 28 + 1
    limit = snapshots + between + settings.snapshots
    closed = schedule(log.first_day, log.last_day, settings.horizon, limit=limit).closed
    step = translated("Features and outcomes at each snapshot")
    report(step, 0, len(closed))
    return labelled_snapshots(
        history,
        closed,
        settings.horizon,
        model=settings.clv_model,
        value_horizon_days=settings.value_horizon_days,
        last_order=log.last_day,
        progress=lambda s: report(step, closed.index(s) + 1, len(closed)),
    )
