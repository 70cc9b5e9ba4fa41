"""The files of a measurement: measured.html and .csv, measured.json, offers.updated.toml; of several, pooled.csv."""

from __future__ import annotations

import os
from pathlib import Path

from features.errors import OutputError
from features.files import atomic_path
from features.language import translated
from serving.campaign.folder import require_parent
from serving.campaign.measured_page import measured_page
from serving.lists.export import write_table
from training.campaign.measurement import Measurement
from training.campaign.measurement_record import MeasurementRecord, write_measurement
from training.campaign.pooling import PooledCampaigns
from training.offers.offer_files import write_offers

MEASURED_PAGE, UPDATED_OFFERS = "measured.html", "offers.updated.toml"


def write_findings(found: Measurement, folder: str | os.PathLike[str]) -> None:
    """Write the page in the chosen language, all effects, the record of the measurement and the updated offers.

    Each file appears whole or not at all.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    target = _made(folder)
    write_table(found.table(), target / "measured.csv")
    write_measurement(MeasurementRecord.of(found), target / "measured.json")
    with atomic_path(target / MEASURED_PAGE, private=True) as beside:
        beside.write_text(measured_page(found), encoding="utf-8")
    write_offers(found.offers, target / UPDATED_OFFERS)


def write_pooled(found: PooledCampaigns, folder: str | os.PathLike[str]) -> None:
    """Write the pooled effects of several campaigns as pooled.csv, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_table(found.table(), _made(folder) / "pooled.csv")


def _made(folder: str | os.PathLike[str]) -> Path:
    """Make the folder of the findings, unless it is there: the campaign's own, or one of an earlier look."""
    target = Path(folder)
    require_parent(target)
    try:
        target.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise OutputError(
            translated("Cannot write {target}: {reason}.", target=target, reason=error.strerror or error)
        ) from None
    return target
