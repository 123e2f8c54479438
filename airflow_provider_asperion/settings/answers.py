"""Settings of the flow that reads what SAP answers to the files it fetched."""

from __future__ import annotations

from pydantic import Field

from airflow_provider_asperion.sap.drop_folder import DropFolder
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.settings.tasks import TaskRules, Waking
from airflow_provider_asperion.settings.watching import Expectation

ANSWERS = ("STATUS", "ALEAUD", "ORDRSP")


class AnswersFromSap(Waking):
    """SAP's answers (STATUS, ALEAUD, ORDRSP) tell which records that were sent it has posted."""

    enabled: bool = Field(False, description="true: SAP writes answers, and a DAG reads them.")
    folder: DropFolder = DropFolder(inbox="from_sap/answers")
    reading: ReadProfile = ReadProfile(message_types=ANSWERS)
    delivery: TaskRules = TaskRules()
    expect: Expectation | None = None
