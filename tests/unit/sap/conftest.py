"""What the tests of reading share: reading bytes, an order, sample files where they are."""

import io
import os
from pathlib import Path

import pytest

from airflow_provider_asperion.records import Problem
from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.sap.reading import read_documents


class Unseekable(io.RawIOBase):
    """A stream as a server gives it: small pieces, no way back."""

    def __init__(self, content, piece=1000):
        self._content = memoryview(content)
        self._piece = piece

    def read(self, size=-1):
        size = min(size if size >= 0 else self._piece, self._piece)
        found, self._content = bytes(self._content[:size]), self._content[size:]
        return found


@pytest.fixture(scope="session")
def read():
    """Return a function that reads text or bytes to documents and problems."""

    def run(content, encoding="utf-8", **settings):
        content = content.encode(encoding) if isinstance(content, str) else content
        return list(read_documents(Unseekable(content), file="f", profile=ReadProfile(**settings)))

    return run


@pytest.fixture(scope="session")
def rules():
    """Return a function that gives the rules of problems, and the keys of documents."""
    return lambda found: [one.rule if isinstance(one, Problem) else one.key for one in found]


@pytest.fixture
def sample():
    """Return a function that opens a file of the collection of samples, or skips."""
    folder = Path(os.environ.get("ASPERION_SAMPLES", Path(__file__).parents[4] / "shared" / "samples"))

    def content(name):
        if not (folder / name).exists():
            pytest.skip(f"{name} is not here")
        return (folder / name).read_bytes()

    return content


@pytest.fixture(scope="session")
def order():
    """Return a function that makes the tree of an order."""

    def make(key="PO-1", nets=("10.00", "2.50"), **segments):
        total = f"{sum(round(float(net) * 100) for net in nets) / 100:.2f}"
        return {
            "E1EDK01": [{"CURCY": "EUR", "BELNR": key}],
            "E1EDKA1": [{"PARVW": "AG", "PARTN": "0000001005", "NAME1": "Café Zoë", "ORT01": "Den Haag"}],
            "E1EDK02": [{"QUALF": "001", "BELNR": key, "DATUM": "20261120"}],
            "E1EDP01": [
                {
                    "POSEX": f"{number:06d}",
                    "MENGE": "2.000",
                    "MENEE": "PCE",
                    "E1EDP19": [{"QUALF": "002", "IDTNR": f"SKU-{number}", "KTEXT": "Fiets"}],
                    "E1EDP26": [{"QUALF": "003", "BETRG": net}],
                }
                for number, net in enumerate(nets, start=1)
            ],
            "E1EDS01": [
                {"SUMID": "001", "SUMME": str(len(nets))},
                {"SUMID": "002", "SUMME": total, "WAERQ": "EUR"},
            ],
            **segments,
        }

    return make
