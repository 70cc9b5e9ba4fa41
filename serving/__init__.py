"""What we answer and do: scores over HTTP, scored lists, campaigns and what they earned.

The public names are imported from here: ``from serving import Scorer, StayworthClient``.
"""

from typing import TYPE_CHECKING

from features.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from serving.api.service import serve as serve
    from serving.campaign.findings import write_findings as write_findings
    from serving.campaign.folder import write_campaign as write_campaign
    from serving.campaign.plan_sentences import sentences as sentences
    from serving.client.http_client import StayworthClient as StayworthClient
    from serving.client.service_error import ServiceError as ServiceError
    from serving.explanation.explanation import explain as explain
    from serving.lists.contacts import Contacts as Contacts
    from serving.lists.export import write_table as write_table
    from serving.scored_list import ScoredList as ScoredList
    from serving.scorer import Scorer as Scorer
    from serving.settings import ServeSettings as ServeSettings, StoreSettings as StoreSettings
    from serving.status import read_status as read_status
    from serving.store.store import Store as Store

_EXPORTS = {
    "api.service": "serve",
    "campaign.findings": "write_findings",
    "campaign.folder": "write_campaign",
    "campaign.plan_sentences": "sentences",
    "client.http_client": "StayworthClient",
    "client.service_error": "ServiceError",
    "explanation.explanation": "explain",
    "lists.contacts": "Contacts",
    "lists.export": "write_table",
    "scored_list": "ScoredList",
    "scorer": "Scorer",
    "settings": "ServeSettings StoreSettings",
    "status": "read_status",
    "store.store": "Store",
}
__getattr__, __dir__, __all__ = lazy_exports(__name__, _EXPORTS)
