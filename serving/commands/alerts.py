"""The commands ``alerts`` and ``snooze``: whom to call today, and what can wait."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.console import progress, show_json, show_table
from features.commands.options import AsJson, options
from serving.alerts.settings import AlertSettings
from serving.settings import StoreSettings

if TYPE_CHECKING:
    import pandas as pd

    from serving.alerts.signals import Scored

_SHOWN = 10


@options
def alerts(settings: AlertSettings, store: StoreSettings, as_json: AsJson = False) -> None:
    """List whom to look at today and what to offer, the most valuable first: overdue, risk, complaint, debt, target.

    Example: stayworth alerts --scores scored.csv --before last_week.csv --offers offers.toml --out alerts.csv

    A customer has one open alert of each kind, which the store remembers. A purchase closes overdue and risk; the
    others close when what raised them is over. 'stayworth snooze' quiets one until a day, or until half as much again
    is at risk. Who must not be contacted (--suppress), and whom a running campaign holds out, is in no alert.
    """
    from serving.alerts.alerts import customers_to_alert, renew
    from serving.alerts.signals import Scored
    from serving.campaign.customer_files import CustomerFiles
    from serving.campaign.running_campaigns import running_campaigns
    from serving.campaign.scored_list import read_scores
    from serving.lists.export import require_target, write_table
    from serving.store.store import Store
    from training.offers.offers import read_offers

    require_target(settings.out)
    with progress() as report, Store(store.uri) as opened:
        report("Reading", 0, 0)
        scores, said = read_scores(settings.scores, settings.date_format)
        scored = Scored.of(scores)
        files = CustomerFiles(
            scored.customers["customer_id"], "the scored list", settings.loose_ids, settings.allow_unmatched
        )
        suppress = (
            files.ids(settings.suppress, "opt-outs", all_that_are_meant=True) if settings.suppress else ()
        )
        running = running_campaigns(settings.out.absolute().parent, settings.running, files)
        offers = read_offers(settings.offers) if settings.offers else []
        customers, alone = customers_to_alert(scored, offers, suppress, running)
        signals, missing = _signals(settings, scored)
        said += [*files.report, *_strangers(signals, scored)]
        found = renew(opened.alerts, signals, customers, scored.snapshot)
        report("Writing", 0, 0)
        write_table(found, settings.out, excel=settings.excel)
    for sentence in said:
        typer.secho(sentence, fg=typer.colors.YELLOW, err=True)
    if as_json:
        plain = found.astype(object).where(found.notna(), None)
        show_json({"snapshot_date": scored.snapshot, "alerts": plain.to_dict("records")})
        return
    _show(found, len(alone), missing)
    typer.echo(f"\n{len(found):,} open alerts of {scored.snapshot} in {settings.out}")


@options
def snooze(
    store: StoreSettings,
    ids: Annotated[list[str], typer.Argument(help="Alerts, by the column alert_id of the list.")],
    until: Annotated[
        datetime,
        typer.Option("--until", formats=["%Y-%m-%d"], help="First day on which they are heard again."),
    ],
) -> None:
    """Quiet alerts until a day, or until half as much again is at risk.

    Example: stayworth snooze 3f9c0a1b2d4e --until 2026-03-01
    """
    import pandas as pd

    from serving.alerts.alerts import as_rows
    from serving.alerts.open_alerts import STATE_COLUMNS, snoozed
    from serving.store.store import Store

    with Store(store.uri) as opened, opened.alerts.changing() as change:
        before = pd.DataFrame(change.before, columns=list(STATE_COLUMNS)).astype(object)
        change.after = as_rows(snoozed(before, ids, until.date()))
    typer.echo(
        f"{len(set(ids)):,} {'alert' if len(set(ids)) == 1 else 'alerts'} snoozed until {until.date()}"
    )


def _signals(settings: AlertSettings, scored: Scored) -> tuple[list[pd.DataFrame], list[str]]:
    """Return what is to be seen in each file, and a sentence for each that is not there."""
    from features.economics.receivables import Receivables
    from features.economics.touches import Touches
    from features.log.settings import LogRules
    from serving.alerts import signals
    from serving.campaign.scored_list import read_scores

    rules = LogRules(date_format=settings.date_format)
    found, missing = [signals.overdue(scored)], []
    if settings.before:
        before = signals.Scored.of(read_scores(settings.before, settings.date_format)[0])
        found.append(signals.risen(scored, before, settings.risk_rise))
    else:
        missing.append("--before, the list before this one, tells whose risk has risen.")
    if settings.touchpoints:
        touches = Touches.read(settings.touchpoints, rules)
        found.append(
            signals.complaints(touches, settings.complaint, scored.snapshot, settings.complaint_days)
        )
    else:
        missing.append("--touchpoints tells of complaints.")
    if settings.receivables:
        found.append(signals.debts(Receivables.read(settings.receivables, rules).table, scored.snapshot))
    else:
        missing.append("--receivables tells of debts.")
    if settings.report:
        found.append(signals.missed_targets(settings.report, scored.snapshot))
    else:
        missing.append("--report, a folder of 'stayworth report --targets', tells of missed targets.")
    return found, missing


def _strangers(signals: list[pd.DataFrame], scored: Scored) -> list[str]:
    ids = {customer for part in signals for customer in part["customer_id"] if customer}
    strange = ids - set(scored.customers["customer_id"])
    if not strange:
        return []
    return [
        f"{len(strange):,} customers with a complaint or a debt are not in the scored list, e.g. {min(strange)}; they "
        "are in no alert."
    ]


def _show(found: pd.DataFrame, alone: int, missing: list[str]) -> None:
    awake = found[found["snoozed_until"].isna()]
    rows = [
        [
            row["customer_id"],
            row["kind"],
            str(row["since"]),
            row["reason"],
            row["value_at_risk"],
            row["offer"],
        ]
        for _, row in awake.head(_SHOWN).iterrows()
    ]
    show_table("Alerts", ["Customer", "Kind", "Since", "Reason", "At risk", "Offer"], rows)
    counts = awake["kind"].value_counts()
    typer.echo(
        "\n" + (", ".join(f"{count:,} {kind}" for kind, count in counts.items()) or "Nothing is open") + "."
    )
    if len(awake) < len(found):
        typer.echo(f"{len(found) - len(awake):,} more are snoozed; they stand at the end of the list.")
    if alone:
        typer.echo(
            f"{alone:,} customers are left alone: they asked for it, or a running campaign holds them out."
        )
    for sentence in missing:
        typer.echo(f"- {sentence}")
