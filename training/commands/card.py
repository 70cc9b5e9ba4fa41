"""The command ``card``: the model card of a registered version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.commands.options import options
from features.errors import ModelError
from features.language import Language, translated
from features.temporary import temporary_folder
from training.settings import RegistrySettings
from training.versions.card_file import language_of, page_of

if TYPE_CHECKING:
    from training.versions.registry import Registry, Version


@options
def card(
    settings: RegistrySettings,
    version: Annotated[
        str | None,
        typer.Option("--version", help="Its number.", show_default="the champion, else the newest"),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="File to write.")] = Path("card.html"),
    language: Annotated[
        Language | None,
        typer.Option(
            "--language",
            help="Language of the page and of what is printed: en, or fa for Persian.",
            show_default="the page's that of training",
        ),
    ] = None,
) -> None:
    """Write the model card of a version: one page to judge the model by.

    Example: stayworth card --version 3 --out card.html
    """
    from features.files import atomic_path
    from training.versions.registry import Registry

    registry = Registry(settings.tracking_uri)
    found = find_version(registry, version)
    with temporary_folder() as folder:
        source = page_of(registry.download(found.version, folder), language)
        if source is None:
            raise ModelError(
                translated(
                    "Version {version} was registered without a card. Train again to get one: stayworth train"
                    " --transactions orders.csv",
                    version=found.version,
                )
            )
        with atomic_path(out) as beside:
            beside.write_bytes(source.read_bytes())
        written_in = language_of(source)
    alias = f" ({', '.join(found.aliases)})" if found.aliases else ""
    typer.echo(translated("Card of version {version} in {out}", version=f"{found.version}{alias}", out=out))
    if language and written_in and written_in != language:
        sentence = translated(
            "The page is in the language that the version was trained in: a release before this one wrote it in no "
            "other. Versions trained from now on have both."
        )
        typer.echo(translated("Note: {note}", note=sentence))


def find_version(registry: Registry, number: str | None) -> Version:
    """Return a version by its number; without one the champion, and where there is none the newest.

    Raises
    ------
    ModelError
        If there is no such version.
    """
    from training.versions.registry import CHAMPION, MODEL_NAME

    versions = registry.versions()
    champions = [version for version in versions if CHAMPION in version.aliases]
    wanted = (
        [version for version in versions if version.version == number] if number else champions + versions
    )
    if wanted:
        return wanted[0]
    if not versions:
        raise ModelError(
            translated(
                "{uri} has no version of {model}. Train one first: stayworth train --transactions orders.csv",
                uri=registry.uri,
                model=MODEL_NAME,
            )
        )
    known = [version.version for version in reversed(versions)]
    raise ModelError(
        translated(
            "{uri} has no version {number} of {model}. It has {known}.",
            uri=registry.uri,
            number=number,
            model=MODEL_NAME,
            known=known,
        )
    )
