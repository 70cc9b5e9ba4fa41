"""Who becomes champion: recipes against each other on a shop whose leavers a residual can tell, or cannot."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from training.churn.base import base_log_odds
from training.churn.calibration import Calibrator
from training.churn.level import Level
from training.churn.model import ChurnModel
from training.churn.recipe import Recipe
from training.clv.value import ValueTerms
from training.judging.last_contest import lost_lately
from training.judging.promotion import compare_with_champion, decide_promotion
from training.judging.promotion_decision import PromotionDecision
from training.model.card import EvaluationSummary, TrainingCard
from training.model.files import save_model
from training.model.retention_model import RetentionModel
from training.model.tiers import Tiers
from training.snapshots.dataset import LabelledSnapshot
from training.versions.mlflow_client import open_client
from training.versions.registry import Registry, Version

P0_ALONE, RESIDUAL = 0, 40


@pytest.fixture(scope="module")
def rows(shop_rows: list[LabelledSnapshot]) -> list[LabelledSnapshot]:
    """The shop's snapshots, but who paid much at first leaves more often: BG/NBD knows nothing of that."""
    return [_leaving_by_first_basket(row) for row in shop_rows]


def _leaving_by_first_basket(row: LabelledSnapshot) -> LabelledSnapshot:
    """Draw outcomes anew: 1.5 up or down in the log-odds, spend as expected of those who stay."""
    table = row.table
    shift = np.where(table["first_basket"] > table["first_basket"].median(), 1.5, -1.5)
    log_odds = base_log_odds(row.columns) + shift
    level = brentq(lambda o: expit(log_odds + o).mean() - table["p0"].mean(), -5, 5)
    random = np.random.default_rng(row.snapshot.date.toordinal()).random(len(table))
    churned = (random < expit(log_odds + level)).astype(int)
    spend = table["expected_purchases"] * table["spend_per_purchase"] / (1 - table["p0"])
    after = pd.DataFrame({"churned": churned, "purchases": 1 - churned, "spend": (1 - churned) * spend})
    return replace(row, outcomes=after)


@pytest.fixture(scope="module")
def model_of(shop_rows: list[LabelledSnapshot], training_card: TrainingCard) -> object:
    """Make a registered model of a recipe; what it has learnt is of no consequence here."""

    def make(
        rounds: int,
        calibrator: Calibrator | None = None,
        horizon_days: int = 60,
        test_snapshot: str = "2024-08-01",
    ) -> RetentionModel:
        recipe = Recipe(rounds, False, calibrator or Calibrator(), "forward in time")
        card = replace(
            training_card,
            snapshot=Snapshot.parse("2025-07-01"),
            dormant_after_days=120,
            snapshot_limit=4,
            test=EvaluationSummary(Snapshot.parse(test_snapshot), "", {}),
            recipe=recipe,
        )
        churn = ChurnModel(None, recipe.calibrator, Level(), base_mean=0.0)
        terms = ValueTerms(horizon_days=horizon_days)
        return RetentionModel(churn, shop_rows[-1].clv, terms, Tiers((20.0, 5.0)), card)

    return make


@pytest.fixture(scope="module")
def fresh(model_of, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    """A registry: version 1 is BG/NBD alone, version 2 has a residual, version 3 another horizon."""
    folder = tmp_path_factory.mktemp("registry")
    registry = Registry(f"sqlite:///{folder}/mlflow.db")
    for number, model in enumerate((model_of(P0_ALONE), model_of(RESIDUAL), model_of(RESIDUAL, None, 30))):
        save_model(model, folder / str(number))
        registry.log_run(model_folder=folder / str(number))
    return folder


@pytest.fixture
def registry(fresh: Path, tmp_path: Path) -> Registry:
    """A copy of it, nobody promoted."""
    shutil.copy(fresh / "mlflow.db", tmp_path)
    return Registry(f"sqlite:///{tmp_path}/mlflow.db")


def version(registry: Registry, number: str) -> Version:
    return next(found for found in registry.versions() if found.version == number)


def challenge(
    registry: Registry, number: str, rows: list[LabelledSnapshot], log: TransactionLog, *, force: bool = False
) -> PromotionDecision:
    """Let a registered version challenge the champion."""
    return decide_promotion(
        registry, version(registry, number), registry.load(number), rows, log, force=force
    )


def document(registry: Registry, number: str) -> dict[str, object]:
    """Return what the run of a version keeps of the comparison."""
    from mlflow import MlflowClient

    run = MlflowClient(registry.uri.text).get_run(version(registry, number).run_id)
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return dict(json.loads((folder / "promotion.json").read_text()))


def test_without_a_champion_there_is_nothing_to_beat(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    decision = challenge(registry, "1", rows, shop_log)

    assert decision.promote
    assert decision.reasons == ("Promoted: there was no champion to compare with.",)
    assert registry.champion().version == "1"
    assert registry.champion().tags == {
        "promotion": "first",
        "promotion_reason": decision.reasons[0],
        "trained_up_to": "2025-07-01",
        "promoted": "no champion",  # nothing was compared
    }


def test_a_better_recipe_is_promoted_and_the_registry_says_why(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    registry.promote("1")

    decision = challenge(registry, "2", rows, shop_log)

    assert decision.outcome == "better"
    assert decision.reasons[0].startswith("Promoted: better in log-loss, log-loss of recent customers")
    assert decision.reasons[1].startswith(
        "Both recipes were fitted on what had closed by 2025-04-01 (4 snapshots)"
    )
    champion = registry.champion()
    assert champion.version == "2"
    assert (champion.tags["promotion"], champion.tags["promotion_against"]) == ("better", "1")
    assert champion.tags["promoted"] == "by comparison"
    assert document(registry, "2")["reasons"] == list(decision.reasons)
    log_loss = decision.table.set_index("measure").loc["log-loss"]
    assert log_loss["low"] < log_loss["difference"] < log_loss["high"] < 0


def test_a_worse_recipe_is_refused_with_what_it_is_worse_in(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    registry.promote("2")

    decision = challenge(registry, "1", rows, shop_log)

    assert not decision.promote
    assert decision.reasons[0].startswith("The champion stays: the new version is worse in log-loss")
    assert registry.champion().version == "2"
    assert version(registry, "1").tags["promotion"] == "worse"
    assert "promoted" not in version(registry, "1").tags


def test_whoever_lost_knows_what_there_is_to_know_until_a_month_of_orders_has_come(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    registry.promote("2")
    champion = registry.champion()
    days = [Snapshot.parse(day) for day in ("2025-06-30", "2025-07-01", "2025-07-31", "2025-08-01")]
    before = [lost_lately(registry, champion, day) for day in days]

    challenge(registry, "1", rows, shop_log)  # version 1 knows the orders before 2025-07-01

    after = [lost_lately(registry, champion, day) for day in days]
    assert before == [None] * 4
    assert [found and found.version for found in after] == [None, "1", "1", None]
    registry.promote("1")
    assert lost_lately(registry, registry.champion(), days[1]) is None  # to itself it has not lost
    assert lost_lately(registry, champion, days[1]) is None  # and it was champion since


def test_on_a_tie_with_no_newer_orders_the_champion_stays_and_its_age_is_said(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    registry.promote("1")

    decision = decide_promotion(registry, version(registry, "2"), registry.load("1"), rows, shop_log)

    assert decision.outcome == "tie"
    assert registry.champion().version == "1"
    assert decision.reasons[0] == "The champion stays: between the two recipes is no difference that counts."
    assert "it was trained up to 2025-07-01, the champion up to 2025-07-01" in decision.reasons[2]
    assert decision.reasons[3] == "To make the new version champion all the same: --promote --force."


def test_on_a_tie_the_version_that_knows_newer_orders_is_promoted(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    registry.promote("1")
    same = registry.load("1")
    newer = replace(same, card=replace(same.card, snapshot=Snapshot.parse("2025-08-01")))

    decision = decide_promotion(registry, version(registry, "2"), newer, rows, shop_log)

    assert (decision.outcome, decision.promote) == ("tie", True)
    assert decision.reasons[0] == (
        "Promoted: between the two recipes is no difference that counts, and the new version knows newer orders "
        "(up to 2025-08-01, the champion up to 2025-07-01)."
    )
    assert registry.champion().version == "2"


def test_a_worse_recipe_is_refused_however_new_its_orders_are(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    registry.promote("2")
    worse = registry.load("1")
    newer = replace(worse, card=replace(worse.card, snapshot=Snapshot.parse("2025-08-01")))

    decision = decide_promotion(registry, version(registry, "1"), newer, rows, shop_log)

    assert (decision.outcome, decision.promote) == ("worse", False)
    assert registry.champion().version == "2"


def test_force_promotes_all_the_same_and_the_registry_says_so(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    registry.promote("2")

    decision = challenge(registry, "1", rows, shop_log, force=True)

    assert (decision.promote, decision.forced, decision.outcome) == (True, True, "worse")
    assert decision.reasons[0].startswith(
        "Promoted by --force. Without it: The champion stays: the new version is worse in log-loss"
    )
    assert registry.champion().version == "1"
    assert registry.champion().tags["promoted"] == "forced"
    assert document(registry, "1")["forced"] is True
    assert registry.rollback() == ("2", "1")


def test_force_is_not_needed_for_a_better_recipe(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    registry.promote("1")

    assert not challenge(registry, "2", rows, shop_log, force=True).forced
    assert registry.champion().tags["promoted"] == "by comparison"


def test_another_horizon_is_another_outcome_and_takes_force(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    registry.promote("3")

    refused = challenge(registry, "2", rows, shop_log)
    assert registry.champion().version == "3"
    forced = challenge(registry, "2", rows, shop_log, force=True)

    assert refused.outcome == "incomparable"
    assert refused.reasons == (
        "The champion stays: it predicts churn in 30 days and the new version in 60, different outcomes that "
        "cannot be compared.",
        "To make the new version champion all the same: --promote --force.",
    )
    assert forced.reasons == (
        "Promoted by --force. Without it: The champion stays: it predicts churn in 30 days and the new version in 60, "
        "different outcomes "
        "that cannot be compared.",
    )
    assert registry.champion().version == "2"


@pytest.mark.parametrize("changed", [{"features": ["frequency"]}, {"card": {"release": "0.0.1"}}])
def test_a_champion_of_another_release_takes_force(
    registry: Registry,
    rows: list[LabelledSnapshot],
    shop_log: TransactionLog,
    tmp_path: Path,
    model_of,  # type: ignore[no-untyped-def]
    changed: dict[str, object],
) -> None:
    save_model(model_of(P0_ALONE), tmp_path / "old")
    content = json.loads((tmp_path / "old" / "model.json").read_text())
    (tmp_path / "old" / "model.json").write_text(json.dumps(content | changed))
    registry.promote(registry.log_run(model_folder=tmp_path / "old").version)

    decision = challenge(registry, "2", rows, shop_log)

    assert decision.outcome == "incomparable"
    assert decision.reasons[0].startswith("The champion stays: version 4 cannot be compared. Version 4 of")
    assert registry.champion().version == "4"


def test_a_champion_that_lost_its_files_makes_room_and_why_is_said(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog, model_of, tmp_path: Path
) -> None:  # type: ignore[no-untyped-def]
    save_model(model_of(RESIDUAL), tmp_path / "model")
    champion = registry.log_run(model_folder=tmp_path / "model").version
    registry.promote(champion)
    with open_client(registry.uri) as client:
        shutil.rmtree(client.get_model_version_download_uri("stayworth", champion).removeprefix("file://"))

    decision = challenge(registry, "1", rows, shop_log)

    assert decision.reasons[0] == "Promoted: version 4 has lost its files, and cannot score."
    assert (decision.outcome, decision.promote, decision.forced) == ("incomparable", True, False)
    assert registry.champion().version == "1"
    assert registry.champion().tags["promoted"] == "champion lost"


def test_a_champion_that_came_in_the_meantime_was_not_compared_and_stays(
    registry: Registry, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:
    class Meanwhile(list[LabelledSnapshot]):
        def __iter__(self) -> Iterator[LabelledSnapshot]:
            registry.promote("3")  # somebody else, while the comparison reads the rows
            return super().__iter__()

    registry.promote("1")

    decision = challenge(registry, "2", Meanwhile(rows), shop_log)

    assert not decision.promote
    assert "compared with version 1, version 3 took its place" in decision.reasons[0]
    assert registry.champion().version == "3"


def test_both_learn_only_from_what_had_closed_before_the_snapshot_that_they_are_compared_at(
    model_of, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:  # type: ignore[no-untyped-def]
    newest = rows[-1]
    unclosed = [row for row in rows[:-1] if row.window.closes > newest.snapshot.date]
    scrambled = [
        replace(row, outcomes=row.outcomes.sample(frac=1, random_state=1).set_index(row.outcomes.index))
        if row in unclosed
        else row
        for row in rows
    ]

    plain, other = (
        compare_with_champion(model_of(RESIDUAL), model_of(P0_ALONE), r, shop_log) for r in (rows, scrambled)
    )

    assert len(unclosed) == 2
    pd.testing.assert_frame_equal(plain.table, other.table, check_exact=True)


def test_the_snapshot_that_the_card_reports_is_not_the_one_of_the_comparison(
    model_of, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:  # type: ignore[no-untyped-def]
    newest = rows[-1]
    tested = model_of(RESIDUAL, test_snapshot=str(newest.snapshot))
    after = newest.outcomes.sample(frac=1, random_state=1).set_index(newest.outcomes.index)
    scrambled = [*rows[:-1], replace(newest, outcomes=after)]

    plain, other = (compare_with_champion(tested, model_of(P0_ALONE), r, shop_log) for r in (rows, scrambled))

    assert f"closed by {rows[-2].snapshot}" in " ".join(plain.reasons)
    pd.testing.assert_frame_equal(plain.table, other.table, check_exact=True)


def test_a_first_champion_that_a_simple_racer_beats_is_not_promoted_in_silence(
    registry: Registry, model_of, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:  # type: ignore[no-untyped-def]
    model = model_of(RESIDUAL)
    metrics = {"test_log_loss": 0.52, "test_best_baseline_log_loss": 0.50}
    beaten = replace(
        model,
        card=replace(model.card, test=replace(model.card.test, winner="logistic, log RFM", metrics=metrics)),
    )

    decision = decide_promotion(registry, version(registry, "2"), beaten, rows, shop_log)

    assert decision.promote
    assert "such as logistic, log RFM: log-loss down to 0.5000 against 0.5200" in decision.reasons[1]


def test_a_miscalibrated_recipe_is_refused_however_well_it_ranks(
    model_of, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:  # type: ignore[no-untyped-def]
    shifted = Calibrator("platt", slope=1.0, intercept=0.5)

    decision = compare_with_champion(model_of(RESIDUAL, shifted), model_of(RESIDUAL), rows, shop_log)

    assert not decision.promote
    assert "calibration in the large" in decision.reasons[0]


def test_other_terms_and_a_champion_that_knew_the_window_are_said(
    model_of, rows: list[LabelledSnapshot], shop_log: TransactionLog
) -> None:  # type: ignore[no-untyped-def]
    later = model_of(P0_ALONE, test_snapshot="2025-05-01")
    champion = replace(later, terms=replace(later.terms, margin=0.4))

    reasons = compare_with_champion(model_of(P0_ALONE), champion, rows, shop_log).reasons

    assert "Both value customers on the new version's terms: margin 0.3 instead of 0.4." in reasons
    assert "The champion's recipe was chosen with this window in sight, to its advantage." in reasons
