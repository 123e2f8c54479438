"""The ledger: what was intended, done, delivered and refused, by whom, and the trail of it. In SQL."""

from airflow_provider_asperion.ledger.errors import GripLost, SessionLost
from airflow_provider_asperion.ledger.files import FileClaim, SeenFile
from airflow_provider_asperion.ledger.hashing import IdentityHasher, fingerprint
from airflow_provider_asperion.ledger.keys import Claim, Document, DocumentKey, Grip
from airflow_provider_asperion.ledger.lease import LiveSession, ledger_session
from airflow_provider_asperion.ledger.ledger import Ledger
from airflow_provider_asperion.ledger.queue import LedgerQueue
from airflow_provider_asperion.ledger.sessions import WorkSession
from airflow_provider_asperion.ledger.tokens import TokenVault
from airflow_provider_asperion.ledger.trail import Event

__all__ = [
    "Claim",
    "Document",
    "DocumentKey",
    "Event",
    "FileClaim",
    "Grip",
    "GripLost",
    "IdentityHasher",
    "Ledger",
    "LedgerQueue",
    "LiveSession",
    "SeenFile",
    "SessionLost",
    "TokenVault",
    "WorkSession",
    "fingerprint",
    "ledger_session",
]
