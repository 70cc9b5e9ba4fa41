"""The worker that tells the audience webhook what pages have asked for, beside the requests."""

from __future__ import annotations

import logging
from threading import Event, Thread

from features.errors import StayworthError, StoreError
from features.language import saying_instead, use_language
from serving.store.deliveries import Delivery
from serving.store.store import Store
from serving.workbench.audience_channel import AudienceChannel, Told
from serving.workbench.wording import IN_BROWSER

LOOKS_SECONDS = 3.0
_log = logging.getLogger("stayworth")


def tell_due(store: Store, channel: AudienceChannel) -> int:
    """Tell the webhook of each campaign whose turn has come; return how many were tried.

    Each is told as it is now: who was taken off since somebody asked is not in it, nor anybody held out. Messages that
    were taken are not sent again, and the others keep their ids (`serving.delivery.outbox`).
    """
    tried = 0
    for delivery in store.deliveries.due():
        if store.deliveries.take(delivery):
            tried += 1
            _tell(store, channel, delivery)
    return tried


def _tell(store: Store, channel: AudienceChannel, delivery: Delivery) -> None:
    campaign = store.campaigns.numbered(delivery.campaign_id)
    if campaign is None or campaign.record is None:
        store.deliveries.told(delivery, 0, 0, 0)  # of nobody: it is gone
        return
    try:
        with saying_instead(IN_BROWSER):
            told, problem = channel.tell(store.campaigns, campaign)
    except StoreError:
        raise
    except StayworthError as error:
        told, problem = Told(), error
    # Of those that an earlier try told too.
    numbers = (delivery.joined + told.joined, delivery.left_it + told.left, delivery.changed + told.changed)
    if problem is None:
        store.deliveries.told(delivery, *numbers)
    else:
        store.deliveries.failed(delivery, str(problem), *numbers)


class Teller:
    """Looks for what is due every few seconds, in a thread of its own, until it is told to stop.

    Parameters
    ----------
    store : Store
    channel : AudienceChannel
    language : str, that reasons are kept in
    """

    def __init__(self, store: Store, channel: AudienceChannel, language: str = "en") -> None:
        self._store, self._channel, self._language = store, channel, language
        self._ended = Event()
        self._thread = Thread(target=self._work, name="webhook", daemon=True)

    def __enter__(self) -> Teller:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _work(self) -> None:
        while not self._ended.is_set():
            try:
                with use_language(self._language):
                    tell_due(self._store, self._channel)
            except StoreError as error:  # it may come back
                _log.warning("The webhook waits for the store: %s", error)
            except Exception:
                _log.exception("The webhook could not be told.")
            self._ended.wait(LOOKS_SECONDS)
