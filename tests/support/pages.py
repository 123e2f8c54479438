"""The pages without Airflow's server: permissions are in the hands of the test, all else is real."""

from __future__ import annotations

from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient

from airflow_provider_asperion.ledger import DocumentKey
from airflow_provider_asperion.monitoring import forms
from airflow_provider_asperion.monitoring.app import make_app

HEAD = "ORDER_NO;ORDER_DATE;CUSTOMER_NO;NAME;EMAIL;SKU;QUANTITY;PRICE\n"
FILE = HEAD + (
    "4711;20260115;900;Piet Puk;piet.puk@example.org;SKU-00001;2;12.50\n"
    "4712;20260115;901;Kees Kwik;kees.kwik@example.org;SKU-99999;1;3.00\n"
    "4713;20260115;902;Jan Jansen;jan@example.org;SKU-00002;two;3.00\n"
)
PERSONAL = ("Piet Puk", "piet.puk", "Kees", "kees.kwik", "Jansen")


class Manager:
    """Stands for Airflow's auth manager: knows reader, trigger and admin."""

    def is_authorized_dag(self, *, method, access_entity=None, details=None, user):
        return user.level >= (1 if method == "GET" else 2)

    def is_authorized_connection(self, *, method, details=None, user):
        return user.level >= 3


class Person:
    def __init__(self, level):
        self.level = level

    def get_id(self):
        return f"person-{self.level}"

    get_name = get_id


def client(level=None):
    app = make_app()
    if level is not None:
        app.dependency_overrides[get_user] = lambda: Person(level)
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


def record_id(key):
    return DocumentKey("1", "sales_order", key).id


def form(level, **fields):
    return {forms.FIELD: forms.token_for(Person(level)), **fields}
