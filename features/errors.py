"""The errors that stayworth raises on purpose, as one tree.

::

    ValueError
    └── StayworthError          the caller can mend it; the command line exits with 2
        ├── LogError            the transaction log cannot be read or used
        │   ├── MissingColumnError   a column of the contract is not there
        │   ├── EmptyLogError        no row, or no usable row, is left
        │   └── FindingError         a check found what makes every number wrong (features.log.findings)
        │       └── StrictError          or anything at all, under --strict; the command line exits with 3
        ├── MatchError          a table's ids name no customer of another (features.log.matching)
        ├── WindowError         a date, horizon or span that the log cannot serve
        ├── FitError            a model cannot be fitted to this log
        ├── ModelError          no such model, or one that cannot be used
        ├── OutputError         a file that cannot be written; the old one is intact
        ├── NotThere            what an address or a form names is not there, or no longer
        ├── ChangedMeanwhile    somebody else has changed what was to be changed
        │   └── ConfirmedMeanwhile   a draft is a campaign already
        ├── DeliveryError       a receiver has not taken everything; the command line exits with 4
        └── StoreError          the score store cannot be reached, read or written
            ├── NothingPublished     it holds no scores yet
            ├── OlderStore           its tables are of an older release
            └── StoreBusy            another process has it to itself for a moment

A message says what is wrong, where (a count, examples) and what to do, in the caller's names.
"""

from __future__ import annotations


class StayworthError(ValueError):
    """Base of all errors that the caller can mend.

    Parameters
    ----------
    found : str, what is wrong, and where
    remedy : str, what to do about it on the command line, by its flags
    to_do : str, what the sender of a live request can do, who has no flags

    Examples
    --------
    >>> error = LogError("It mixes currencies.", "Say which to use: --currency EUR.", "Send one of them.")
    >>> str(error), error.to_sender
    ('It mixes currencies. Say which to use: --currency EUR.', 'It mixes currencies. Send one of them.')
    """

    exit_code = 2

    def __init__(self, found: str, remedy: str = "", to_do: str = "") -> None:
        super().__init__(f"{found} {remedy}".rstrip())
        self.found, self.remedy, self.to_do = found, remedy, to_do

    @property
    def to_sender(self) -> str:
        """The message for the sender of a live request."""
        return f"{self.found} {self.to_do}".rstrip()


class LogError(StayworthError):
    """The transaction log cannot be read or used."""

    def of_column(self, name: str) -> LogError:
        """Return the error with the name of the column that it is about."""
        return LogError(f"Column {name!r}: {self.found}", self.remedy, self.to_do)


class MissingColumnError(LogError):
    """A column that the contract or the mapping names is not in the log."""


class EmptyLogError(LogError):
    """The log has no rows, or validation left none."""


class WindowError(StayworthError):
    """A snapshot date, horizon or span does not fit the log."""


class FitError(StayworthError):
    """A model cannot be fitted to this log."""


class ModelError(StayworthError):
    """A registered model is missing or cannot be used."""


class OutputError(StayworthError):
    """An output file cannot be written; what was there before is intact."""


class DeliveryError(StayworthError):
    """A receiver has not taken everything; the next run delivers the rest."""

    exit_code = 4


class ChangedMeanwhile(StayworthError):
    """Somebody else has changed it since it was read; nothing was written over theirs."""


class ConfirmedMeanwhile(ChangedMeanwhile):
    """A draft was confirmed before, perhaps in another window: it is a campaign."""


class NotThere(StayworthError):
    """A campaign, segment, offer or version is not there, or no longer."""


class StoreError(StayworthError):
    """The store of scores and keys cannot be reached, read or written; what was published is intact."""


class NothingPublished(StoreError):
    """The store is empty, or not there yet."""


class OlderStore(StoreError):
    """The tables of the store are of an older release; the next write upgrades them."""


class StoreBusy(StoreError):
    """Another process has locked the store; nothing is wrong with it."""
