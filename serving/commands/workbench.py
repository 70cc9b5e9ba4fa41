"""The command ``workbench``: pages for campaign teams, managers and data scientists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from features.commands.console import progress
from features.commands.log import open_log
from features.commands.options import CONFIG_ONLY, options
from features.economics.settings import ReportSettings
from features.log.settings import Columns, LogSettings
from serving.delivery.settings import WebhookSettings
from serving.settings import StoreSettings, WorkbenchSettings
from training.settings import RegistrySettings


@options
def workbench(
    settings: WorkbenchSettings,
    store: StoreSettings,
    registry: RegistrySettings,
    columns: Columns,
    webhook: WebhookSettings,
    log: Annotated[LogSettings | None, CONFIG_ONLY],
    report: Annotated[ReportSettings | None, CONFIG_ONLY],
) -> None:
    """Show the published customers in the browser, to whoever may see them. Ends with Ctrl-C.

    Example: stayworth workbench --language fa

    On this machine's own address it opens at once while there are no users; for others, make users and say where:
    stayworth users add sara, then stayworth workbench --host 0.0.0.0 --certificate cert.pem --private-key key.pem

    With --webhook, a campaign's page tells that address whom to contact, as stayworth sync does.
    """
    from serving.store.store import Store
    from serving.workbench.reports import Reports
    from serving.workbench.server import require_users, serve
    from training.versions.registry import Registry

    with Store(store.uri) as opened:
        require_users(settings, opened)
        if webhook.url:
            with webhook.opened():  # an address or a secret that is none is said now
                webhook.folder(opened.address.file)
        orders = reports = None
        if settings.transactions:
            # How rows are read stays that of the file; which log, the workbench is told.
            known = {} if log is None else {name: getattr(log, name) for name in log.model_fields_set}
            log = LogSettings(**{**known, "transactions": settings.transactions})
            with progress() as step:
                orders = open_log(log, columns, step)
            reports = Reports(report or ReportSettings(out=Path()), log, columns)
        serve(settings, opened, Registry(registry.tracking_uri), orders, columns, webhook, reports, log)
