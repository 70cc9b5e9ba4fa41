"""Campaigns that may be running while a new list is made: those named, those in folders beside it, and the store's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from features.language import translated
from serving.campaign.customer_files import CustomerFiles
from training.campaign.assignment import read_running
from training.campaign.record import PLAN, CampaignError
from training.campaign.running import RunningCampaign


def running_campaigns(
    folder: Path | None,
    named: Sequence[Path],
    files: CustomerFiles,
    kept: Sequence[RunningCampaign] = (),
) -> list[RunningCampaign]:
    """Read the campaigns that may be running, with their customers' ids as the scored list writes them.

    Parameters
    ----------
    folder : Path or None
        That the new list goes to: campaigns in it are read too.
    named : sequence of Path
    files : CustomerFiles
    kept : sequence of RunningCampaign, of the store; a folder that was exported from one of them is not another

    Raises
    ------
    CampaignError
        If a campaign cannot be read.
    """
    beside = (each for each in sorted(folder.iterdir()) if (each / PLAN).is_file()) if folder else ()
    known = {each.resolve() for each in named}
    found = [read_running(each) for each in named]
    for each in beside:
        if each.resolve() not in known:
            try:
                found.append(read_running(each))
            except CampaignError as error:
                raise CampaignError(
                    translated(
                        "{error} It lies next to --out, so its customers would be left alone.", error=error
                    )
                ) from None
    others = [each for each in found if not any(_same(each, campaign) for campaign in kept)]
    return [files.running(campaign) for campaign in (*others, *kept)]


def _same(one: RunningCampaign, other: RunningCampaign) -> bool:
    return replace(one, name=other.name) == other
