"""The commands ``alerts`` and ``snooze``: whom to call today, and what can wait."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.console import progress, show_json, show_remarks, show_table
from features.commands.options import AsJson, options
from features.language import translated, use_language, written
from serving.alerts.settings import AlertSettings
from serving.commands.delivery import opened_delivery, show_delivered
from serving.commands.raised_alerts import raise_alerts
from serving.delivery.settings import WebhookSettings
from serving.settings import StoreSettings

if TYPE_CHECKING:
    import pandas as pd


_SHOWN = 10


@options
def alerts(
    settings: AlertSettings, store: StoreSettings, webhook: WebhookSettings, as_json: AsJson = False
) -> None:
    """List whom to look at today and what to offer, the most valuable first: overdue, risk, complaint, debt, target.

    Example: stayworth alerts --scores scored.csv --before last_week.csv --offers offers.toml --out alerts.csv

    A customer has one open alert of each kind, which the store remembers. A purchase closes overdue and risk; the
    others close when what raised them is over. 'stayworth snooze' quiets one until a day, or until half as much again
    is at risk. Who must not be contacted (--suppress), and whom a running campaign holds out, is in no alert.

    With --webhook an address is told of each alert once, and of its end.

    Exit codes: 0 done; 2 something for you to mend; 4 the webhook has not taken everything, and the next run sends the
    rest.
    """
    from serving.alerts.alerts import left_alone_in_words
    from serving.lists.export import require_target

    require_target(settings.out)
    with use_language(settings.language), opened_delivery(webhook, store.uri, "alerts") as delivery:
        with progress() as report:
            raised = raise_alerts(settings, store.uri, delivery, report)
        show_remarks(raised.said)
        found = raised.alerts
        if as_json:
            plain = found.astype(object).where(found.notna(), None)
            show_json({"snapshot_date": raised.snapshot, "alerts": plain.to_dict("records")})
        else:
            _show(found, raised.customers)
            for sentence in (
                *left_alone_in_words(raised.alone),
                *(f"- {each}" for each in raised.missing),
            ):
                typer.echo(sentence)
            typer.echo()
            typer.echo(raised.in_words(settings))
        if delivery:
            show_delivered(delivery, quiet=as_json)


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
    typer.echo(translated("{n:alert|alerts} snoozed until {day:date}", n=len(set(ids)), day=until.date()))


def _show(found: pd.DataFrame, customers: int) -> None:
    from serving.alerts.signals import KIND_NAMES

    if found.empty:
        typer.echo(
            translated(
                "Nothing is to be done today: of {n:customer|customers} on the list nobody has been silent for longer "
                "than their own rhythm explains (stage lapsing), and no other file raises an alert.",
                n=customers,
            )
        )
        return
    awake = found[found["snoozed_until"].isna()]
    heads = (
        *(translated("Customer"), translated("Kind"), translated("Since")),
        *(translated("Reason"), translated("At risk"), translated("Offer")),
    )
    show_table(translated("Alerts"), heads, [_cells(row) for _, row in awake.head(_SHOWN).iterrows()])
    typer.echo(
        translated(
            "Since: the day of the list on which it was first seen; of a complaint its day, of a debt the first day on "
            "which it was overdue."
        )
    )
    if len(awake) > _SHOWN:
        typer.echo(translated("{n:more alert is|more alerts are} in the file.", n=len(awake) - _SHOWN))
    typer.echo()
    for kind, count in awake["kind"].value_counts().items():
        typer.echo(f"{translated(KIND_NAMES[str(kind)])}: {written(count, ',')}")
    if len(awake) < len(found):
        typer.echo(
            translated("At the end of the list: {n:snoozed alert|snoozed alerts}.", n=len(found) - len(awake))
        )


def _cells(alert: pd.Series) -> list[str]:
    from serving.alerts.signals import KIND_NAMES

    risk = float(alert["value_at_risk"])
    return [
        alert["customer_id"],
        translated(KIND_NAMES[alert["kind"]]),
        written(alert["since"], "date"),
        alert["reason"],
        written(risk, ",.2f") if risk == risk else "",
        alert["offer"],
    ]
