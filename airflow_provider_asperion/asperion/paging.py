"""Walks the pages of a list: what comes next, what was seen, and when something is wrong with it.

The shape ``{"_data": [...], "_meta": {"nextPage", "pageCount", "totalCount"}}`` is proven [go]; what
``nextPage`` looks like on the last page and whether it is absolute is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from airflow_provider_asperion.asperion.errors import BadAnswer
from airflow_provider_asperion.asperion.names import get_field

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator


class Pager:
    """Knows which page to ask for next, and afterwards whether the list moved meanwhile.

    :param path: how errors name the list.
    :param id_name: field by which an entry is known again.
    :ivar came: how many different entries came.
    :ivar total: how many the server said there are, on the last page read; None: it did not say.
    :ivar circling: the pages end in a circle.
    :ivar asked_at: when the page was asked for whose items come now: what they say is not older.
    """

    def __init__(self, path: str, *, page_name: str, first_page: int, id_name: str = "id") -> None:
        self.page: int | None = first_page
        self._path = path
        self._page_name = page_name
        self._asked: set[int] = set()
        self._seen: set[object] = set()
        self._id_name = id_name
        self._repeated = False
        self._shrank = False
        self.came = 0
        self.total: int | None = None
        self.circling = False
        self.asked_at: dt.datetime | None = None

    @property
    def shifted(self) -> bool:
        """Whether something moved between the pages read so far, so that entries may be missing.

        An id came twice, ``totalCount`` fell from one page to the next, or at the end it is not the number
        of entries that came. A list that only grew at its end did not shift: all of it came. Nor did one
        that a server gives whole for every page.
        """
        if self.circling and self.came == self.total:
            return False
        return self._repeated or self._shrank or self.total not in (None, self.came)

    def read(self, body: Any) -> Iterator[dict[str, Any]]:
        """Return the items of the page just asked for that did not come before, and move on.

        :raises BadAnswer: when this is no page of a list, or the pages go in circles.
        """
        items = body.get("_data") if isinstance(body, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise self._bad("the answer is no list (_data)")
        assert self.page is not None
        meta = body.get("_meta")
        meta = meta if isinstance(meta, dict) else {}
        new = [item for item in items if self._is_new(item)]
        self._repeated |= len(new) < len(items)
        self.came += len(new)
        self._count(meta.get("totalCount"))
        self._asked.add(self.page)
        following = self._next_page(meta, self.page)
        self.circling = following in self._asked or (following is not None and not new)
        if self.circling and self.total is not None and self.came < self.total:
            # Ending quietly here would let a look-up miss what is there, and make it a second time.
            raise self._bad("the pages go in circles before all items came")
        self.page = None if self.circling else following
        return iter(new)

    def _count(self, total: object) -> None:
        if not isinstance(total, int) or isinstance(total, bool):
            return
        self._shrank |= self.total is not None and total < self.total
        self.total = total

    def _is_new(self, item: dict[str, Any]) -> bool:
        """Whether an id comes for the first time: while data change, items move between pages."""
        key = get_field(item, self._id_name)
        if not isinstance(key, int | str):
            return True
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def _next_page(self, meta: dict[str, Any], current: int) -> int | None:
        following = meta.get("nextPage")
        if following in (None, ""):
            count = meta.get("pageCount")
            return current + 1 if isinstance(count, int) and current < count else None
        page = _number(following) or self._page_of_url(following)
        if page is None:
            raise self._bad("nextPage does not name a page")
        return page

    def _page_of_url(self, url: object) -> int | None:
        try:
            query = parse_qsl(urlsplit(str(url)).query)
        except ValueError:
            return None
        named = (value for name, value in query if name.casefold() == self._page_name.casefold())
        return _number(next(named, None))

    def _bad(self, what: str) -> BadAnswer:
        return BadAnswer(what, method="GET", path=self._path)


def _number(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
