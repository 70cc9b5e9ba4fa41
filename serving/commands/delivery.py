"""What the commands that tell a webhook share: its outbox, and what they say of a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from features.commands.console import progress
from features.language import translated

if TYPE_CHECKING:
    from serving.delivery.outbox import Outbox
    from serving.delivery.settings import WebhookSettings
    from serving.delivery.webhook import Webhook


@dataclass(frozen=True)
class Delivery:
    """A webhook and the outbox of what it is told."""

    outbox: Outbox
    webhook: Webhook


@contextmanager
def opened_delivery(
    settings: WebhookSettings, store_uri: str, kind: str, name: str = ""
) -> Iterator[Delivery | None]:
    """Open a webhook and its outbox; None where no webhook is given.

    Raises
    ------
    StayworthError
        If the address or the secret is none, or another run delivers to the same receiver.
    """
    if settings.url is None:
        yield None
        return
    from serving.delivery.outbox import Outbox, outbox_path
    from serving.store.address import Address

    with settings.opened() as webhook:
        folder = settings.folder(Address(store_uri).file)
        with Outbox.opened(outbox_path(folder, kind, name, webhook.url)) as outbox:
            yield Delivery(outbox, webhook)


def show_delivered(delivery: Delivery, *, quiet: bool = False) -> None:
    """Deliver what is pending, and say how much it was.

    Raises
    ------
    DeliveryError
        If something is left for the next run.
    """
    with progress() as report:
        done = delivery.outbox.deliver(delivery.webhook, report)
    typer.echo(
        translated(
            "{n:message|messages} delivered to {address}", n=done.sent, address=delivery.webhook.address
        ),
        err=quiet,
    )
