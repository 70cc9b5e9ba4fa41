"""The workbench's process: one server, on this machine's own address unless told otherwise."""

from __future__ import annotations

import ipaddress
import logging
import socket
from contextlib import nullcontext
from threading import Thread

import uvicorn

from features.errors import OutputError, StayworthError
from features.log.settings import Columns, LogSettings
from features.log.transactions import TransactionLog
from serving.api.logs import log_json
from serving.delivery.settings import WebhookSettings
from serving.settings import WorkbenchSettings
from serving.store.store import Store
from serving.workbench.application import application
from serving.workbench.audience_channel import AudienceChannel
from serving.workbench.new_orders import NewOrders
from serving.workbench.orders import KnownOrders
from serving.workbench.reports import Reports
from serving.workbench.sealing import Sealer
from serving.workbench.telling import Teller
from serving.workbench.versions import KnownVersions
from serving.workbench.visit import Sources
from training.versions.registry import Registry

_log = logging.getLogger("stayworth")


def serve(
    settings: WorkbenchSettings,
    store: Store,
    registry: Registry,
    orders: TransactionLog | None = None,
    columns: Columns | None = None,
    webhook: WebhookSettings | None = None,
    reports: Reports | None = None,
    rules: LogSettings | None = None,
) -> None:
    """Answer browsers until the process is told to end.

    Parameters
    ----------
    settings : WorkbenchSettings
    store : Store
    registry : Registry
    orders : TransactionLog, optional
    columns : Columns, optional
        Names of the columns of logs that campaigns are measured on.
    webhook : WebhookSettings, optional
        Where audiences of campaigns are told to.
    reports : Reports, optional
        Of the log.
    rules : LogSettings, optional
        How rows of these logs are read.

    Raises
    ------
    OutputError
        If the address cannot be listened on.
    StayworthError
        If it can be reached from elsewhere, and there are no users.
    StoreError
        If the store cannot be written.
    """
    log_json()
    loopback = require_users(settings, store)
    secret, versions = store.customers.prepare(), KnownVersions(registry)
    known = None if orders is None else KnownOrders(orders, versions)
    new_orders = NewOrders(settings.transactions, columns or Columns(), rules)
    channel = AudienceChannel(webhook, store.address.file) if webhook and webhook.url else None
    sources = Sources(
        store, versions, Sealer(secret), known, settings.report, new_orders, channel=channel, reports=reports
    )
    if known:
        Thread(target=known.prepare, daemon=True).start()
    app = application(sources, secret, loopback=loopback, language=settings.language, host=settings.host)
    kind = "https" if settings.certificate else "http"
    if not store.users.all():
        _log.warning("There are no users: whoever can reach %s sees all customers.", settings.host)
    _log.info("The workbench is at %s://%s:%d", kind, settings.host, settings.port)
    teller = Teller(store, channel, settings.language) if channel else nullcontext()
    with _listening(settings, _address(settings)) as listening, teller:
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            lifespan="off",
            ssl_certfile=settings.certificate,
            ssl_keyfile=settings.private_key,
        )
        uvicorn.Server(config).run([listening])


def require_users(settings: WorkbenchSettings, store: Store) -> bool:
    """Tell whether only this machine can reach the address; for any other there have to be users.

    Raises
    ------
    OutputError, StayworthError, StoreError
        As `serve`.
    """
    loopback = ipaddress.ip_address(_address(settings)).is_loopback
    if store.users.all():
        return loopback
    if not loopback:
        raise StayworthError(
            f"{settings.host} can be reached from elsewhere, and there are no users who could sign in. Make one "
            "first: stayworth users add NAME --role admin. Or listen on 127.0.0.1."
        )
    return True


def _address(settings: WorkbenchSettings) -> str:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _unreachable(settings, error) from None
    return str(found[0][4][0])


def _listening(settings: WorkbenchSettings, address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, settings.port), family=family, backlog=256)
    except OSError as error:
        raise _unreachable(settings, error) from None


def _unreachable(settings: WorkbenchSettings, error: OSError) -> OutputError:
    return OutputError(f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.")
