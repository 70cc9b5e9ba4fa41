"""Alerts raised on a scored list, for the command ``alerts`` and for a scheduled run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from features.errors import StayworthError
from features.language import translated
from serving.alerts.settings import AlertSettings
from serving.commands.delivery import Delivery

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from features.economics.touches import Touches
    from features.progress import Report
    from serving.alerts.signals import Scored
    from serving.campaign.customer_files import CustomerFiles
    from serving.store.store import Store


@dataclass(frozen=True)
class Raised:
    """The open alerts after a list was looked at, and what is to be said of it.

    Parameters
    ----------
    alerts : DataFrame
    snapshot : date
        The list's.
    customers : int
        How many the list has.
    alone : dict of reason to number of customers whom no alert may be about
    missing : list of str
        Which files would tell more, in sentences.
    said : list of str
        Warnings.
    """

    alerts: pd.DataFrame
    snapshot: date
    customers: int
    alone: dict[str, int]
    missing: list[str]
    said: list[str]

    def in_words(self, settings: AlertSettings) -> str:
        """Say how many alerts are open, and where they are."""
        return translated(
            "{n:open alert|open alerts} of {day:date} in {file}",
            n=len(self.alerts),
            day=self.snapshot,
            file=str(settings.out),
        )


def raise_alerts(
    settings: AlertSettings, store_uri: str, delivery: Delivery | None, report: Report
) -> Raised:
    """Look for what raises an alert, renew the open ones in the store, write them, and queue what is to be told."""
    from serving.alerts.alerts import renew
    from serving.alerts.notices import notices
    from serving.alerts.signals import Scored
    from serving.campaign.customer_files import CustomerFiles
    from serving.campaign.list_file import read_scores
    from serving.lists.export import write_table
    from serving.store.store import Store

    with Store(store_uri) as opened:
        report(translated("Reading"), 0, 0)
        scores, said = read_scores(settings.scores, settings.date_format)
        scored = Scored.of(scores)
        files = CustomerFiles(
            scored.customers["customer_id"],
            translated("the scored list"),
            settings.loose_ids,
            settings.allow_unmatched,
        )
        customers, alone = _customers(settings, scored, files, opened)
        signals, missing = _signals(settings, scored, files)
        found = renew(opened.alerts, signals, customers, scored.snapshot)
        report(translated("Writing"), 0, 0)
        write_table(found, settings.out, excel=settings.excel)
        if delivery:
            delivery.outbox.queue(*notices(found, delivery.outbox.state, scored.snapshot))
    return Raised(found, scored.snapshot, len(scored.customers), alone, missing, [*said, *files.report])


def _customers(
    settings: AlertSettings, scored: Scored, files: CustomerFiles, store: Store
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return whom an alert may be about, and the number of others by the reason."""
    from serving.alerts.alerts import customers_to_alert
    from serving.campaign.kept import running_in
    from serving.campaign.meant_rows import OPT_OUTS
    from serving.campaign.running_campaigns import running_campaigns
    from training.offers.offer_files import read_offers

    suppress = files.ids(settings.suppress, OPT_OUTS, all_that_are_meant=True) if settings.suppress else ()
    kept, _ = running_in(store.campaigns)
    running = running_campaigns(settings.out.absolute().parent, settings.running, files, kept)
    offers = read_offers(settings.offers) if settings.offers else []
    return customers_to_alert(scored, offers, suppress, running)


def _signals(
    settings: AlertSettings, scored: Scored, files: CustomerFiles
) -> tuple[list[pd.DataFrame], list[str]]:
    """Return what is to be seen in each file, and a sentence for each that is not there."""
    from features.economics.receivables import Receivables
    from features.economics.touches import Touches
    from features.log.settings import LogRules
    from serving.alerts import signals
    from serving.campaign.list_file import read_scores

    rules = LogRules(date_format=settings.date_format, decimal=settings.decimal, thousands=settings.thousands)
    found, missing = [signals.overdue(scored)], []
    if settings.before:
        before = signals.Scored.of(read_scores(settings.before, settings.date_format)[0])
        before = before.of_customers(files.matched(before.customers["customer_id"], settings.before.name))
        found.append(signals.risen(scored, before, settings.risk_rise))
    else:
        missing.append(translated("--before, the list before this one, tells whose risk has risen."))
    if settings.touchpoints:
        touches = Touches.read(settings.touchpoints, rules)
        files.report += [finding.message for finding in touches.findings]
        touches = replace(touches, table=_matched(touches.table, settings.touchpoints, files))
        _require_names(settings, touches)
        found.append(
            signals.complaints(touches, settings.complaint, scored.snapshot, settings.complaint_days)
        )
    else:
        missing.append(translated("--touchpoints tells of complaints."))
    if settings.receivables:
        owed = Receivables.read(settings.receivables, rules)
        files.report += [finding.message for finding in owed.findings]
        debts = _matched(owed.table, settings.receivables, files)
        found.append(signals.debts(debts, scored.snapshot))
    else:
        missing.append(translated("--receivables tells of debts."))
    if settings.report:
        found.append(signals.missed_targets(settings.report, scored.snapshot))
    else:
        missing.append(
            translated("--report, a folder of 'stayworth report --targets', tells of missed targets.")
        )
    return found, missing


def _require_names(settings: AlertSettings, touches: Touches) -> None:
    """Refuse a name of complaints that no touch has, unless it is the default: then nobody has complained."""
    names = sorted({name.casefold() for name in touches.table["touchpoint"].to_pylist()})
    usual = AlertSettings.model_fields["complaint"].get_default(call_default_factory=True)
    unheard = [name for name in settings.complaint if name not in usual and name.casefold() not in names]
    if unheard:
        raise StayworthError(
            translated(
                "No touch is called {example!r}, as --complaint says; there are {names}.",
                example=unheard[0],
                names=", ".join(names[:8]),
            )
        )


def _matched(table: pa.Table, path: Path, files: CustomerFiles) -> pa.Table:
    """Write the ids of a file's customers as the scored list does; null for those who are not in it."""
    import pyarrow as pa

    ids = table["customer_id"].to_pylist()
    pairs = files.matched(ids, translated("customers of {file}", file=path.name))
    known = pa.array([pairs.get(each) for each in ids], pa.string())
    return table.set_column(table.column_names.index("customer_id"), "customer_id", known)
