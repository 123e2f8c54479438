"""Checks the last line of a delimited file: the number of rows and the sums that it states."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_provider_asperion.sap.drafts import BrokenFileError, broken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_asperion.sap.dialect import Dialect
    from airflow_provider_asperion.sap.profile import Trailer

_AGAIN = "have the file sent again, whole"


class TrailerCheck:
    """Counts and adds while rows come, and compares at the end.

    :param trailer: None for files without one; then nothing is checked.
    """

    def __init__(self, trailer: Trailer | None, columns: tuple[str, ...], dialect: Dialect) -> None:
        self._trailer = trailer
        self._dialect = dialect
        sums: Mapping[str, int] = trailer.sums if trailer else {}
        missing = sorted(set(sums) - set(columns))
        if missing:
            raise broken(
                "csv.header",
                f"the file has no column {missing[0]}, which the trailer is to add up",
                "correct csv.trailer.sums in the settings, or have the sender send the column",
            )
        self._places = {name: (columns.index(name), at - 1) for name, at in sums.items()}
        self._sums = dict.fromkeys(sums, Decimal(0))
        self._rows = 0
        self._row: list[str] = []
        self._line = 0

    @property
    def seen(self) -> bool:
        """Whether the trailer came."""
        return bool(self._row)

    def takes(self, row: list[str], line: int) -> bool:
        """Tell whether a row is the trailer, and count it if it is not.

        :raises BrokenFileError: a row stands behind the trailer.
        """
        if self._trailer is None:
            return False
        if self.seen:
            raise broken("csv.trailer", "rows stand behind the trailer", _AGAIN, line=line)
        if row[0] == self._trailer.marker:
            self._row, self._line = row, line
            return True
        self._rows += 1
        return False

    def add(self, row: list[str], line: int) -> None:
        """Add the values of a row to the sums.

        :raises BrokenFileError: a value is no number, so that the sums mean nothing.
        """
        for name, (index, _) in self._places.items():
            self._sums[name] += self._number(row[index], name, line)

    def refuse_if_missing(self) -> None:
        """Refuse a file that ends without the trailer it should have.

        :raises BrokenFileError: the trailer did not come.
        """
        if self._trailer is not None and not self.seen:
            raise broken("file.cut_off", "the trailer is missing: the file was cut off", _AGAIN)

    def check(self) -> None:
        """Compare what was counted with what the trailer states.

        :raises BrokenFileError: they differ.
        """
        if self._trailer is None:
            return
        if self._trailer.rows is not None:
            self._compare("rows", self._trailer.rows - 1, Decimal(self._rows))
        for name, (_, at) in self._places.items():
            self._compare(name, at, self._sums[name])

    def _compare(self, name: str, at: int, counted: Decimal) -> None:
        stated = self._number(self._row[at] if at < len(self._row) else "", name, self._line)
        if stated != counted:
            raise broken(
                "csv.trailer",
                f"the trailer states {stated} for {name}, the file has {counted}",
                _AGAIN,
                line=self._line,
            )

    def _number(self, text: str, name: str, line: int) -> Decimal:
        try:
            return self._dialect.decimal(text) or Decimal(0)
        except ValueError as error:
            fault = broken("csv.trailer", "a value that is to be added up is no number", _AGAIN, line=line)
            raise BrokenFileError(fault.problem.model_copy(update={"field": name})) from error
