"""An outbox: what is to be told a receiver, kept in a file until it was taken.

What has been told and what is still to be told change together, in one file that appears whole or not at all; a
message is sent only after that. So whatever stops a run, the next one sends the rest, with the same ids and bodies:
none is lost, and each is sent at least once. Ids of messages that were taken are appended to a second file, for the
first may be large.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from features.errors import DeliveryError, OutputError, StayworthError
from features.files import atomic_path
from features.language import translated
from serving.delivery.webhook import Message, MessageRefused, Webhook

SUFFIX = ".outbox.json"
_FORMAT = 1


@dataclass(frozen=True)
class Delivered:
    """How many messages were taken now, and how many are left for the next run."""

    sent: int
    left: int


class Outbox:
    """The messages to one receiver.

    Parameters
    ----------
    path : Path
        Its name ends in `SUFFIX`; the folder exists. A new file has mode 0600.

    Attributes
    ----------
    state : dict
        What was told, as the sender needs to know it; with what is pending, it will be told.
    pending : tuple of Message
        Not taken yet, in their order.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._journal = path.with_name(path.name.removesuffix(SUFFIX) + ".sent")
        self.state: dict[str, Any] = {}
        self.pending: tuple[Message, ...] = ()

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Outbox]:
        """Open an outbox, for one process at a time.

        Raises
        ------
        StayworthError
            If another process has it, or the file is not one.
        OutputError
            If the folder cannot be written.
        """
        try:
            lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise OutputError(
                translated("Cannot write {path}: {reason}.", path=path, reason=error.strerror)
            ) from None
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StayworthError(
                    translated(
                        "Another run delivers to the same receiver just now ({path}). Run it again when that has "
                        "ended.",
                        path=path,
                    )
                ) from None
            box = cls(path)
            box._read()
            yield box
        finally:
            os.close(lock)

    def queue(self, state: dict[str, Any], messages: Sequence[Message]) -> None:
        """Note what is to be told, and what will have been told with it.

        Raises
        ------
        OutputError
            If it cannot be written: then nothing has changed.
        """
        self._write(state, (*self.pending, *messages))

    def deliver(self, webhook: Webhook, progress: Callable[[str, int, int], None]) -> Delivered:
        """Send what is pending, in its order; a message that is refused waits, and the others go on.

        Raises
        ------
        DeliveryError
            If something is left. What was taken is not sent again.
        """
        total, refused, failure = len(self.pending), [], None
        taken: list[str] = []
        for number, message in enumerate(self.pending):
            progress("Delivering", number, total)
            try:
                webhook.send(message)
            except MessageRefused as error:
                refused.append(error)
            except DeliveryError as error:
                failure = error
                break
            else:
                taken.append(message.id)
                self._took(message)
        self._write(self.state, tuple(each for each in self.pending if each.id not in set(taken)))
        if not self.pending:
            return Delivered(total, 0)
        kept = translated(
            "Of {total:message|messages} it took {taken:,}; {kept:,} are kept in {path}",
            total=total,
            taken=len(taken),
            kept=len(self.pending),
            path=self.path,
        )
        if failure:
            raise DeliveryError(
                translated("{failure} {kept}, and sent by the next run.", failure=failure, kept=kept)
            ) from None
        raise DeliveryError(
            translated(
                "{refused} {kept}, and sent again by the next run; delete them there to give them up.",
                refused=refused[0],
                kept=kept,
            )
        ) from None

    def erase(self, customer_ids: Collection[str], *, keep: bool = False) -> int:
        """Take customers out of the state and of the messages, or count them only; return how many places had one."""
        ids, found = frozenset(customer_ids), 0

        def without(value: Any) -> Any:
            nonlocal found
            if isinstance(value, dict):
                return {key: without(each) for key, each in value.items()}
            if not isinstance(value, list):
                return value
            stay = [each for each in value if _customer(each) not in ids]
            found += len(value) - len(stay)
            return [without(each) for each in stay]

        state = without(self.state)
        messages = [each for each in self.pending if _customer(each.data) not in ids]
        found += len(self.pending) - len(messages)
        left = tuple(replace(each, data=without(each.data)) for each in messages)
        if found and not keep:
            self._write(state, left)
        return found

    def _read(self) -> None:
        if not self.path.exists():
            return
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            if found["format"] != _FORMAT:
                raise ValueError(translated("it is of another release"))
            self.state = dict(found["state"])
            messages = [Message(**each) for each in found["pending"]]
            taken = (
                set(self._journal.read_text(encoding="utf-8").split()) if self._journal.exists() else set()
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StayworthError(
                translated(
                    "{path} is not what an earlier run has left of its deliveries ({error}). Restore it, or "
                    "delete it: then all is told again.",
                    path=self.path,
                    error=error,
                )
            ) from None
        self.pending = tuple(each for each in messages if each.id not in taken)

    def _write(self, state: dict[str, Any], pending: tuple[Message, ...]) -> None:
        document = {"format": _FORMAT, "state": state, "pending": [asdict(each) for each in pending]}
        with atomic_path(self.path, private=True) as beside:
            beside.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        self._journal.unlink(missing_ok=True)
        self.state, self.pending = state, pending

    def _took(self, message: Message) -> None:
        """Note that a message was taken; if this cannot be written, it is sent again."""
        file = os.open(self._journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, f"{message.id}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)


def outbox_path(folder: Path, kind: str, name: str, address: str) -> Path:
    """Return the file of an outbox: one for each receiver, whose address it does not show.

    Examples
    --------
    >>> outbox_path(Path("d"), "alerts", "", "https://example.com/hook?key=1").name
    'alerts-20d33b7537.outbox.json'
    """
    digest = hashlib.sha256(f"{name}\n{address}".encode()).hexdigest()[:10]
    return folder / f"{kind}-{digest}{SUFFIX}"


def _customer(value: Any) -> str | None:
    """Return the customer that an entry is about: an id, or what has one."""
    found = value.get("customer_id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None
