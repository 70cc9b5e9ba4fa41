"""A finding about a log, and what becomes of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from features.errors import LogError
from features.language import translatable

WARNING = translatable("Warning: {sentence}")


@dataclass(frozen=True)
class Finding:
    """Something about a log that is probably wrong.

    Attributes
    ----------
    name : str, by which it is accepted
    message : str, what, where, and what to do
    fatal : bool, whether numbers would be wrong throughout
    """

    name: str
    message: str
    fatal: bool = False


class FindingError(LogError):
    """A log with findings that were not accepted."""


class StrictError(FindingError):
    """A log with findings, where none is allowed."""

    exit_code = 3


def settle(findings: Sequence[Finding], accepted: Collection[str], *, strict: bool = False) -> list[str]:
    """Return the warnings to print; refuse a log with a fatal finding that was not accepted.

    Raises
    ------
    FindingError
        If a finding is fatal; names them all.
    StrictError
        If ``strict``, and there is any.

    Examples
    --------
    >>> settle([Finding("hole", "No order of 700 days.")], [])
    ['No order of 700 days. (--accept hole)']
    """
    open_ones = [finding for finding in findings if finding.name not in accepted]
    sentences = [f"{finding.message} (--accept {finding.name})" for finding in open_ones]
    fatal = [sentence for sentence, finding in zip(sentences, open_ones, strict=True) if finding.fatal]
    if strict and sentences:
        raise StrictError(" ".join(sentences))
    if fatal:
        raise FindingError(" ".join(fatal))
    return sentences
