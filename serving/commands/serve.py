"""The commands ``serve`` and ``status``: run the service, and show the state of a running one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from features.commands.console import errors, show_json, show_table
from features.commands.options import AsJson, options
from serving.settings import ServeSettings, StoreSettings
from training.settings import RegistrySettings

NOT_READY = 3
"""Exit code of ``status`` where the service has no champion loaded."""


@options
def serve(settings: ServeSettings, registry: RegistrySettings, store: StoreSettings) -> None:
    """Answer over HTTP: live scores, published scores, explanations. Ends with Ctrl-C.

    Example: stayworth serve --port 3000

    For more than this machine: stayworth keys add crm-1, then stayworth serve --host 0.0.0.0 --workers 2
    """
    from serving.api.service import serve as run

    run(settings, registry, store)


@errors()
def status(
    url: Annotated[str, typer.Argument(help="Address of the service.")] = "http://localhost:3000",
    key: Annotated[
        str | None, typer.Option("--key", envvar="STAYWORTH_KEY", help="API key, where /metrics needs one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the state of a running service: readiness, model, registry, score store.

    Exit codes: 0 it answers and has a champion; 2 it cannot be reached, or answers as no such service; 3 it has no
    champion loaded.

    Example: stayworth status http://localhost:3000
    """
    from serving.status import read_status

    found = read_status(url, key)
    if as_json:
        show_json(asdict(found))
    else:
        show_table(url, ["", ""], found.rows())
    if not found.ready:
        raise typer.Exit(NOT_READY)
