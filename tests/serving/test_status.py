"""What ``stayworth status`` says of a running service's metrics."""

from __future__ import annotations

import pytest

from serving.status import Status

SAMPLES = {
    "stayworth_store_up": 1.0,
    "stayworth_store_customers": 2357.0,
    "stayworth_store_age_seconds": 60.0,
    "stayworth_model_age_seconds": 3600.0,
    "stayworth_model_horizon_days": 90.0,
    "stayworth_store_horizon_days": 90.0,
}


def told(version: str, horizon_days: float) -> dict[str, str]:
    samples = SAMPLES | {"stayworth_store_horizon_days": horizon_days}
    return dict(Status(True, samples, version, ("3", "1998-07-01")).rows())


def test_model_and_list_are_shown_with_their_churn_windows() -> None:
    found = told("3", 90)

    assert found["model"] == "version 3, 1:00:00 old, churn in 90 days"
    assert found["score store"] == (
        "2,357 customers, 0:01:00 old, of 1998-07-01 by version 3, churn in 90 days"
    )


@pytest.mark.parametrize(("horizon_days", "differs"), [(60, True), (90, False)])
def test_a_list_of_another_version_and_window_is_said_to_differ(horizon_days: float, differs: bool) -> None:
    found = told("4", horizon_days)["score store"]

    assert "not the version that scores" in found
    assert ("different windows, and do not compare" in found) is differs
