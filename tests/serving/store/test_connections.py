"""A connection to a server that does not answer is given up, and says why."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from serving.store import connections
from serving.store.address import Address
from serving.store.store import Store

BACKEND = sa.text("SELECT pg_backend_pid()")


def test_an_answer_that_does_not_come_is_said_and_its_connection_takes_no_other_question(
    empty_database: Callable[..., str],
    scored_list: Callable[..., pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = empty_database()
    with Store(address) as store:
        store.publish(scored_list(["1"]))
    monkeypatch.setattr(connections, "READ_SECONDS", 0.2)
    engine = connections.reader(Address(address))
    try:
        with engine.connect() as connection:
            process = connection.scalar(BACKEND)
            os.kill(process, signal.SIGSTOP)  # as one whose network is gone
            try:
                with pytest.raises(OperationalError, match="wait timeout expired"):
                    connection.execute(BACKEND)
            finally:
                os.kill(process, signal.SIGCONT)

        with engine.connect() as connection:
            assert connection.scalar(BACKEND) not in (process, None)
    finally:
        engine.dispose()
