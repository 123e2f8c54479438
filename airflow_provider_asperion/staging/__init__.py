"""Staging: encrypted batches of records on any object store, for as long as a run needs them."""

from airflow_provider_asperion.staging.frames import Cipher
from airflow_provider_asperion.staging.keys import local_key
from airflow_provider_asperion.staging.staging import BatchRef, Staging, Swept, folder_of

__all__ = ["BatchRef", "Cipher", "Staging", "Swept", "folder_of", "local_key"]
