"""A workbench over a store of 130 customers, and a browser's stand-in that sends the forms of its pages."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import uvicorn
from starlette.types import ASGIApp

from features.log.transactions import TransactionLog
from serving.store.store import Store
from serving.workbench.application import application
from serving.workbench.audience_channel import AudienceChannel
from serving.workbench.new_orders import NewOrders
from serving.workbench.orders import KnownOrders
from serving.workbench.reports import Reports
from serving.workbench.sealing import Sealer
from serving.workbench.versions import KnownVersions
from serving.workbench.visit import Sources
from training.versions.registry import Registry

CUSTOMERS = 130
PASSWORD = "correct horse battery"

ScoredList = Callable[..., pd.DataFrame]


class Browser:
    """A client that follows redirects, keeps cookies, and reads the token of a page's form."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 4711))
        self._client = httpx.AsyncClient(transport=transport, base_url=base_url, follow_redirects=True)
        self.cookies = self._client.cookies

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Open a page."""
        return asyncio.run(self._client.get(path, **options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        """Send a form as it is given."""
        return asyncio.run(self._client.post(path, **options))

    def seen(self, path: str) -> str:
        """Open a page that has to be there."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, *, follow_redirects: bool = True, **fields: object) -> httpx.Response:
        """Send a form with the token of this session."""
        found = re.search(r'name="csrf" value="(\w+)"', self.get("/sign-in").text)
        assert found
        return self.post(path, data={"csrf": found[1], **fields}, follow_redirects=follow_redirects)

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """Send name and password."""
        return self.send("/sign-in", name=name, password=password)


@pytest.fixture(scope="session")
def served() -> Callable[..., AbstractContextManager[str]]:
    """Serves a workbench over a store on a free port while a block lasts; gives its address."""

    @contextmanager
    def serve(
        store: Store, registry: str = "sqlite:///none.db", log: TransactionLog | None = None
    ) -> Iterator[str]:
        secret, versions = store.customers.prepare(), KnownVersions(Registry(registry))
        known = None if log is None else KnownOrders(log, versions)
        app = application(Sources(store, versions, Sealer(secret), known), secret, loopback=True)
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()
        listening.close()

    return serve


@pytest.fixture
def people(scored_list: ScoredList) -> Callable[..., pd.DataFrame]:
    """Makes the list: c000 has the most at risk; one name has to be escaped, and one is Persian."""
    ids = [f"c{number:03}" for number in range(CUSTOMERS)]
    ids[3], ids[4] = '<b>"Ali" & sons</b>', "علی رضایی"
    numbers = np.arange(CUSTOMERS)
    columns = {
        "value_at_risk": 1300.0 - 10 * numbers,
        "churn_probability": np.linspace(0.99, 0.01, CUSTOMERS),
        "value_tier": np.where(numbers < 26, "vip", np.where(numbers < 91, "medium", "low")),
        "stage": [("lapsing", "loyal", "repeat")[number % 3] for number in numbers],
        "last_purchase_date": [date(1998, 6, 30) - timedelta(days=3 * int(n)) for n in numbers],
    }
    return lambda **others: scored_list(ids, **{**columns, **others})


@pytest.fixture
def store(tmp_path: Path, people: Callable[..., pd.DataFrame]) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/store.db") as store:
        store.publish(people())
        yield store


@pytest.fixture
def opened(tmp_path: Path, store: Store) -> Callable[..., Browser]:
    """Opens a browser's stand-in at a workbench, on this machine's own address unless told otherwise."""

    def open_browser(
        *,
        loopback: bool = True,
        tracking_uri: str = "",
        language: str = "en",
        orders: TransactionLog | None = None,
        report: Path | None = None,
        new_orders: Path | None = None,
        channel: AudienceChannel | None = None,
        reports: Reports | None = None,
    ) -> Browser:
        secret = store.customers.prepare()
        versions = KnownVersions(Registry(tracking_uri or f"sqlite:///{tmp_path}/none.db"))
        known = None if orders is None else KnownOrders(orders, versions)
        own_log = NewOrders(str(new_orders) if new_orders else None)
        sources = Sources(
            store, versions, Sealer(secret), known, report, own_log, channel=channel, reports=reports
        )
        app = application(sources, secret, loopback=loopback, language=language)
        return Browser(app, "http://localhost" if loopback else "https://workbench.example")

    return open_browser
