"""The commands ``campaigns list``, ``export``, ``sent`` and ``withdraw``: the campaigns that the store keeps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.console import show_json, show_table
from features.commands.options import AsJson, options
from features.errors import StayworthError
from features.language import translated
from serving.settings import StoreSettings

if TYPE_CHECKING:
    from serving.store.campaign import Campaign
    from serving.store.store import Store

campaigns = typer.Typer(name="campaigns", no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help="Name of the campaign, such as spring.")]


@campaigns.callback()
def _campaigns() -> None:
    """List and export the campaigns of the store, and say that one was sent or withdrawn."""


@campaigns.command("list")
@options
def list_campaigns(settings: StoreSettings, as_json: AsJson = False) -> None:
    """List the campaigns, the newest first.

    Example: stayworth campaigns list
    """
    from serving.store.store import Store

    with Store(settings.uri) as store:
        found, address = store.campaigns.all(), store.address
    rows = [
        {"name": each.name, "state": each.state, "starts_on": each.starts_on, "closes_on": each.closes_on}
        | {"made_by": each.made_by}
        for each in found
    ]
    if as_json:
        show_json([{name: str(cell) if cell else None for name, cell in row.items()} for row in rows])
        return
    if not rows:
        typer.echo(
            translated(
                "There is no campaign in {address} yet: stayworth plan --offers offers.toml --name spring",
                address=address,
            )
        )
        return
    cells = [[str(cell or "") for cell in row.values()] for row in rows]
    show_table(
        translated("Campaigns in {address}", address=address),
        ["Name", "State", translated("Starts on"), translated("Closes on"), translated("Made by")],
        cells,
    )


@campaigns.command()
@options
def export(
    settings: StoreSettings,
    name: Name,
    out: Annotated[Path, typer.Option("--out", help="Folder to write; must not exist yet.")],
    excel: Annotated[
        bool, typer.Option("--excel", help="Begin CSV files with a byte order mark, which Excel needs.")
    ] = False,
) -> None:
    """Write a campaign of the store as the folder that 'stayworth plan --out' writes.

    Example: stayworth campaigns export spring --out campaign

    Customers taken off the list since the draw are still in it: they count as drawn.
    """
    from serving.campaign.folder import export_campaign
    from serving.campaign.kept import lists_of
    from serving.store.store import Store

    with Store(settings.uri) as store:
        folder = export_campaign(lists_of(store.campaigns, _named(store, name)), out, excel=excel)
    typer.echo(translated("{folder} has the campaign {name}.", folder=folder, name=name))


@campaigns.command()
@options
def sent(settings: StoreSettings, name: Name) -> None:
    """Say that the list of a campaign was sent.

    Example: stayworth campaigns sent spring
    """
    _move(settings, name, "sent")
    typer.echo(translated("{name} is sent.", name=name))


@campaigns.command()
@options
def withdraw(
    settings: StoreSettings,
    name: Name,
    why: Annotated[str, typer.Option("--why", help="Reason, for the audit.")] = "",
) -> None:
    """Withdraw a campaign that was not carried out: other campaigns need not leave its customers alone any more.

    Example: stayworth campaigns withdraw spring --why "the printer broke"
    """
    _move(settings, name, "withdrawn", why)
    typer.echo(translated("{name} is withdrawn.", name=name))


def _move(settings: StoreSettings, name: str, state: str, why: str = "") -> None:
    from serving.store.store import Store
    from serving.store.users import COMMAND_LINE

    with Store(settings.uri) as store:
        store.campaigns.move(_named(store, name), state, COMMAND_LINE, why)


def _named(store: Store, name: str) -> Campaign:
    found = store.campaigns.named(name)
    if found is None:
        known = ", ".join(each.name for each in store.campaigns.all())
        there = translated("There are {known}.", known=known) if known else translated("There is none.")
        raise StayworthError(
            translated(
                "There is no campaign {name} in {address}. {there}",
                name=name,
                address=store.address,
                there=there,
            )
        )
    return found
