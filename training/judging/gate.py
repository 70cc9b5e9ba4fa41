"""The gate: whether a new version becomes the champion.

The challenger's recipe against the champion's, both fitted on what had closed before the newest closed
snapshot (`churn.refit`) and judged on that snapshot's customers (`evaluation.measures`). The challenger has to
be better in something and worse in nothing; on a tie the champion stays. Whatever the outcome, the reasons and
their numbers are printed and kept in the registry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import pandas as pd

from features.errors import FitError, ModelError
from features.log.transactions import TransactionLog
from training.clv.value import ValueTerms
from training.judging.recipe_comparison import Finding, findings
from training.judging.refit import Refit, refit
from training.model.retention_model import RetentionModel
from training.offers.retention import Offer
from training.snapshots.dataset import LabelledSnapshot
from training.versions.registry import Registry, Version

Outcome = Literal["first", "better", "tie", "worse", "incomparable"]

_STAYS = "The champion stays: "
_FORCE = "To make the new version champion all the same: --promote --force."


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger becomes the champion, and why.

    Parameters
    ----------
    promote : bool
    reasons : tuple of str
        Sentences with their numbers, the conclusion first.
    table : DataFrame, one row a measure
        The fields of `training.judging.recipe_comparison.Finding`; empty where nothing was compared.
    outcome : {"first", "better", "tie", "worse", "incomparable"}
    forced : bool
        Promoted although the comparison does not say so.
    """

    promote: bool
    reasons: tuple[str, ...]
    table: pd.DataFrame
    outcome: Outcome
    forced: bool = False


def decide(
    registry: Registry,
    version: Version,
    challenger: RetentionModel,
    rows: Sequence[LabelledSnapshot],
    log: TransactionLog,
    *,
    force: bool = False,
    seed: int = 0,
    threads: int = 1,
) -> Verdict:
    """Judge a registered version against the champion, promote it if it is better, and write down why.

    The version gets the tags ``gate``, ``gate_reason`` and ``gate_against``, its run ``gate.csv`` and
    ``gate.json``; a promoted version the tag ``promoted``: ``by the gate`` or ``forced``.

    Parameters
    ----------
    registry : Registry
    version : Version
        The challenger's.
    challenger : RetentionModel
    rows : sequence of LabelledSnapshot
        Closed windows, the newest closed snapshot among them.
    log : TransactionLog
    force : bool
        Promote whatever the comparison says.
    seed, threads : int

    Raises
    ------
    ModelError
        If the registry cannot be read or written.
    """
    champion = registry.current()
    verdict = _against(registry, champion, challenger, rows, log, seed, threads)
    if force and not verdict.promote:
        forced = f"Promoted by --force, although {verdict.reasons[0].removeprefix(_STAYS)}"
        others = (reason for reason in verdict.reasons[1:] if reason != _FORCE)
        verdict = replace(verdict, promote=True, forced=True, reasons=(forced, *others))
    against = {"gate_against": champion.version} if champion else {}
    registry.annotate(
        version.version,
        tags={"gate": verdict.outcome, "gate_reason": verdict.reasons[0]} | against,
        tables={} if verdict.table.empty else {"gate": verdict.table},
        documents={
            "gate": {"outcome": verdict.outcome, "forced": verdict.forced, "reasons": verdict.reasons}
        },
    )
    if verdict.promote:
        registry.promote(version.version, "forced" if verdict.forced else "by the gate")
    return verdict


def _against(
    registry: Registry,
    champion: Version | None,
    challenger: RetentionModel,
    rows: Sequence[LabelledSnapshot],
    log: TransactionLog,
    seed: int,
    threads: int,
) -> Verdict:
    if champion is None:
        return _without_comparison("first", "Promoted: there was no champion to compare with.")
    try:
        model = registry.load(champion.version)
        verdict = judge(challenger, model, rows, log, seed=seed, threads=threads)
    except (ModelError, FitError) as error:
        why = f"{_STAYS}version {champion.version} cannot be compared. {error}"
        return _without_comparison("incomparable", why, _FORCE)
    now = registry.current()
    if now is None or now.version == champion.version:
        return verdict
    return _without_comparison(
        "incomparable",
        f"{_STAYS}while the new version was compared with version {champion.version}, version {now.version} took "
        "its place.",
        _FORCE,
    )


def judge(
    challenger: RetentionModel,
    champion: RetentionModel,
    rows: Sequence[LabelledSnapshot],
    log: TransactionLog,
    *,
    offer: Offer | None = None,
    seed: int = 0,
    threads: int = 1,
) -> Verdict:
    """Compare two models' recipes on the newest closed snapshot.

    Parameters
    ----------
    challenger, champion : RetentionModel
    rows : sequence of LabelledSnapshot
        Closed windows, the newest closed snapshot among them.
    log : TransactionLog
    offer : Offer, optional
        What lists are priced with; by default `training.offers.retention.example_offer`.
    seed, threads : int

    Raises
    ------
    FitError, ModelError
        If a recipe cannot be read, or not fitted that early.
    """
    ours, theirs = challenger.terms, champion.terms
    if ours.horizon_days != theirs.horizon_days:
        return _without_comparison(
            "incomparable",
            f"{_STAYS}it predicts churn in {theirs.horizon_days} days and the new version in {ours.horizon_days}, "
            "different outcomes that cannot be compared.",
            _FORCE,
        )
    snapshot = max(row.snapshot for row in rows)
    new, old = (
        refit(model, rows, snapshot, log, ours, seed=seed, threads=threads)
        for model in (challenger, champion)
    )
    verdict = weigh(findings(new, old, challenger.card["dormant_after_days"], offer, seed))
    remarks = [_setting(new, old)]
    if ours != theirs:
        remarks.append(_terms(ours, theirs))
    if champion.card["test"]["snapshot_date"] > str(snapshot):
        remarks.append("The champion's recipe was chosen with this window in sight, to its advantage.")
    if verdict.outcome == "tie":
        remarks.append(
            f"A tie says nothing of age: the champion was trained up to {champion.card['snapshot_date']}, the new "
            f"version up to {challenger.card['snapshot_date']}."
        )
        remarks.append(_FORCE)
    conclusion, *details = verdict.reasons
    return replace(verdict, reasons=(conclusion, *remarks, *details))


def weigh(found: Sequence[Finding]) -> Verdict:
    """Conclude from the findings: better in something and worse in nothing, or the champion stays.

    Examples
    --------
    >>> better = Finding("log-loss", 0.30, 0.31, -0.01, -0.012, -0.008, "better")
    >>> worse = Finding("profit of the list", 900.0, 1000.0, -100.0, -150.0, -50.0, "worse")
    >>> for verdict in (weigh([better]), weigh([better, worse]), weigh([])):
    ...     print(verdict.promote, verdict.reasons[0])
    True Promoted: better in log-loss, worse in nothing.
    False The champion stays: the new version is worse in profit of the list.
    False The champion stays: between the two recipes is no difference that counts.
    """
    better, worse = (
        ", ".join(f.measure for f in found if f.result == result) for result in ("better", "worse")
    )
    outcome: Outcome = "tie"
    conclusion = f"{_STAYS}between the two recipes is no difference that counts."
    if worse:
        outcome, conclusion = "worse", f"{_STAYS}the new version is worse in {worse}."
    elif better:
        outcome, conclusion = "better", f"Promoted: better in {better}, worse in nothing."
    table = pd.DataFrame([asdict(f) for f in found])
    reasons = (conclusion, *(f.sentence() for f in found))
    return Verdict(outcome == "better", reasons, table, outcome)


def _setting(new: Refit, old: Refit) -> str:
    learnt = str(new.snapshots) if new.snapshots == old.snapshots else f"{new.snapshots} and {old.snapshots}"
    return (
        f"Both recipes were fitted on what had closed by {new.row.snapshot} ({learnt} snapshots) and judged on its "
        f"{len(new.row.table):,} customers."
    )


def _terms(ours: ValueTerms, theirs: ValueTerms) -> str:
    theirs_by_name = asdict(theirs)
    changed = [
        f"{name.replace('_', ' ')} {value:g} instead of {theirs_by_name[name]:g}"
        for name, value in asdict(ours).items()
        if value != theirs_by_name[name]
    ]
    return f"Both value customers on the new version's terms: {', '.join(changed)}."


def _without_comparison(outcome: Outcome, *reasons: str) -> Verdict:
    return Verdict(outcome == "first", reasons, pd.DataFrame(), outcome)
