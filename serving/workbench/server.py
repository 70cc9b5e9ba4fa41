"""The workbench's process: one server, on this machine's own address unless told otherwise."""

from __future__ import annotations

import ipaddress
import logging
import socket

import uvicorn

from features.errors import OutputError, StayworthError
from serving.api.logs import log_json
from serving.settings import WorkbenchSettings
from serving.store.store import Store
from serving.workbench.application import application
from serving.workbench.sealing import Sealer
from serving.workbench.versions import KnownVersions
from serving.workbench.visit import Sources
from training.versions.registry import Registry

_log = logging.getLogger("stayworth")


def serve(settings: WorkbenchSettings, store: Store, registry: Registry) -> None:
    """Answer browsers until the process is told to end.

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
    address = _address(settings)
    loopback = ipaddress.ip_address(address).is_loopback
    _require_users(settings, store, loopback)
    secret = store.customers.prepare()
    sources = Sources(store, KnownVersions(registry), Sealer(secret))
    app = application(sources, secret, loopback=loopback, language=settings.language, host=settings.host)
    kind = "https" if settings.certificate else "http"
    _log.info("The workbench is at %s://%s:%d", kind, settings.host, settings.port)
    with _listening(settings, address) as listening:
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


def _require_users(settings: WorkbenchSettings, store: Store, loopback: bool) -> None:
    if store.users.all():
        return
    if not loopback:
        raise StayworthError(
            f"{settings.host} can be reached from elsewhere, and there are no users who could sign in. Make one "
            "first: stayworth users add NAME --role admin. Or listen on 127.0.0.1."
        )
    _log.warning(
        "There are no users: whoever can reach %s sees all customers. To make one: stayworth users add NAME",
        settings.host,
    )


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
