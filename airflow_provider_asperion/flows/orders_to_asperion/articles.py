"""Finds the article of every line (O7): all must exist, or the settings say what happens instead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airflow_provider_asperion.flows.single_flight import SingleFlight
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Article
    from airflow_provider_asperion.records import Order, OrderLine
    from airflow_provider_asperion.settings import ArticleRules


class ArticleDesk:
    """Looks each distinct article up once per batch."""

    def __init__(self, asperion: Asperion, rules: ArticleRules) -> None:
        self._rules = rules
        self._flights = SingleFlight(asperion.find_article)

    async def resolve(self, order: Order) -> list[Article | None]:
        """Return the article of each line; None makes it a free-text line.

        :raises ProblemError: one problem per line whose article does not exist or is not to be used.
        """
        found = await asyncio.gather(*(self._line(line) for line in order.lines))
        problems = [one for one in found if isinstance(one, Problem)]
        if problems:
            raise ProblemError(*problems)
        return [one for one in found if not isinstance(one, Problem)]

    async def _line(self, line: OrderLine) -> Article | Problem | None:
        if line.text:
            return None
        article = await self._article(line.sku, line) if line.sku else _no_sku(line)
        if not isinstance(article, Problem) or self._rules.missing == "reject":
            return article
        if self._rules.missing == "text":
            return None
        return await self._article(self._rules.fallback or "", line)

    async def _article(self, code: str, line: OrderLine) -> Article | Problem:
        found = await self._flights.get(code)
        usable = [one for one in found if one.active is not False or self._rules.inactive == "accept"]
        if len(usable) == 1:
            return usable[0]
        if usable:
            rule, what = "article.several", f"{len(usable)} articles have the code {code}"
        elif found:
            rule, what = "article.inactive", f"article {code} is inactive"
        else:
            rule, what = "article.missing", f"article {code} does not exist in Asperion"
        return Problem(
            rule=rule,
            message=what,
            remedy="create or activate the article in Asperion, correct the code in the source, "
            "or set articles.missing to fallback or text",
            field=f"lines.{line.number}.sku",
        )


def replaced(order: Order, articles: Sequence[Article | None]) -> dict[str, str]:
    """Return for the trail which codes of the order do not stand in the document, and what does instead."""
    found = {}
    for line, article in zip(order.lines, articles, strict=True):
        if line.sku and article is None:
            found[line.sku] = "free text"
        elif line.sku and article is not None and article.code and article.code != line.sku:
            found[line.sku] = article.code
    return found


def _no_sku(line: OrderLine) -> Problem:
    return Problem(
        rule="article.no_code",
        message=f"line {line.number} has no article code",
        remedy="map a field to lines.sku, or set articles.missing to fallback or text",
        field=f"lines.{line.number}.sku",
    )
