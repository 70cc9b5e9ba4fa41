"""A model that knows no season and was judged in another one than it scores says so; no other model does."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from features.language import use_language
from features.snapshot import Snapshot
from training.churn.level import LevelRule
from training.clv.operational_time import IntensityForm
from training.report.season_ahead import season_ahead
from training.run import TrainingRun


def scored_at(run: TrainingRun, newest: date) -> TrainingRun:
    """Return the run with another date to predict at."""
    return replace(run, schedule=replace(run.schedule, newest=Snapshot(newest)))


def test_the_window_ahead_and_that_of_the_test_are_named(cdnow_run: TrainingRun) -> None:
    # CDNOW: judged from April to June 1998, scored from July on, and a log of eighteen months
    assert season_ahead(cdnow_run) == (
        "The window that is scored now, 1 July 1998 to 28 September 1998, is at another time of year than the one "
        "that judged the model, 1 April 1998 to 29 June 1998, and the model has no season, as that takes two years "
        "of log: if more or fewer customers buy then, the numbers of the test do not show it."
    )


def test_a_season_that_was_tried_and_left_is_told_from_one_that_could_not_be(cdnow_run: TrainingRun) -> None:
    losses = {"intensity: constant intensity": 0.3, f"intensity: {IntensityForm(1)}": 0.3}

    told = season_ahead(replace(cdnow_run, recipe=replace(cdnow_run.recipe, losses=losses)))

    assert "and the model has no season, as none gained more than noise on closed windows: if" in told


def test_a_log_of_two_years_whose_snapshots_tried_no_season_is_not_called_too_short(
    cdnow_run: TrainingRun,
) -> None:
    at_two_years, later = (
        season_ahead(scored_at(cdnow_run, day)) for day in (date(1998, 12, 25), date(1999, 5, 10))
    )

    assert "as that takes two years of log: if" in at_two_years
    assert "as the 13 snapshots that it learnt from (--snapshots) cannot show whether one helps: if" in later


@pytest.mark.parametrize(
    "known", [{"intensity": IntensityForm(1)}, {"level": LevelRule("year_ago", share=0.5)}], ids=str
)
def test_a_model_that_knows_a_season_says_nothing(cdnow_run: TrainingRun, known: dict[str, object]) -> None:
    assert season_ahead(replace(cdnow_run, recipe=replace(cdnow_run.recipe, **known))) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("newest", "tells"),
    [
        (date(1999, 4, 25), False),  # within a month of the test's first of April
        (date(1999, 1, 2), False),  # within a month of the first of February, on which the recipe was chosen
        (date(1998, 12, 25), True),
        (date(1999, 5, 10), True),
    ],
)
def test_a_window_that_judged_at_the_same_time_of_year_is_enough(
    cdnow_run: TrainingRun, newest: date, tells: bool
) -> None:
    assert [str(each) for each in cdnow_run.schedule.closed[-3:]] == [
        "1998-02-01",
        "1998-03-01",
        "1998-04-01",
    ]

    assert bool(season_ahead(scored_at(cdnow_run, newest))) == tells


def test_it_is_said_in_persian_with_jalali_days(cdnow_run: TrainingRun) -> None:
    with use_language("fa"):
        told = season_ahead(cdnow_run)

    assert "۱۰ تیر ۱۳۷۷" in told and "زمان دیگری از سال" in told
