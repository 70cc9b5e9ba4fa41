"""What a file beside the log has to share with it: the currency of its amounts, and its customers."""

from __future__ import annotations

from collections.abc import Collection

from features.errors import StayworthError
from features.language import translated
from features.log.currencies import same_currency
from features.log.identity import examples
from features.log.matching import MatchError, match_ids


def require_currency(theirs: str | None, ours: str | None, file: str) -> None:
    """Raise a StayworthError if a file's amounts are in another currency than the log's; unknown ones are any.

    Examples
    --------
    >>> require_currency("€", "EUR", "spend.csv")
    """
    if theirs and ours and not same_currency(theirs, ours):
        raise StayworthError(
            translated(
                "The amounts of {file} are in {theirs}, those of the log in {ours}. Convert them.",
                file=file,
                theirs=theirs,
                ours=ours,
            )
        )


def match_customers(
    given: Collection[str], known: Collection[str], name: str, *, loosely: bool = False
) -> tuple[dict[str, str], list[str]]:
    """Match the customers of a file with those of the log.

    Returns
    -------
    dict of each id of the file that is in the log to the log's, and sentences about the others

    Raises
    ------
    MatchError
        If the file names nobody.

    Examples
    --------
    >>> match_customers(["17", "99"], ["17", "18"], "customers.csv")
    ({'17': '17'}, ['1 of 2 customers of customers.csv are in the log; the others are left out.'])
    """
    match = match_ids(given, known, loosely=loosely)
    said = translated(
        "{matched:,} of {given:customer|customers} of {file} are in the log; the others are left out.",
        matched=len(match.matched),
        given=match.given,
        file=name,
    )
    if match.missed:
        said += " " + translated(
            "{n:,} more would match {how} (--loose-ids matches them).",
            n=match.missed,
            how=translated(match.explanation),
        )
    if match.given and not match.matched:
        compare = translated("Compare the ids: {examples}.", examples=examples(match.unmatched))
        raise MatchError(f"{said} {compare}")
    return dict(match.pairs), [said] if len(match.matched) < match.given else []
