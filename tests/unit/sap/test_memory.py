"""Reading costs the memory of one document, however many the file has."""

import io
import tracemalloc

import pytest

from airflow_provider_asperion.sap.profile import ReadProfile
from airflow_provider_asperion.sap.reading import read_documents
from tests.support.sap_documents import flat, xml

DOCUMENTS = 5_000
PEAK = 4_000_000


class Repeated(io.RawIOBase):
    """A file that is made while it is read: a beginning, the same part many times, an end."""

    def __init__(self, begin, part, times, end):
        self._pieces = iter([begin, *[part] * times, end])
        self._rest = b""

    def read(self, size=-1):
        while len(self._rest) < size and (piece := next(self._pieces, None)) is not None:
            self._rest += piece
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def csv_parts():
    rows = (f"{number};{'x' * 100};1\n" * 5 for number in range(DOCUMENTS))
    return b"ORDER_NO;SKU;QUANTITY\n", rows


@pytest.mark.feature("W5", "X6")
@pytest.mark.parametrize("form", ["flat", "xml", "csv"])
def test_five_thousand_documents_are_read_in_bounded_memory(order, form):
    if form == "csv":
        header, rows = csv_parts()
        stream = Repeated(header, b"", 0, b"")
        stream._pieces = iter([header, *(row.encode() for row in rows)])
    elif form == "flat":
        stream = Repeated(b"", flat([order()]).encode(), DOCUMENTS, b"")
    else:
        text = xml([order()])
        begin, end = text.index("<IDOC"), text.index("</ORDERS05>")
        stream = Repeated(text[:begin].encode(), text[begin:end].encode(), DOCUMENTS, text[end:].encode())
    profile = ReadProfile()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        count = sum(1 for _ in read_documents(stream, file="f", profile=profile))
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert count == DOCUMENTS
    assert peak < PEAK
