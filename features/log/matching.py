"""Where two tables of customers meet: how many ids of one are in the other, and why the others are not.

An opt-out list whose leading zeros a spreadsheet took off names nobody, and without a word everybody on it
would be contacted. So every file of ids is matched with a report, and what would match if it were written
otherwise is tried out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from features.errors import StayworthError
from features.language import translatable, translated
from features.log.findings import WARNING
from features.log.identity import examples, fold, loose

FEW = 0.5

_EXPLANATIONS: tuple[tuple[str, Callable[[str], str]], ...] = (
    (
        translatable("without spaces and invisible characters"),
        lambda each: "".join(fold_invisible(each).split()),
    ),
    (translatable("without an apostrophe before them"), lambda each: each.strip().lstrip("'’`")),
    (translatable("without .0"), lambda each: each.strip().removesuffix(".0")),
    (translatable("in lower case"), lambda each: each.strip().casefold()),
    (translatable("without leading zeros"), lambda each: _without_zeros(each.strip())),
    (translatable("written alike in case, width, digits and ی"), fold),
    (translatable("loosely: without case, spaces, apostrophes, .0 and leading zeros"), loose),
)


class MatchError(StayworthError):
    """The ids of a table name none, or not all whom they must, of the customers of another."""


@dataclass(frozen=True)
class IdMatch:
    """The ids of a table that are in another.

    Attributes
    ----------
    pairs : mapping of each matched id of the table to that of the other table
    given : int, number of distinct ids of the table
    missed : int, of these, ids that would match if they were written otherwise
    explanation : str, how; empty if that explains none
    """

    pairs: Mapping[str, str]
    given: int
    missed: int = 0
    explanation: str = ""
    unmatched: tuple[str, ...] = field(default=(), repr=False)

    @property
    def matched(self) -> tuple[str, ...]:
        """The ids that are in both tables, as the other writes them."""
        return tuple(dict.fromkeys(self.pairs.values()))

    def __str__(self) -> str:
        counts = f"{len(self.matched):,} of {self.given:,}"
        return f"{counts}; {self.missed:,} more would match {self.explanation}" if self.missed else counts


def match_ids(given: Iterable[str | None], known: Iterable[str], *, loosely: bool = False) -> IdMatch:
    """Match the ids of a table with those of the customers of another.

    Parameters
    ----------
    given : ids of the table, as :func:`features.log.identity.read_ids` reads them; None is left out
    known : ids of the other table
    loosely : bool
        Match what is the same without case, spaces, apostrophes, ``.0`` and leading zeros, where that names
        one customer only; an id that is there to the letter is taken to the letter.

    Raises
    ------
    MatchError
        If, loosely, an id names more than one customer.

    Examples
    --------
    >>> match_ids(["17", "18", "99"], ["0017", "0018", "0019"])
    IdMatch(pairs={}, given=3, missed=2, explanation='without leading zeros')
    >>> match_ids(["17", "18", "99"], ["0017", "0018", "0019"], loosely=True).matched
    ('0017', '0018')
    """
    table, there = dict.fromkeys(each for each in given if each), dict.fromkeys(known)
    exact = [each for each in table if each in there]
    rest = [each for each in table if each not in there]
    if loosely:
        pairs = dict.fromkeys(exact, "") | _loosely(rest, there)
        left = tuple(each for each in rest if each not in pairs)
        return IdMatch({each: other or each for each, other in pairs.items()}, len(table), unmatched=left)
    missed, explanation = _explained(rest, there) if rest else (0, "")
    return IdMatch({each: each for each in exact}, len(table), missed, explanation, tuple(rest))


def _loosely(ids: list[str], known: dict[str, None]) -> dict[str, str]:
    names: dict[str, list[str]] = {}
    for each in known:
        names.setdefault(loose(each), []).append(each)
    doubtful = [each for each in ids if len(names.get(loose(each), ())) > 1]
    if doubtful:
        several = names[loose(doubtful[0])]
        raise MatchError(
            translated(
                "{n:id|ids} name more than one customer loosely: {example!r} may be {names}. Write them "
                "to the letter.",
                n=len(doubtful),
                example=doubtful[0],
                names=" or ".join(map(repr, several[:3])),
            )
        )
    return {each: names[loose(each)][0] for each in ids if loose(each) in names}


def _explained(ids: list[str], known: dict[str, None]) -> tuple[int, str]:
    """Return how many ids would match under the simplest change that explains most of them, and which."""
    best = (0, "")
    for words, change in _EXPLANATIONS:
        shapes = {change(each) for each in known}
        count = sum(change(each) in shapes for each in ids)
        if count > best[0]:
            best = (count, words)
    return best


def _without_zeros(customer_id: str) -> str:
    """Return an id without what a spreadsheet takes off numbers, and only off numbers."""
    return (customer_id.lstrip("0") or "0") if customer_id.isdigit() else customer_id


def fold_invisible(customer_id: str) -> str:
    """Return an id without control and format characters, such as zero-width spaces."""
    return "".join(each for each in customer_id if each.isprintable() or each.isspace())


def require_match(
    match: IdMatch,
    what: str,
    where: str,
    *,
    flag: str,
    allow_unmatched: bool | None = False,
    all_that_are_meant: bool = False,
) -> list[str]:
    """Refuse a match that names nobody; return sentences to print about the others.

    Parameters
    ----------
    match : IdMatch
    what : str, the table's ids in words, such as ``opt-outs of stop.csv``
    where : str, the other table, such as ``the scored list``
    flag : str, the flag that matches loosely, or what else does
    allow_unmatched : bool or None
        Go on with a match of nobody; None: there is no flag for that.
    all_that_are_meant : bool
        Refuse also if some are missed that would match if they were written otherwise: for opt-outs.

    Returns
    -------
    list of str
        What was matched, and a warning where few were.

    Raises
    ------
    MatchError
        Says how many ids were matched, how they would match, and what to do.

    Examples
    --------
    >>> require_match(match_ids(["17"], ["17", "18"]), "opt-outs", "the scored list", flag="--loose-ids")
    ['1 of 1 opt-outs are in the scored list.']
    """
    if not match.given:
        return [
            translated(WARNING, sentence=translated("There are no {what}: the file holds no ids.", what=what))
        ]
    counts = translated(
        "{matched:,} of {given:,} {what} are in {where}.",
        matched=len(match.matched),
        given=match.given,
        what=what,
        where=where,
    )
    found = examples(match.unmatched)
    reason, remedy = "", translated("Compare the ids: {examples}.", examples=found)
    if match.missed:
        how = translated(match.explanation)
        reason = " " + translated(
            "{n:,} more would match {how}: {examples}.", n=match.missed, how=how, examples=found
        )
        remedy = translated("{flag} matches them so.", flag=flag)
    remedy = f" {remedy}"
    if allow_unmatched is not None:
        remedy += " " + translated("--allow-unmatched goes on as it is.")
    nobody = not match.matched
    if (nobody or (all_that_are_meant and match.missed)) and not allow_unmatched:
        raise MatchError(counts + reason + remedy)
    if match.missed or len(match.matched) < FEW * match.given:
        return [translated(WARNING, sentence=counts + reason)]
    return [counts]
