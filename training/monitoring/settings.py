"""Settings of monitoring: each field is a key of ``stayworth.toml``, a flag and its help text."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import Field

from features.settings import Settings


class MonitorSettings(Settings, section="monitor"):
    """When a model is due for retraining: the section ``[monitor]``.

    Examples
    --------
    >>> MonitorSettings().age_limit(horizon_days=90), MonitorSettings(max_age_days=0).age_limit(90)
    (180, None)
    """

    psi: Annotated[
        float,
        typer.Option(
            "--psi",
            help="Population stability index, above the usual one, that counts as drift. "
            "Rules of thumb: 0.1 little, 0.25 much.",
        ),
    ] = Field(default=0.2, gt=0)
    confidence: Annotated[
        float,
        typer.Option("--confidence", help="Confidence that a live measure is off by more than noise."),
    ] = Field(default=0.99, gt=0, lt=1)
    log_loss_tolerance: Annotated[
        float, typer.Option("--log-loss-tolerance", help="Rise of the log-loss that does not matter.")
    ] = Field(default=0.01, ge=0)
    calibration_tolerance: Annotated[
        float,
        typer.Option(
            "--calibration-tolerance",
            help="Difference of mean predicted and observed churn that does not matter.",
        ),
    ] = Field(default=0.03, ge=0)
    value_tolerance: Annotated[
        float,
        typer.Option(
            "--value-tolerance", help="Bias of the total expected spend that does not matter: 0.15 is 15%."
        ),
    ] = Field(default=0.15, ge=0)
    pace_confidence: Annotated[
        float,
        typer.Option(
            "--pace-confidence",
            help="Confidence that the purchases of the latest weeks are off by more than noise.",
        ),
    ] = Field(default=0.96, gt=0, lt=1)
    pace_tolerance: Annotated[
        float,
        typer.Option(
            "--pace-tolerance",
            help="Difference of the purchases of the latest weeks from the expected ones that does not matter: "
            "0.2 is 20%.",
        ),
    ] = Field(default=0.2, ge=0)
    max_age_days: Annotated[
        int | None,
        typer.Option(
            "--max-age-days",
            help="Age from which a model is due however it performs, 0 for never. By default two horizons: one until "
            "its first own window closes, one in which its live performance is known.",
        ),
    ] = Field(default=None, ge=0)

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances by gauge of `training.reference.performance`."""
        return {
            "log_loss": self.log_loss_tolerance,
            "calibration_in_the_large": self.calibration_tolerance,
            "value_ratio": self.value_tolerance,
        }

    def age_limit(self, horizon_days: int) -> int | None:
        """Return the age in days from which a model is due, None for never."""
        limit = 2 * horizon_days if self.max_age_days is None else self.max_age_days
        return limit or None
