"""The commands ``users add``, ``users list`` and ``users remove``: who may use the workbench."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from features.commands.console import show_json, show_table
from features.commands.options import AsJson, options
from serving.settings import StoreSettings

users = typer.Typer(name="users", no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help="Name of the user, such as sara.")]


@users.callback()
def _users() -> None:
    """Add, list and remove the users of the workbench."""


@users.command()
@options
def add(
    settings: StoreSettings,
    name: Name,
    role: Annotated[
        str,
        typer.Option(
            "--role",
            help="look: see customers; campaign: take out lists and keep segments too; admin: promote models too.",
        ),
    ] = "look",
) -> None:
    """Add a user. The password is asked for, or read from the standard input where that is no terminal.

    Example: stayworth users add sara --role campaign
    """
    from serving.store.store import Store

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    with Store(settings.uri) as store:
        store.users.add(name, role, password)
    typer.echo(f"{name} may sign in now, with the role {role}.")


@users.command("list")
@options
def list_users(settings: StoreSettings, as_json: AsJson = False) -> None:
    """List the users by name.

    Example: stayworth users list
    """
    from serving.store.store import Store

    with Store(settings.uri) as store:
        found = store.users.all()
        address = store.address
    if as_json:
        show_json([{k: v for k, v in asdict(user).items() if k != "id"} for user in found])
        return
    if not found:
        typer.echo(f"There is no user in {address} yet. Make one: stayworth users add sara --role admin")
        return
    rows = [[user.name, user.role, f"{user.created_at:%Y-%m-%d %H:%M}"] for user in found]
    show_table(f"Users of the workbench in {address}", ["Name", "Role", "Made"], rows)


@users.command()
@options
def remove(settings: StoreSettings, name: Name) -> None:
    """Remove a user. Whoever is signed in by that name is no more.

    Example: stayworth users remove sara
    """
    from serving.store.store import Store

    with Store(settings.uri) as store:
        store.users.remove(name)
    typer.echo(f"{name} is removed.")
