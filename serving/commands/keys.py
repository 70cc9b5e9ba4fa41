"""The commands ``keys add``, ``keys list`` and ``keys revoke``: API keys of the service."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.console import show_json, show_table
from features.commands.options import AsJson, options
from features.errors import StayworthError
from serving.settings import StoreSettings

if TYPE_CHECKING:
    from serving.store.keys import ApiKey

_MEGABYTE = 1024 * 1024
_MOST_MEGABYTES = 1024

keys = typer.Typer(name="keys", no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Argument(help="Name of the key, such as that of the client: crm-1.")]


@keys.callback()
def _keys() -> None:
    """Make, list and revoke the API keys of the service."""


@keys.command()
@options
def add(
    settings: StoreSettings,
    name: Name,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            help="What it gives access to: score, lookup or erase; repeat.",
            show_default="score, lookup",
        ),
    ] = None,
    rate_limit: Annotated[
        str | None,
        typer.Option("--rate-limit", help="Requests it may send, as 600/minute.", show_default="no limit"),
    ] = None,
    max_body_mb: Annotated[
        float | None,
        typer.Option(
            "--max-body-mb", help="Megabytes that a request may hold.", show_default="the service's own limit"
        ),
    ] = None,
) -> None:
    """Make a key and print it. It is shown this once: the store keeps only a digest of it.

    Example: stayworth keys add crm-1 --scope lookup --rate-limit 600/minute
    """
    from serving.store.keys import READING
    from serving.store.store import Store

    if max_body_mb is not None and not 0 < max_body_mb <= _MOST_MEGABYTES:
        raise StayworthError(f"--max-body-mb: between 0 and {_MOST_MEGABYTES:,}, not {max_body_mb:g}.")
    size = None if max_body_mb is None else int(max_body_mb * _MEGABYTE)
    with Store(settings.uri) as store:
        key = store.keys.add(name, scopes=scope or READING, rate_limit=rate_limit, max_body_bytes=size)
    typer.echo(f"The key of {name}, shown only now. Send it as 'Authorization: Bearer …'.", err=True)
    typer.echo(key)


@keys.command("list")
@options
def list_keys(settings: StoreSettings, as_json: AsJson = False) -> None:
    """List the keys, the oldest first, revoked ones too.

    Example: stayworth keys list
    """
    from serving.store.store import Store

    with Store(settings.uri) as store:
        found = store.keys.all()
        address = store.address
    if as_json:
        show_json([_document(key) for key in found])
        return
    if not found:
        typer.echo(f"There is no key in {address} yet. Make one: stayworth keys add crm-1")
        return
    header = ["Name", "Scopes", "Rate limit", "Body, MB", "Made", "Revoked"]
    show_table(f"API keys in {address}", header, [_row(key) for key in found])


def _document(key: ApiKey) -> dict[str, object]:
    known = asdict(key) | {"scopes": sorted(key.scopes)}
    return {name: value for name, value in known.items() if name != "digest"}


def _row(key: ApiKey) -> list[str]:
    return [
        key.name,
        ", ".join(sorted(key.scopes)),
        key.rate_limit or "",
        "" if key.max_body_bytes is None else f"{key.max_body_bytes / _MEGABYTE:g}",
        f"{key.created_at:%Y-%m-%d %H:%M}",
        f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "",
    ]


@keys.command()
@options
def revoke(settings: StoreSettings, name: Name) -> None:
    """Revoke a key, also for a running service. Its name is free again.

    Example: stayworth keys revoke crm-1
    """
    from serving.store.store import Store

    with Store(settings.uri) as store:
        store.keys.revoke(name)
    typer.echo(f"The key of {name} is revoked.")
