"""The command ``sync``: an audience kept up to date in a webhook or a table."""

from __future__ import annotations

from collections.abc import Mapping

import typer

from features.commands.console import show_json, show_remarks
from features.commands.options import AsJson, options
from features.errors import StayworthError
from features.language import translated
from serving.audience.settings import SyncSettings
from serving.commands.delivery import opened_delivery, show_delivered
from serving.delivery.settings import WebhookSettings
from serving.settings import StoreSettings


@options
def sync(
    settings: SyncSettings, store: StoreSettings, webhook: WebhookSettings, as_json: AsJson = False
) -> None:
    """Tell a webhook or a table who has joined an audience and who has left it since the last time.

    A webhook is told of members, too, whose contact, offer or segment has changed.

    Example: stayworth sync --audience vip-at-risk --list scored.csv --tier vip --stage lapsing --webhook https://crm/hook

    To a table: stayworth sync --audience spring --list campaign/list.csv --database postgresql://crm@db/marketing

    Whom a running campaign holds out, the standing holdout, and who is in --suppress, are in no audience. A table
    changes in one transaction.

    Exit codes: 0 done; 2 something for you to mend; 4 the receiver has not taken everything, and the next run sends the
    rest.
    """
    from serving.audience.changes import change_messages
    from serving.audience.members import read_members
    from serving.audience.table import sync_table
    from serving.campaign.kept import running_in
    from serving.store.store import Store

    if (settings.database is None) == (webhook.url is None):
        raise StayworthError(
            translated("Where is the audience to go? Give --webhook URL or --database URI, one of the two.")
        )
    with opened_delivery(webhook, store.uri, "audience", settings.audience) as delivery:
        with Store(store.uri) as opened:
            kept, _ = running_in(opened.campaigns)
        members = read_members(settings, kept)
        if delivery:
            box = delivery.outbox
            changes, state, messages = change_messages(settings.audience, box.state, members.rows)
            box.queue(state, messages)
        else:
            changes = sync_table(
                settings.database or "", settings.table, settings.audience, list(members.rows["customer_id"])
            )
        show_remarks(members.said)
        counts = {
            "members": len(members.rows),
            "joined": len(changes.joined),
            "left": len(changes.left),
            "changed": len(changes.changed),
            "held_out": members.held_out,
            "suppressed": members.suppressed,
        }
        if as_json:
            show_json({"audience": settings.audience, **counts})
        else:
            _show(settings.audience, counts, changed=delivery is not None)
        if delivery:
            show_delivered(delivery, quiet=as_json)


def _show(audience: str, counts: Mapping[str, int], *, changed: bool) -> None:
    """Print the counts; those of members of whom something else is told only where it is."""
    typer.echo(
        translated(
            "{audience}: {n:customer|customers}; {joined:,} joined, {left:,} left since the last time.",
            audience=audience,
            n=counts["members"],
            joined=counts["joined"],
            left=counts["left"],
        )
    )
    if changed:
        typer.echo(
            translated(
                "Of {n:member|members} something else is told than before: a contact, an offer or a segment.",
                n=counts["changed"],
            )
        )
    typer.echo(
        translated(
            "Kept out: {held_out:,} held out by campaigns, {suppressed:,} who asked for it.",
            held_out=counts["held_out"],
            suppressed=counts["suppressed"],
        )
    )
