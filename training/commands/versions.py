"""The commands ``models``, ``promote`` and ``rollback``: which versions there are, and which one scores."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict
from datetime import date
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.commands.console import show_json, show_table
from features.commands.options import AsJson, InLanguage, options
from features.language import (
    ENGLISH,
    current_language,
    in_digits,
    short_day,
    translated,
    translated_in,
    translation,
)
from training.settings import RegistrySettings
from training.versions.version_words import COMPARED, in_words, promoted as promoted_how

if TYPE_CHECKING:
    from training.judging.promotion_decision import PromotionDecision
    from training.versions.registry import Version

_METRICS = {
    "test_auc": ".4f",
    "test_log_loss": ".4f",
    "test_calibration_in_the_large": "+.4f",
    "test_spend_ratio": ".3f",
}


@options
def models(settings: RegistrySettings, language: InLanguage = "en", as_json: AsJson = False) -> None:
    """List the registered versions, newest first: what was measured, which one scores, who promoted it.

    The metrics are of each version's own test snapshot; two versions are comparable where that is the same.
    A promotion compares anew, on one snapshot.

    Example: stayworth models
    """
    from training.versions.registry import Registry

    registry = Registry(settings.tracking_uri)
    versions = registry.versions()
    if as_json:
        show_json([asdict(version) for version in versions])
        return
    if not versions:
        typer.echo(
            translated(
                "No version is registered in {uri}. Train one: stayworth train --transactions …",
                uri=registry.uri,
            )
        )
        return
    header = [translated("Version"), translated("Alias"), translated("Registered"), translated("Promoted")]
    header += [translated("Compared"), translated("Days"), translated("Test snapshot"), "AUC"]
    header += [translated("Log-loss"), translated("In the large"), translated("Spend / actual")]
    title = translated("Versions in {uri}", uri=registry.uri)
    show_table(title, header, [_row(version) for version in versions])


def _row(version: Version) -> list[str]:
    test = version.params.get("test_snapshot", "").replace("None", "")
    return [
        version.version,
        ", ".join(version.aliases),
        f"{short_day(version.created_at.date())} {in_digits(f'{version.created_at:%H:%M}')}",
        _said(promoted_how(version.tags)),
        _said(version.tags.get(COMPARED, "")),
        in_digits(version.params.get("horizon_days", "")),
        short_day(date.fromisoformat(test)) if test else "",
        *(
            in_digits(format(version.metrics[name], spec)) if name in version.metrics else ""
            for name, spec in _METRICS.items()
        ),
    ]


def _said(tag: str) -> str:
    """Return a tag as it is in English, for it is a word that scripts know too, else in words."""
    return tag if current_language() == ENGLISH else in_words(tag)


@options
def promote(
    settings: RegistrySettings,
    version: Annotated[str, typer.Argument(help="Number of the version, as 'stayworth models' lists it.")],
    language: InLanguage = "en",
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, the one that scores, without a comparison. One that has lost its files is refused.

    Example: stayworth promote 3
    """
    from training.versions.registry import Registry

    registry = Registry(settings.tracking_uri)
    before = registry.current()
    same = before is not None and before.version == version
    if same:
        registry.require_files(version)
    else:
        registry.promote(version)
    if as_json:
        show_json({"champion": version, "before": before.version if before else None})
        return
    if same:
        typer.echo(translated("Version {version} is the champion already.", version=version))
        return
    typer.echo(_replaced(version, before.version if before else None))


def _replaced(version: str, before: str | None) -> str:
    if before is None:
        return translated(
            "Version {version} is the champion now. Back again: stayworth rollback", version=version
        )
    return translated(
        "Version {version} is the champion now; version {before} was. Back again: stayworth rollback",
        version=version,
        before=before,
    )


@options
def rollback(settings: RegistrySettings, language: InLanguage = "en", as_json: AsJson = False) -> None:
    """Undo a promotion: the champion before the present one scores again; once more goes one further back.

    Example: stayworth rollback
    """
    from training.versions.registry import Registry

    now, before = Registry(settings.tracking_uri).rollback()
    if as_json:
        show_json({"champion": now, "before": before})
        return
    if before:
        said = translated(
            "Version {now} is the champion again; version {before} was.", now=now, before=before
        )
    else:
        said = translated("Version {now} is the champion again.", now=now)
    takes = translated(
        "A running service takes it over when it looks next (--poll-seconds of stayworth serve)."
    )
    typer.echo(f"{said} {takes}")


def show_decision(decision: PromotionDecision) -> None:
    """Print the comparison with the champion, how it was made, the conclusion, and what to do about it."""
    from training.judging.promotion_decision import FORCE
    from training.judging.recipe_comparison import RESULTS

    remedy = translated(FORCE)
    conclusion, *details = (reason for reason in decision.reasons if reason != remedy)
    compared = decision.table.to_dict("records")
    if compared:
        header = [translated("Measure"), translated("Challenger"), translated("Champion")]
        header += [translated("Difference"), translated("95% from"), translated_in("interval", "to"), ""]
        rows = [
            [translation(each["measure"]), *_numbers(each), translated(RESULTS[each["result"]])]
            for each in compared
        ]
        show_table(translated("The new version's recipe against the champion's"), header, rows)
    for sentence in details[: len(details) - len(compared)]:
        typer.echo(sentence)
    for each in compared:
        if each["remark"]:
            typer.echo(f"{translation(each['measure'])}: {each['remark']}.")
    typer.echo(conclusion)
    if remedy in decision.reasons:
        typer.echo(remedy)


def _numbers(each: Mapping[Hashable, Any]) -> list[str]:
    digits = 4 if abs(each["champion"]) < 10 else 0
    names = ("challenger", "champion", "difference", "low", "high")
    return ["" if isnan(each[name]) else in_digits(f"{each[name]:z,.{digits}f}") for name in names]
