"""The address of a drop folder: one form, no secret, told apart where the files are others."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from airflow.sdk import Asset

from airflow_provider_asperion.hooks.sap_uri import folder_uri, sanitize_uri

pytestmark = pytest.mark.feature("X8")


@pytest.mark.parametrize(
    ("folder", "pattern", "uri"),
    [
        ("orders", "*", "sap-sftp://sap/orders"),
        ("orders/", "*", "sap-sftp://sap/orders"),
        ("in/./orders", "*", "sap-sftp://sap/in/orders"),
        ("/srv/orders", "*", "sap-sftp://sap//srv/orders"),
        ("orders", "A*.xml", "sap-sftp://sap/orders?pattern=A%2A.xml"),
        ("Aufträge neu", "*", "sap-sftp://sap/Auftr%C3%A4ge%20neu"),
    ],
)
def test_folders(folder, pattern, uri):
    assert folder_uri("sap", folder, pattern) == uri
    assert sanitize_uri(urlsplit(uri)).geturl() == uri
    assert Asset(name="files", uri=uri).uri == uri, "as Airflow keeps it"


def test_what_somebody_writes_down_gets_the_one_form():
    assert Asset(name="files", uri="SAP-SFTP://sap/orders/").uri == "sap-sftp://sap/orders"


@pytest.mark.parametrize("uri", ["sap-sftp:///orders", "sap-sftp://u:p@sap/orders", "sap-sftp://sap"])
def test_what_is_no_folder_of_a_connection_is_refused(uri):
    with pytest.raises(ValueError, match="sap-sftp://connection/folder"):
        sanitize_uri(urlsplit(uri))
