"""The HTTP service: BentoML starts and watches the worker processes, each of which runs our ASGI application.

The only module that imports BentoML. A worker follows the champion model, reads the score store, and takes its
settings from environment variables: `serve` sets them from the command line, and a bento is run with them.
"""

from __future__ import annotations

import atexit
import gc
import ipaddress
import logging
import os
import signal
import socket
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from uvicorn.config import HTTP_PROTOCOLS

from features.errors import OutputError, StayworthError, StoreError
from features.temporary import temporary_folder
from serving.api.access import Access, HadKeys
from serving.api.application import Application
from serving.api.endpoints import Endpoints
from serving.api.logs import log_json
from serving.api.rates import Rates
from serving.champion.champion import Champion
from serving.settings import ServeSettings, StoreSettings
from serving.store.store import Store
from training.settings import RegistrySettings

_FOLDER = "STAYWORTH_FOLDER"
_LOOPBACK_HOST = "STAYWORTH_LOOPBACK_HOST"
_PARENT = "STAYWORTH_PARENT"
PARENT_SECONDS = 2.0
ENDING_SECONDS = 30.0
"""How long a worker whose parent is gone may take to answer what it was asked."""

_log = logging.getLogger("stayworth")

if folder := os.environ.get(_FOLDER):
    # A worker starts in an empty folder, for one called features or training in the caller's would be imported in
    # the place of ours. Those are imported by now, and the caller's paths are meant from the caller's folder.
    os.chdir(folder)
settings = ServeSettings.from_environment(os.environ)
registry_uri = RegistrySettings.from_environment(os.environ).tracking_uri
champion = Champion(registry_uri, settings.cache, poll_seconds=settings.poll_seconds)
store = Store(StoreSettings.from_environment(os.environ).uri)
shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # BentoML makes it for the workers of one service
access = Access(
    store.keys,
    settings.auth,
    settings.rate_limit,
    settings.max_body_mb * 2**20,
    os.environ.get(_LOOPBACK_HOST),
    Rates(Path(shared) / "rates") if shared else None,
    settings.cache,
)


with warnings.catch_warnings():
    # BentoML imports, and declares schemas with, what pathspec and pydantic have deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import bentoml

    class Stayworth:
        """Who is likely to leave, and what they are worth."""

        def __init__(self) -> None:
            log_json()
            threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
            access.start()
            champion.start()
            # What is loaded by now stays: a collection need not walk through it, a fifth of a second each time.
            gc.collect()
            gc.freeze()
            atexit.register(gc.unfreeze)  # or DuckDB complains of what is left at the end

    class ApiService(bentoml.Service):  # type: ignore[misc]
        """A BentoML service that answers with our application, and starts and stops with BentoML's own.

        No request passes BentoML's middlewares: one keeps a timer for each until its time is up, answered or not,
        and one labels the metrics with any path a caller makes up.
        """

        def to_asgi(self, is_main: bool = True) -> Application:
            """Return the application that uvicorn runs, and have it read requests within limits."""
            HTTP_PROTOCOLS["auto"] = "serving.api.protocol:LimitedProtocol"  # BentoML takes the default
            who = settings.metrics
            if who == "auto":
                who = "open" if os.environ.get(_LOOPBACK_HOST) else "key"
            operations = Endpoints(champion, store, who).operations()
            return Application(operations, access, lifespan=super().to_asgi(is_main))

    service: Any = bentoml.service(
        Stayworth,
        name="stayworth",
        service_class=ApiService,
        tracing={"excluded_urls": ".*"},
        metrics={"enabled": False},  # ours take their place
        logging={"access": {"enabled": False}},
    )


def _end_with_parent() -> None:
    """End this worker when the process that watches it is gone, killed without a word."""
    parent = int(os.environ.get(_PARENT) or os.getppid())  # it may be gone by now
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    _log.error("The process that started this worker is gone, and it ends too.")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ENDING_SECONDS)
    os._exit(1)


def serve(settings: ServeSettings, registry: RegistrySettings, store: StoreSettings) -> None:
    """Answer over HTTP until the process is told to end.

    Raises
    ------
    OutputError
        If the address cannot be listened on.
    StayworthError
        If it is to be open to more than this machine.
    """
    log_json()
    address = _address(settings)
    auth = _auth(settings, address, store)
    with temporary_folder() as home:
        os.environ |= settings.to_environment() | registry.to_environment() | store.to_environment()
        os.environ |= {
            # The words: neither takes a 1.
            "BENTOML_DO_NOT_TRACK": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "BENTOML_QUIET": "true",  # we say it in JSON
            "BENTOML_HOME": os.environ.get("BENTOML_HOME", str(home)),
            # A request is small: threads would cost it more than they bring.
            "OMP_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
            "STAYWORTH_AUTH": auth,
            _FOLDER: os.getcwd(),
            _PARENT: str(os.getpid()),
        }
        if ipaddress.ip_address(address).is_loopback:
            os.environ[_LOOPBACK_HOST] = settings.host
        service.working_dir = str(home)
        service.config["workers"] = settings.workers
        _log.info("Listening on http://%s:%d, %d workers.", address, settings.port, settings.workers)
        try:
            service.serve_http(host=address, port=settings.port)
        except OSError as error:
            raise _listen_error(settings, error) from None


def _address(settings: ServeSettings) -> str:
    """Return the host's address: BentoML takes no names such as localhost."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _listen_error(settings, error) from None
    return str(found[0][4][0])


def _listen_error(settings: ServeSettings, error: OSError) -> OutputError:
    return OutputError(f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.")


def _auth(settings: ServeSettings, address: str, store: StoreSettings) -> str:
    """Return whether keys are asked for, and say so where they are not."""
    if ipaddress.ip_address(address).is_loopback:
        had_keys = settings.auth == "auto" and HadKeys(Store(store.uri).keys, settings.cache).known
        if settings.auth != "always" and not had_keys and not _has_keys(settings, store):
            _log.warning("No API key is asked for: whoever can reach %s is answered.", address)
        return settings.auth
    if settings.auth == "off":
        raise StayworthError(
            f"{settings.host} can be reached from elsewhere: without keys, listen on 127.0.0.1. "
            "To make a key: stayworth keys add NAME"
        )
    if not _has_keys(settings, store):
        _log.warning("There is no API key yet, and all are refused. Make one: stayworth keys add NAME")
    return "always"


def _has_keys(settings: ServeSettings, store: StoreSettings) -> bool:
    try:
        return settings.auth != "off" and bool(Store(store.uri).keys.all())
    except StoreError:
        return True  # not known, so asked for
