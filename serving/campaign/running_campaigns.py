"""Campaigns that may be running while a new list is made: those named, and those in folders beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from serving.campaign.customer_files import CustomerFiles
from training.campaign.assignment import read_running
from training.campaign.record import PLAN, CampaignError
from training.campaign.running import RunningCampaign


def running_campaigns(folder: Path, named: Sequence[Path], files: CustomerFiles) -> list[RunningCampaign]:
    """Read the campaigns that may be running, with their customers' ids as the scored list writes them.

    Parameters
    ----------
    folder : Path
        That the new list goes to: campaigns in it are read too.
    named : sequence of Path
    files : CustomerFiles

    Raises
    ------
    CampaignError
        If a campaign cannot be read.
    """
    beside = (each for each in sorted(folder.iterdir()) if (each / PLAN).is_file())
    known = {each.resolve() for each in named}
    found = [read_running(each) for each in named]
    for each in beside:
        if each.resolve() not in known:
            try:
                found.append(read_running(each))
            except CampaignError as error:
                raise CampaignError(
                    f"{error} It lies next to --out, so its customers would be left alone."
                ) from None
    return [files.running(campaign) for campaign in found]
