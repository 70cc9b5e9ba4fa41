"""The command ``config``: every setting of every command, with its default."""

from __future__ import annotations

import typer

from features.commands.config_file import config_text
from features.commands.console import errors
from features.commands.options import sections_of


@errors()
def config(ctx: typer.Context) -> None:
    """Print a stayworth.toml with every setting at its default, explained.

    Example: stayworth config > stayworth.toml
    """
    typer.echo(config_text(sections_of(ctx.find_root().command)), nl=False)
