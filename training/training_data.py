"""Training data: the labelled snapshots that a log affords, and the newest one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from features.behaviour.files import BehaviourFiles
from features.economics.stages import usual_gap
from features.engines.choice import engine_for
from features.language import translated
from features.log.transactions import TransactionLog
from features.progress import Report
from features.snapshot import Snapshot
from features.table.baskets import told_by
from features.table.history import PurchaseHistory
from training.campaign.assignment import read_assignment
from training.settings import TrainSettings
from training.snapshots.dataset import (
    DescribedSnapshot,
    LabelledSnapshot,
    describe_sample,
    describe_snapshot,
    labelled_snapshots,
)
from training.snapshots.exposure import left_out, without_contacted
from training.snapshots.population import Population
from training.snapshots.schedule import Schedule, schedule
from training.threads import cpu_quota
from training.window.advice import Advice
from training.window.advisor import advise
from training.window.dormancy import dormancy


@dataclass(frozen=True)
class TrainingData:
    """What a log gives to learn from.

    Parameters
    ----------
    log : TransactionLog
        Of the customers that are learnt from: the whole one, or a sample of its customers.
    plan : Schedule
    labelled : list of LabelledSnapshot
        Without the customers whose outcome a campaign may have made.
    newest : DescribedSnapshot
        The day after the last order.
    usual_gap_days : int or None
        `features.economics.stages.usual_gap` of the log.
    settings : TrainSettings
        With the horizon as advised where none was set.
    advice : Advice or None
        None where the horizon was set.
    contacted_left_out : int or None
        Labelled customers left out for a campaign; None without campaigns.
    """

    log: TransactionLog
    plan: Schedule
    labelled: list[LabelledSnapshot]
    newest: DescribedSnapshot
    settings: TrainSettings
    advice: Advice | None = None
    contacted_left_out: int | None = None
    usual_gap_days: int | None = None

    @property
    def known_at_test(self) -> list[LabelledSnapshot]:
        """The snapshots whose windows had closed when the test snapshot opens, as they were known then."""
        before = [each for each in self.labelled if each.snapshot in self.plan.before_test]
        return [each.as_known_at(self.plan.test) for each in before]

    @property
    def test(self) -> LabelledSnapshot:
        """The test snapshot."""
        return next(each for each in self.labelled if each.snapshot == self.plan.test)

    @property
    def closed(self) -> list[LabelledSnapshot]:
        """The snapshots whose windows have closed by the end of the log."""
        return [each for each in self.labelled if each.snapshot in self.plan.closed]


def tried_beside(log: TransactionLog, beside: BehaviourFiles | None) -> BehaviourFiles | None:
    """Return what is tried beside the orders: files and own features, and what the log's lines tell of baskets."""
    told = told_by(log.columns)
    return (beside or BehaviourFiles()).with_baskets(told) if told else beside


def prepare(
    log: TransactionLog,
    settings: TrainSettings,
    report: Report,
    beside: BehaviourFiles | None = None,
    everybody: PurchaseHistory | None = None,
) -> TrainingData:
    """Describe and label the snapshots that a log affords, at the advised horizon where none is set.

    Parameters
    ----------
    log : TransactionLog
    settings : TrainSettings
    report : callable
    beside : BehaviourFiles, optional
        What is known of customers beside their orders.
    everybody : PurchaseHistory, optional
        Of all customers, where ``log`` holds the rows of a sample of them.

    Raises
    ------
    WindowError
        If the log is too short, or the test window has not closed.
    FitError
        If the purchase model can be fitted at no snapshot, or nobody bought twice.
    """
    campaigns = [read_assignment(folder) for folder in settings.campaign]
    threads = settings.threads or cpu_quota()
    customers = settings.customers_learnt_from(log.report)
    settings = settings.model_copy(update={"sample_customers": customers})
    drawn = log.sample(customers, settings.seed)
    with (
        engine_for(drawn.table.num_rows, threads=threads) as engine,
        PurchaseHistory(drawn, engine, beside) as history,
    ):
        advice = advise(history, limit=settings.snapshots) if settings.horizon_days is None else None
        if advice:
            settings = settings.advised(advice.horizon_days, advice.dormant_after_days)
        plan = schedule(
            log.first_day,
            log.last_day,
            settings.horizon,
            limit=settings.snapshots,
            test=Snapshot(settings.test_snapshot) if settings.test_snapshot else None,
        )
        if settings.dormant_after_days is None:
            settings = settings.advised(settings.horizon, dormancy(history, settings.horizon))
        described = _labelled(history, plan, settings, log.last_day, report)
        if everybody is None and drawn is log:
            newest = describe_snapshot(history, plan.newest, settings.horizon, model=settings.clv_model)
        else:
            whole = (
                Population.of(everybody, plan.newest)
                if everybody is not None
                else Population.of_log(log, plan.newest, threads)
            )
            newest = describe_sample(history, whole, plan.newest, settings.horizon, settings.clv_model)
        usual = usual_gap(*history.gaps(plan.newest))
    labelled = without_contacted(described, campaigns)
    removed = left_out(described, labelled) if campaigns else None
    return TrainingData(drawn, plan, labelled, newest, settings, advice, removed, usual)


def _labelled(
    history: PurchaseHistory, plan: Schedule, settings: TrainSettings, last_order: date, report: Report
) -> list[LabelledSnapshot]:
    snapshots, step = plan.snapshots, translated("Features and outcomes at each snapshot")
    report(step, 0, len(snapshots))
    return labelled_snapshots(
        history,
        snapshots,
        settings.horizon,
        model=settings.clv_model,
        value_horizon_days=settings.value_horizon_days,
        last_order=last_order,
        progress=lambda s: report(step, snapshots.index(s) + 1, len(snapshots)),
    )
