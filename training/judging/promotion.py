"""Promotion: whether a new version becomes the champion.

The new version's recipe and the champion's are both fitted on what had closed before a snapshot
(`training.judging.refit`) and compared on its customers (`training.judging.recipe_comparison`): the newest closed
snapshot but the one on which the new version's card reports its test, whose figures then are not those that it was
promoted for. The new version is promoted if it is better in some measure and worse in none. On a tie the one that
knows newer orders wins: the same recipe fitted on more closed windows. The reasons and their numbers are printed and
kept in the registry, whatever the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import pandas as pd

from features.behaviour.catalogue import file_of
from features.behaviour.files import BehaviourFiles
from features.errors import FitError, ModelError
from features.language import translatable, translated, translation, written
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from training.clv.value import ValueTerms
from training.judging.last_contest import AGAINST, TRAINED_UP_TO
from training.judging.recipe_comparison import MeasureComparison, compare_recipes
from training.judging.refit import RefitPredictions, refit_and_predict
from training.metrics.probabilities import TIE
from training.model.retention_model import RetentionModel
from training.offers.offers import Offer
from training.snapshots.dataset import LabelledSnapshot
from training.versions.registry import Registry, Version

Outcome = Literal["first", "better", "tie", "worse", "incomparable"]

_FORCE = translatable("To make the new version champion all the same: --promote --force.")


@dataclass(frozen=True)
class PromotionDecision:
    """Whether the challenger becomes the champion, and why.

    Parameters
    ----------
    promote : bool
    reasons : tuple of str
        Sentences with their numbers, the conclusion first.
    table : DataFrame, one row per measure
        The fields of `training.judging.recipe_comparison.MeasureComparison`; empty where nothing was compared.
    outcome : {"first", "better", "tie", "worse", "incomparable"}
    forced : bool
        Promoted although the comparison does not say so.
    """

    promote: bool
    reasons: tuple[str, ...]
    table: pd.DataFrame
    outcome: Outcome
    forced: bool = False


def decide_promotion(
    registry: Registry,
    version: Version,
    challenger: RetentionModel,
    rows: Sequence[LabelledSnapshot],
    log: TransactionLog,
    *,
    force: bool = False,
    seed: int = 0,
    threads: int = 1,
    beside: BehaviourFiles | None = None,
) -> PromotionDecision:
    """Compare a registered version with the champion, promote it if it is better, and record why.

    The version gets the tags ``promotion``, ``promotion_reason``, ``promotion_against`` and ``trained_up_to``, its run
    ``promotion.csv`` and ``promotion.json``; a promoted version the tag ``promoted``: ``by comparison`` or
    ``forced``.

    Parameters
    ----------
    registry : Registry
    version : Version
        The challenger's.
    challenger : RetentionModel
    rows : sequence of LabelledSnapshot
        Closed windows, the newest ones among them.
    log : TransactionLog
    force : bool
        Promote whatever the result of the comparison.
    seed, threads : int
    beside : BehaviourFiles, optional
        What is known of customers beside their orders.

    Raises
    ------
    ModelError
        If the registry cannot be read or written.
    """
    champion = registry.current()
    decision = _compared(registry, champion, challenger, rows, log, seed, threads, beside)
    if force and not decision.promote:
        forced = translated("Promoted by --force. Without it: {conclusion}", conclusion=decision.reasons[0])
        others = (reason for reason in decision.reasons[1:] if reason != translated(_FORCE))
        decision = replace(decision, promote=True, forced=True, reasons=(forced, *others))
    against = {AGAINST: champion.version} if champion else {}
    registry.annotate(
        version.version,
        tags={
            "promotion": decision.outcome,
            "promotion_reason": decision.reasons[0],
            TRAINED_UP_TO: str(challenger.card.snapshot),
        }
        | against,
        tables={} if decision.table.empty else {"promotion": decision.table},
        documents={
            "promotion": {"outcome": decision.outcome, "forced": decision.forced, "reasons": decision.reasons}
        },
    )
    if decision.promote:
        registry.promote(version.version, "forced" if decision.forced else "by comparison")
    return decision


def _compared(
    registry: Registry,
    champion: Version | None,
    challenger: RetentionModel,
    rows: Sequence[LabelledSnapshot],
    log: TransactionLog,
    seed: int,
    threads: int,
    beside: BehaviourFiles | None,
) -> PromotionDecision:
    if champion is None:
        return _not_compared(
            "first", translated("Promoted: there was no champion to compare with."), *_simpler_won(challenger)
        )
    try:
        model = registry.load(champion.version)
        decision = compare_with_champion(
            challenger, model, rows, log, seed=seed, threads=threads, beside=beside
        )
    except (ModelError, FitError) as error:
        why = translated(
            "The champion stays: version {version} cannot be compared. {error}",
            version=champion.version,
            error=error,
        )
        return _not_compared("incomparable", why, translated(_FORCE))
    now = registry.current()
    if now is None or now.version == champion.version:
        return decision
    return _not_compared(
        "incomparable",
        translated(
            "The champion stays: while the new version was compared with version {before}, version {now} took its "
            "place.",
            before=champion.version,
            now=now.version,
        ),
        translated(_FORCE),
    )


def compare_with_champion(
    challenger: RetentionModel,
    champion: RetentionModel,
    rows: Sequence[LabelledSnapshot],
    log: TransactionLog,
    *,
    offer: Offer | None = None,
    seed: int = 0,
    threads: int = 1,
    beside: BehaviourFiles | None = None,
) -> PromotionDecision:
    """Compare two models' recipes on the newest closed snapshot that is not the challenger's test.

    Parameters
    ----------
    challenger, champion : RetentionModel
    rows : sequence of LabelledSnapshot
        Closed windows, the newest ones among them.
    log : TransactionLog
    offer : Offer, optional
        What lists are priced with; by default `training.offers.offers.example_offer`.
    seed, threads : int
    beside : BehaviourFiles, optional
        What is known of customers beside their orders.

    Raises
    ------
    FitError, ModelError
        If a recipe cannot be read, or not fitted that early.
    """
    ours, theirs = challenger.terms, champion.terms
    if ours.horizon_days != theirs.horizon_days:
        return _not_compared(
            "incomparable",
            translated(
                "The champion stays: it predicts churn in {theirs} days and the new version in {ours}, different "
                "outcomes that cannot be compared.",
                theirs=theirs.horizon_days,
                ours=ours.horizon_days,
            ),
            translated(_FORCE),
        )
    snapshot = _arena([row.snapshot for row in rows], challenger.card.test.snapshot)
    new, old = (
        refit_and_predict(model, rows, snapshot, log, ours, seed=seed, threads=threads, beside=beside)
        for model in (challenger, champion)
    )
    decision = conclude(compare_recipes(new, old, challenger.card.dormant_after_days, offer, seed))
    remarks = [_fit_remark(new, old)]
    if ours != theirs:
        remarks.append(_terms_remark(ours, theirs))
    given = {*beside.given, *map(file_of, beside.names)} if beside else set()
    if unknown := [file for file in champion.files if file not in given]:
        remarks.append(
            translated(
                "The champion learnt from {files}, not given now: it is judged without.", files=unknown
            )
        )
    if champion.card.test.snapshot > snapshot:
        remarks.append(
            translated("The champion's recipe was chosen with this window in sight, to its advantage.")
        )
    if decision.outcome == "tie":
        decision = _newer(decision, challenger, champion)
    conclusion, *details = decision.reasons
    return replace(decision, reasons=(conclusion, *remarks, *details))


def _simpler_won(challenger: RetentionModel) -> list[str]:
    """Say where a simple racer beat the model on its test by more than noise."""
    metrics = challenger.card.test.metrics
    own, best = metrics.get("test_log_loss", 0.0), metrics.get("test_best_baseline_log_loss", 0.0)
    if own <= best + TIE or not best:
        return []
    return [
        translated(
            "But on its test at {snapshot:date} simple models predicted better, such as {winner}: log-loss"
            " down to {best:.4f} against {own:.4f}. Look at the card before its scores are used: "
            "stayworth card.",
            snapshot=challenger.card.test.snapshot.date,
            winner=translation(challenger.card.test.winner),
            best=best,
            own=own,
        )
    ]


def _arena(closed: Sequence[Snapshot], test: Snapshot) -> Snapshot:
    """Return the snapshot to compare at; the test's own only where the log has no other."""
    return max((snapshot for snapshot in closed if snapshot != test), default=test)


def _newer(
    decision: PromotionDecision, challenger: RetentionModel, champion: RetentionModel
) -> PromotionDecision:
    """Decide a tie by age."""
    new, old = challenger.card.snapshot, champion.card.snapshot
    if new > old:
        conclusion = translated(
            "Promoted: between the two recipes is no difference that counts, and the new version "
            "knows newer orders (up to {new:date}, the champion up to {old:date}).",
            new=new.date,
            old=old.date,
        )
        return replace(decision, promote=True, reasons=(conclusion, *decision.reasons[1:]))
    conclusion, *details = decision.reasons
    age = translated(
        "The new version knows no newer orders: it was trained up to {new:date}, the champion up to {old:date}.",
        new=new.date,
        old=old.date,
    )
    return replace(decision, reasons=(conclusion, age, translated(_FORCE), *details))


def conclude(found: Sequence[MeasureComparison]) -> PromotionDecision:
    """Decide from the comparison by measure: better in some and worse in none, or the champion stays.

    Examples
    --------
    >>> better = MeasureComparison("log-loss", 0.30, 0.31, -0.01, -0.012, -0.008, "better")
    >>> worse = MeasureComparison("profit of the list", 900.0, 1000.0, -100.0, -150.0, -50.0, "worse")
    >>> for decision in (conclude([better]), conclude([better, worse]), conclude([])):
    ...     print(decision.promote, decision.reasons[0])
    True Promoted: better in log-loss, worse in nothing.
    False The champion stays: the new version is worse in profit of the list.
    False The champion stays: between the two recipes is no difference that counts.
    """
    better, worse = (
        [translated(f.measure) for f in found if f.result == result] for result in ("better", "worse")
    )
    outcome: Outcome = "tie"
    conclusion = translated("The champion stays: between the two recipes is no difference that counts.")
    if worse:
        outcome, conclusion = (
            "worse",
            translated("The champion stays: the new version is worse in {measures}.", measures=worse),
        )
    elif better:
        outcome, conclusion = (
            "better",
            translated("Promoted: better in {measures}, worse in nothing.", measures=better),
        )
    table = pd.DataFrame([asdict(f) for f in found])
    reasons = (conclusion, *(f.sentence() for f in found))
    return PromotionDecision(outcome == "better", reasons, table, outcome)


def _fit_remark(new: RefitPredictions, old: RefitPredictions) -> str:
    learnt = translated("{new} and {old}", new=new.snapshots, old=old.snapshots)
    if new.snapshots == old.snapshots:
        learnt = written(new.snapshots)
    return translated(
        "Both recipes were fitted on what had closed by {snapshot:date} ({learnt} snapshots) and "
        "judged on its {n:customer|customers}.",
        snapshot=new.labelled.snapshot.date,
        learnt=learnt,
        n=len(new.labelled.table),
    )


def _terms_remark(ours: ValueTerms, theirs: ValueTerms) -> str:
    theirs_by_name = asdict(theirs)
    changed = [
        translated(
            "{name} {ours:g} instead of {theirs:g}",
            name=name.replace("_", " "),
            ours=value,
            theirs=theirs_by_name[name],
        )
        for name, value in asdict(ours).items()
        if value != theirs_by_name[name]
    ]
    return translated("Both value customers on the new version's terms: {changes}.", changes=changed)


def _not_compared(outcome: Outcome, *reasons: str) -> PromotionDecision:
    return PromotionDecision(outcome == "first", reasons, pd.DataFrame(), outcome)
