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
from dataclasses import asdict, replace

from features.behaviour.catalogue import file_in_words, file_of
from features.behaviour.files import BehaviourFiles
from features.errors import FitError, ModelError
from features.language import translated, translation, written
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from training.clv.value import ValueTerms
from training.judging.last_contest import AGAINST, TRAINED_UP_TO
from training.judging.promotion_decision import FORCE, PromotionDecision, conclude, newer, not_compared
from training.judging.recipe_comparison import compare_recipes
from training.judging.refit import RefitPredictions, refit_and_predict
from training.metrics.probabilities import TIE
from training.model.retention_model import RetentionModel
from training.offers.offers import Offer
from training.snapshots.dataset import LabelledSnapshot
from training.versions.registry import Registry, Version
from training.versions.version_files import LostFilesError
from training.versions.version_words import BY_COMPARISON, CHAMPION_LOST, COMPARED, FORCED, NO_CHAMPION


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
    ``promotion.csv`` and ``promotion.json``; a promoted version the tag ``promoted``: ``by comparison``,
    ``no champion`` where there was none to be compared with, ``champion lost`` where its files were gone, or
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
        others = (reason for reason in decision.reasons[1:] if reason != translated(FORCE))
        decision = replace(decision, promote=True, forced=True, reasons=(forced, *others))
    against = {AGAINST: champion.version} if champion else {}
    registry.annotate(
        version.version,
        tags={
            COMPARED: decision.outcome,
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
        compared = BY_COMPARISON if champion else NO_CHAMPION
        if decision.outcome == "incomparable":
            compared = CHAMPION_LOST
        registry.promote(version.version, FORCED if decision.forced else compared)
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
        return not_compared(
            "first", translated("Promoted: there was no champion to compare with."), *_simpler_won(challenger)
        )
    try:
        model = registry.load(champion.version)
        decision = compare_with_champion(
            challenger, model, rows, log, seed=seed, threads=threads, beside=beside
        )
    except LostFilesError:
        # No challenger could beat what cannot score, and every later run would fail until somebody noticed.
        why = translated(
            "Promoted: version {version} has lost its files, and cannot score.", version=champion.version
        )
        decision = replace(not_compared("incomparable", why, *_simpler_won(challenger)), promote=True)
    except (ModelError, FitError) as error:
        why = translated(
            "The champion stays: version {version} cannot be compared. {error}",
            version=champion.version,
            error=error,
        )
        return not_compared("incomparable", why, translated(FORCE))
    now = registry.current()
    if now is None or now.version == champion.version:
        return decision
    return not_compared(
        "incomparable",
        translated(
            "The champion stays: while the new version was compared with version {before}, version {now} took its "
            "place.",
            before=champion.version,
            now=now.version,
        ),
        translated(FORCE),
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
        return not_compared(
            "incomparable",
            translated(
                "The champion stays: it predicts churn in {theirs} days and the new version in {ours}, different "
                "outcomes that cannot be compared.",
                theirs=theirs.horizon_days,
                ours=ours.horizon_days,
            ),
            translated(FORCE),
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
                "The champion learnt from {files}, not given now: it is judged without.",
                files=[file_in_words(each) for each in unknown],
            )
        )
    if champion.card.test.snapshot > snapshot:
        remarks.append(
            translated("The champion's recipe was chosen with this window in sight, to its advantage.")
        )
    if decision.outcome == "tie":
        decision = newer(decision, challenger, champion)
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
