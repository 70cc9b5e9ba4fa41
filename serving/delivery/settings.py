"""Settings of deliveries: each field is a key of ``stayworth.toml``, a flag and its help text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field

from features.errors import OutputError, StayworthError
from features.language import translated
from features.settings import Settings
from serving.delivery.signature import SECRET_VARIABLE, signing_key

if TYPE_CHECKING:
    from serving.delivery.webhook import Webhook


class WebhookSettings(Settings, section="webhook"):
    """Where messages go, and how patiently: the section ``[webhook]``. The secret is none of its settings."""

    url: Annotated[
        str | None,
        typer.Option(
            "--webhook",
            envvar="STAYWORTH_WEBHOOK",
            help=f"Address that is told, by signed messages (Standard Webhooks; the secret in {SECRET_VARIABLE}).",
        ),
    ] = None
    secret_file: Annotated[
        Path | None,
        typer.Option("--webhook-secret-file", help=f"File with the secret, instead of {SECRET_VARIABLE}."),
    ] = None
    timeout_seconds: Annotated[
        float, typer.Option("--webhook-timeout-seconds", help="To wait for an answer to a message.")
    ] = Field(default=10.0, gt=0, le=600)
    retry_seconds: Annotated[
        float,
        typer.Option(
            "--webhook-retry-seconds",
            help="To try again with a message, where the webhook fails, is too slow or cannot be reached.",
        ),
    ] = Field(default=30.0, ge=0, le=3600)
    delivered: Annotated[
        Path | None,
        typer.Option(
            "--delivered",
            help="Folder that keeps what was delivered, for the next run.",
            show_default="a folder beside a store of SQLite",
        ),
    ] = None

    @contextmanager
    def opened(self) -> Iterator[Webhook]:
        """Open the webhook.

        Raises
        ------
        StayworthError
            If the address is none, or there is no secret.
        """
        from serving.delivery.webhook import Webhook

        hook = Webhook(
            self.url or "",
            signing_key(os.environ, self.secret_file),
            timeout_seconds=self.timeout_seconds,
            retry_seconds=self.retry_seconds,
        )
        try:
            yield hook
        finally:
            hook.close()

    def folder(self, store_file: Path | None) -> Path:
        """Return the folder of what was delivered, made if it is not there; for its owner alone.

        Parameters
        ----------
        store_file : Path or None, of a store of SQLite

        Raises
        ------
        StayworthError
            If neither the settings nor the store say where it is.
        OutputError
            If it cannot be made.
        """
        if self.delivered is None and store_file is None:
            raise StayworthError(
                translated(
                    "Where is what was delivered to be kept? The store is no file that it could lie beside: "
                    "--delivered FOLDER."
                )
            )
        folder = self.delivered or folder_beside(store_file or Path())
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise OutputError(
                translated("Cannot write {folder}: {reason}.", folder=folder, reason=error.strerror)
            ) from None
        return folder

    def kept(self, store_file: Path | None) -> list[Path]:
        """Return the folder of what was delivered, if there is one."""
        folder = self.delivered or (folder_beside(store_file) if store_file else None)
        return [folder] if folder and folder.is_dir() else []


def folder_beside(store_file: Path) -> Path:
    """Return the folder of what was delivered, beside a store of SQLite.

    Examples
    --------
    >>> folder_beside(Path("data/stayworth.db")).as_posix()
    'data/stayworth-delivered'
    """
    return store_file.with_name(f"{store_file.stem}-delivered")
