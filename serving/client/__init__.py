"""Python client of the scoring service."""

from serving.client.answer_types import Answer, LookupAnswer, OfferPrice, Score, ScoreAnswer, Unscored
from serving.client.http_client import StayworthClient
from serving.client.request_types import Customer, Transaction
from serving.client.service_error import ServiceError

__all__ = [
    "Answer",
    "Customer",
    "LookupAnswer",
    "OfferPrice",
    "Score",
    "ScoreAnswer",
    "ServiceError",
    "StayworthClient",
    "Transaction",
    "Unscored",
]
