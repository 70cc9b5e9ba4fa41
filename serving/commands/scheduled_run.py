"""A scheduled run: train if due, compare, score, publish, raise alerts; each step is done once, and noted.

A step that was noted is looked at before it is left out: a list that was changed or deleted since, or that another
champion made, is made again.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from features.errors import DeliveryError, FitError, StayworthError
from features.files import atomic_path
from features.language import translated, use_language
from features.log.findings import WARNING, settle
from features.snapshot import Snapshot
from serving.commands.delivery import opened_delivery
from serving.commands.made_list import (
    contacts_of,
    given_snapshot,
    make_list,
    publishable,
    summary_of,
)
from serving.commands.raised_alerts import raise_alerts
from serving.commands.replaced_list import losses
from serving.commands.run_id import digest_of, run_id
from training.commands.monitor import why_due
from training.versions.registry import Registry
from training.versions.run_record import TRAINED_BY, RunRecord

if TYPE_CHECKING:
    from features.behaviour.files import BehaviourFiles
    from features.economics.trailing import CostFiles
    from features.log.settings import LogSettings
    from features.log.transactions import TransactionLog
    from features.progress import Report
    from serving.alerts.settings import AlertSettings
    from serving.commands.made_list import MadeList
    from serving.delivery.settings import WebhookSettings
    from serving.settings import MoneySettings, ScoreSettings, StoreSettings
    from serving.store.store import Store
    from training.behaviour_settings import BehaviourSettings, OwnFeatureSettings
    from training.cost_settings import CostSettings
    from training.judging.promotion_decision import PromotionDecision
    from training.monitoring.settings import MonitorSettings
    from training.settings import RegistrySettings, TrainSettings
    from training.versions.registry import Version

PROMOTED, STAYS, NOT_DUE = "promoted", "stayed", "not due"

_REASONS_KEPT = 5_000  # characters: MLflow takes some thousand


@dataclass(frozen=True)
class RunSections:
    """The sections of settings that a run reads."""

    log: LogSettings
    train: TrainSettings
    costs: CostSettings
    behaviour: BehaviourSettings
    own: OwnFeatureSettings
    monitor: MonitorSettings
    score: ScoreSettings
    money: MoneySettings
    registry: RegistrySettings
    store: StoreSettings
    webhook: WebhookSettings
    alerts: AlertSettings | None


@dataclass
class ScheduledRun:
    """A run over a log that has been read and validated.

    Parameters
    ----------
    orders : TransactionLog
    sections : RunSections
    files : CostFiles or None, as `CostSettings.files` reads them
    beside : BehaviourFiles or None, as `BehaviourSettings.files` reads them
    report : Report

    Attributes
    ----------
    said : list of str
        Warnings and notes of the steps that were done now.
    """

    orders: TransactionLog
    sections: RunSections
    files: CostFiles | None
    beside: BehaviourFiles | None
    report: Report
    said: list[str] = field(default_factory=list)

    @cached_property
    def snapshot(self) -> Snapshot:
        """The day of the list."""
        return given_snapshot(self.sections.score) or Snapshot.after(self.orders.last_day)

    @cached_property
    def id(self) -> str:
        """The id: the same for the same orders, files, settings and snapshot."""
        from serving.store.address import Address

        groups = {name: getattr(self.sections, name) for name in RunSections.__annotations__}
        for name in ("registry", "store", "webhook"):
            del groups[name]
        addresses = (str(Address(self.sections.store.uri)), self.sections.webhook.url or "")
        return run_id(self.orders.report.fingerprint, self.snapshot, groups, *addresses)

    @cached_property
    def registry(self) -> Registry:
        """Where the versions are."""
        return Registry(self.sections.registry.tracking_uri)

    @cached_property
    def record(self) -> RunRecord:
        """What the run has done, now and before."""
        return RunRecord(self.registry.uri, self.id)

    def is_done(self) -> bool:
        """Tell whether an earlier run has done all of this, and nothing of it was changed since."""
        alerts, steps = self.sections.alerts, self.record.steps
        raised = alerts is None or ("alerts" in steps and digest_of(alerts.out) == steps["alerts"]["digest"])
        return "training" in steps and self._is_scored() and raised

    def work(self) -> None:
        """Do what is left to do.

        Raises
        ------
        StayworthError
            If a step fails. Where training does and there is a champion, the list is made all the same.
        """
        failure = None
        with self.record.at_work(f"run {self.snapshot} {self.id}"):
            self._require_whole()
            if "training" not in self.record.steps:
                try:
                    self._train()
                except FitError as error:
                    if self.registry.current() is None:
                        raise
                    failure = error
            if not self._is_scored():
                self._score()
            if self.sections.alerts:
                self._alert(self.sections.alerts)
            if failure:
                raise failure

    def _require_whole(self) -> None:
        """Refuse a log that has lost many of the published customers, or days, before a model learns from the rest."""
        settings, log = self.sections.score, self.sections.log
        with publishable(self.sections.store if settings.publish else None) as store:
            if store:
                settle(losses(store, self.orders.report.customers, self.snapshot.date, settings), log.accept)

    def _train(self) -> None:
        """Train if it is due, and decide on the champion; what a killed run has trained is only decided on."""
        beside = self.sections.own.added(self.beside)
        document: dict[str, Any] = {"due": True, "reasons": []}
        decided = self._decided_later(beside)
        if decided is None:
            due, reasons = why_due(self.registry, self.orders, self.sections.monitor, beside)
            document = {"due": due, "reasons": _cut(reasons)}
            decided = self._trained(beside) if due else None
        if decided:
            version, decision = decided
            outcome = PROMOTED if decision is None or decision.promote else STAYS
            document |= {"version": version.version}
            document["reasons"] = _cut([*document["reasons"], *(decision.reasons if decision else ())])
        else:
            outcome = NOT_DUE
        self.record.note("training", {"outcome": outcome} | document)

    def _trained(self, beside: BehaviourFiles | None) -> tuple[Version, PromotionDecision | None]:
        from training.pipeline import train, with_champion_window
        from training.registration import register

        settings = self.sections.train.model_copy(update={"promote": True})
        run = train(
            self.orders,
            with_champion_window(settings, self.registry),
            self.report,
            registry=self.registry,
            costs=self.sections.costs,
            cost_files=self.files,
            beside=beside,
        )
        return register(run, self.orders, settings, self.registry, self.report, {TRAINED_BY: self.id})

    def _decided_later(
        self, beside: BehaviourFiles | None
    ) -> tuple[Version, PromotionDecision | None] | None:
        """Decide on the version that this run had registered when it was killed; None where there is none."""
        from training.judging.promotion import decide_promotion
        from training.pipeline import with_champion_window
        from training.threads import cpu_quota
        from training.training_data import prepare

        name, champion = self.record.trained_version(), self.registry.current()
        if name is None:
            return None
        if champion and champion.version == name:
            return champion, None
        version = next(each for each in self.registry.versions() if each.version == name)
        settings = self.sections.train
        data = prepare(self.orders, with_champion_window(settings, self.registry), self.report, beside)
        decision = decide_promotion(
            *(self.registry, version, self.registry.load(name), data.labelled, data.log),
            force=settings.force,
            seed=settings.seed,
            threads=settings.threads or cpu_quota(),
            beside=beside,
        )
        return version, decision

    def _is_scored(self) -> bool:
        """Tell whether the champion's list of this run is where it should be."""
        done, settings = self.record.steps.get("scoring"), self.sections.score
        champion = self.registry.champion_version() if done else None
        if done is None or champion is None or list(champion) != done["champion"]:
            return False
        files = {"out": digest_of(settings.out), "unscored": digest_of(settings.unscored)}
        if files != done["digests"]:
            return False
        if done["set"] is None:
            return True
        with publishable(self.sections.store) as store:
            newest = store.newest() if store else None
        return newest is not None and newest.id >= done["set"]

    def _score(self) -> None:
        from serving.scorer import Scorer

        sections, settings = self.sections, self.sections.score
        with publishable(sections.store if settings.publish else None) as published:
            contacts = contacts_of(settings)
            champion = self.registry.champion_version()
            scorer = Scorer.from_registry(sections.registry.tracking_uri)
            scorer.costs.require(sections.costs.stated())
            orders = self.orders.at_prices(scorer.prices) if self.orders.prices else self.orders
            found = scorer.remarks.differences(orders, given_snapshot(settings))
            for sentence in settle(found, sections.log.accept, strict=sections.log.strict):
                self.said.append(translated(WARNING, sentence=sentence))
            self._keep_before()
            made = make_list(
                *(settings, sections.log, sections.money, scorer, orders, contacts, published),
                *(self.report,),
                files=self.files,
                beside=self.beside,
            )
            set_id = self._publish(published, made) if published else None
            document = summary_of(made, orders.report).document(str(published.address) if published else None)
        self.said += made.said
        digests = {"out": digest_of(settings.out), "unscored": digest_of(settings.unscored)}
        noted = {"champion": champion, "digests": digests, "set": set_id, "list": document}
        self.record.note("scoring", noted)

    def _publish(self, store: Store, made: MadeList) -> int:
        """Publish the list, unless a run that was killed before it could note so has; return the set's id."""
        newest, begun = store.newest(), self.record.steps.get("publication")
        mine = (made.version, made.scored.snapshot.date, made.scored.customers)
        if newest and begun and newest.id > begun["after"]:
            theirs = (newest.model_version, newest.snapshot_date, newest.customers)
            if mine == theirs:
                return newest.id
        self.record.note("publication", {"after": newest.id if newest else 0})
        keep = self.sections.score.keep_sets
        return store.publish(made.scored.table, keep=keep, progress=self.report).id

    def _keep_before(self) -> None:
        """Keep the list of an earlier day, before it is replaced, under the name that alerts compare with."""
        from serving.alerts.signals import Scored
        from serving.campaign.list_file import read_scores

        alerts, out = self.sections.alerts, self.sections.score.out
        if not (alerts and alerts.before and out and out.is_file()):
            return
        # A list that somebody has damaged is replaced, and is nothing to compare with.
        with suppress(StayworthError):
            if Scored.of(read_scores(out, alerts.date_format)[0]).snapshot >= self.snapshot.date:
                return
            with atomic_path(alerts.before, private=True) as beside:
                shutil.copyfile(out, beside)

    def _alert(self, settings: AlertSettings) -> None:
        """Raise alerts on the list, and tell the webhook."""
        if settings.before and not settings.before.exists():
            settings = settings.model_copy(update={"before": None})
        sent = 0
        with (
            use_language(settings.language),
            opened_delivery(self.sections.webhook, self.sections.store.uri, "alerts") as delivery,
        ):
            raised = raise_alerts(settings, self.sections.store.uri, delivery, self.report)
            self.said += raised.said
            if delivery:
                try:
                    sent = delivery.outbox.deliver(delivery.webhook, self.report).sent
                except DeliveryError as error:  # its exit code would say that the champion stays
                    raise StayworthError(str(error)) from None
        noted = {"open": len(raised.alerts), "delivered": sent, "digest": digest_of(settings.out)}
        self.record.note("alerts", noted)


def _cut(reasons: list[str]) -> list[str]:
    """Return the first reasons, as many as are kept."""
    kept, room = [], _REASONS_KEPT
    for reason in reasons:
        room -= len(reason)
        if room >= 0:
            kept.append(reason)
    return kept
