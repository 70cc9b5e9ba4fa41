"""The commands ``models``, ``promote`` and ``rollback``: which versions there are, and which one scores."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict
from math import isnan
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.commands.console import show_json, show_table
from features.commands.options import AsJson, options
from training.settings import RegistrySettings

if TYPE_CHECKING:
    from training.judging.promotion import PromotionDecision
    from training.versions.registry import Version

_METRICS = {
    "test_auc": ".4f",
    "test_log_loss": ".4f",
    "test_calibration_in_the_large": "+.4f",
    "test_spend_ratio": ".3f",
}


@options
def models(settings: RegistrySettings, as_json: AsJson = False) -> None:
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
        typer.echo(f"No version is registered in {registry.uri}. Train one: stayworth train --transactions …")
        return
    header = [
        "Version",
        "Alias",
        "Registered",
        "Promoted",
        "Compared",
        "Days",
        "Test snapshot",
        "AUC",
        "Log-loss",
    ]
    header += ["In the large", "Spend / actual"]
    show_table(f"Versions in {registry.uri}", header, [_row(version) for version in versions])


def _row(version: Version) -> list[str]:
    return [
        version.version,
        ", ".join(version.aliases),
        f"{version.created_at:%Y-%m-%d %H:%M}",
        version.tags.get("promoted", ""),
        version.tags.get("promotion", ""),
        version.params.get("horizon_days", ""),
        version.params.get("test_snapshot", "").replace("None", ""),
        *(
            format(version.metrics[name], spec) if name in version.metrics else ""
            for name, spec in _METRICS.items()
        ),
    ]


@options
def promote(
    settings: RegistrySettings,
    version: Annotated[str, typer.Argument(help="Number of the version, as 'stayworth models' lists it.")],
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, the one that scores, without a comparison.

    Example: stayworth promote 3
    """
    from training.versions.registry import Registry

    registry = Registry(settings.tracking_uri)
    before = registry.current()
    same = before is not None and before.version == version
    if not same:
        registry.promote(version)
    if as_json:
        show_json({"champion": version, "before": before.version if before else None})
        return
    if same:
        typer.echo(f"Version {version} is the champion already.")
        return
    typer.echo(
        f"Version {version} is the champion now{f'; version {before.version} was' if before else ''}. "
        "Back again: stayworth rollback"
    )


@options
def rollback(settings: RegistrySettings, as_json: AsJson = False) -> None:
    """Undo a promotion: the champion before the present one scores again; once more goes one further back.

    Example: stayworth rollback
    """
    from training.versions.registry import Registry

    now, before = Registry(settings.tracking_uri).rollback()
    if as_json:
        show_json({"champion": now, "before": before})
        return
    was = f"; version {before} was" if before else ""
    typer.echo(
        f"Version {now} is the champion again{was}. A running service takes it over when it looks next "
        "(--poll-seconds of stayworth serve)."
    )


def show_decision(decision: PromotionDecision) -> None:
    """Print the comparison with the champion, how it was made, and the conclusion."""
    conclusion, *details = decision.reasons
    compared = decision.table.to_dict("records")
    if compared:
        header = ["Measure", "Challenger", "Champion", "Difference", "95% from", "to", ""]
        rows = [[each["measure"], *_numbers(each), each["result"]] for each in compared]
        show_table("The new version's recipe against the champion's", header, rows)
    for sentence in details[: len(details) - len(compared)]:
        typer.echo(sentence)
    for each in compared:
        if each["remark"]:
            typer.echo(f"{each['measure']}: {each['remark']}.")
    typer.echo(conclusion)


def _numbers(each: Mapping[Hashable, Any]) -> list[str]:
    digits = 4 if abs(each["champion"]) < 10 else 0
    names = ("challenger", "champion", "difference", "low", "high")
    return ["" if isnan(each[name]) else f"{each[name]:z,.{digits}f}" for name in names]
