"""What a campaign would have earned at past dates: the champion's plan against simpler rules.

At each of the last snapshots whose churn window has closed, training is repeated on what had closed by then, the
choice of the recipe included. Each policy picks its customers, and the account is settled with what they did.
Nobody was contacted, so what an offer does is assumed, for every policy alike: a customer who churned would have
accepted with the offer's rate and been worth their value at stake, less the incentive; one who stayed takes it.

The value at stake is BG/NBD's and Gamma-Gamma's, fitted on what the snapshot sees. Every policy that uses a value
uses this one, and the account is kept in it, perfect foresight's too, for nobody ever sees what an accepted offer
saved. So the policies differ by how well they know who will leave, and none is judged by a value of its own making.

Customers silent for long are left out unless asked for: their value at stake is what they would be worth if they
came back, at an acceptance rate that is hardly theirs, and their churn is no news.
"""

from __future__ import annotations

import numpy as np

from features.engines.duckdb import DuckDBEngine
from features.errors import WindowError
from features.log.transactions import TransactionLog
from features.progress import Report
from features.table.history import PurchaseHistory
from training.backtest.account import Account, settle
from training.backtest.policies import Prospects
from training.churn.procedure import run_procedure
from training.clv.value import ValueTerms
from training.offers.offers import Offer
from training.pipeline import fit_options, value_terms
from training.settings import TrainSettings
from training.snapshots.dataset import LabelledSnapshot, known_at, labelled_snapshots
from training.snapshots.schedule import schedule
from training.threads import cpu_quota


def backtest(
    log: TransactionLog,
    offer: Offer,
    settings: TrainSettings | None = None,
    *,
    snapshots: int = 4,
    everyone: bool = False,
    report: Report | None = None,
) -> Account:
    """Replay the last closed snapshots and settle what each policy would have earned.

    Parameters
    ----------
    log : TransactionLog
    offer : Offer
        Its capacity is set aside.
    settings : TrainSettings
        How each snapshot's model is trained; by default for a window of 90 days. Its ``tune`` is set aside.
    snapshots : int, at least 1
        How many of the newest closed snapshots, a month apart.
    everyone : bool
        Also those who have been silent for longer than ``settings.dormancy_days``.
    report : callable, optional
        Told of each step: its name, how much is done, how much there is.

    Raises
    ------
    WindowError
        If the log is too short, or at no snapshot is there anyone to contact.
    ValueError
        If the settings leave the horizon open.
    FitError
        If nothing can be learnt.
    """
    settings = settings or TrainSettings(horizon_days=90)
    report = report or (lambda step, done, total: None)
    rows = _labelled(log, settings, snapshots, report)
    testable = [row for row in rows if known_at(rows, row.snapshot)][-snapshots:]
    if not testable:
        raise WindowError(
            "At no snapshot can a model be fitted whose window had closed when another one opens. Use a longer log, "
            "or a shorter --horizon-days."
        )
    step = "Training as of each snapshot"
    report(step, 0, len(testable))
    prospects, options = [], fit_options(log, settings)
    for number, row in enumerate(testable):
        keep = np.ones(len(row.table), bool) if everyone else row.recent(settings.dormancy_days)
        if keep.any():
            known = known_at(rows, row.snapshot)[-settings.snapshots :]
            fitted = run_procedure(known, options)
            probability = fitted.churn.predict(row.table, row.snapshot)
            prospects.append(prospects_of(row, probability, value_terms(settings, row.table), keep))
        report(step, number + 1, len(testable))
    if not prospects:
        raise WindowError(
            f"At none of the snapshots had anyone bought in the {settings.dormancy_days} days before: there is nobody "
            "to contact. Use --all for everybody who ever bought, or a longer --dormant-after-days."
        )
    return settle(prospects, offer, seed=settings.seed)


def prospects_of(
    row: LabelledSnapshot, churn_probability: np.ndarray, terms: ValueTerms, keep: np.ndarray | None = None
) -> Prospects:
    """Look at the customers of a labelled snapshot as a campaign would have.

    Parameters
    ----------
    row : LabelledSnapshot
    churn_probability : ndarray of shape (n_customers,), in [0, 1], of a model that had not seen the window
    terms : ValueTerms
    keep : ndarray of bool of shape (n_customers,), who takes part; by default everybody
    """
    table, spend = row.table, row.table["spend_per_purchase"].to_numpy()
    columns = {
        "customer_id": table["customer_id"].to_numpy(dtype=object),
        "churn_probability": churn_probability,
        "p0": table["p0"].to_numpy(),
        "days_silent": table["days_since_last_purchase"].to_numpy(dtype=np.float64),
        "value_at_stake": terms.margin * spend * row.clv.values(table, terms).at_stake,
        "spend_per_purchase": spend,
        "churned": row.churned.astype(np.float64),
    }
    if keep is not None:
        columns = {name: column[keep] for name, column in columns.items()}
    return Prospects(row.snapshot, **columns)


def _labelled(
    log: TransactionLog, settings: TrainSettings, snapshots: int, report: Report
) -> list[LabelledSnapshot]:
    """Describe and label every snapshot that is judged or learnt from."""
    # Windows still open at the oldest judged snapshot are neither.
    between = settings.horizon // 28 + 1
    limit = snapshots + between + settings.snapshots
    closed = schedule(log.first_day, log.last_day, settings.horizon, limit=limit).closed
    step, threads = "Features and outcomes at each snapshot", settings.threads or cpu_quota()
    report(step, 0, len(closed))
    with DuckDBEngine(threads=threads) as engine, PurchaseHistory(log, engine) as history:
        return labelled_snapshots(
            history,
            closed,
            settings.horizon,
            model=settings.clv_model,
            progress=lambda s: report(step, closed.index(s) + 1, len(closed)),
        )
