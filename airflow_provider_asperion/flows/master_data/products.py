"""SAP's materials as articles: found by SKU, created once, updated where a field that SAP owns differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_asperion.asperion.models import ArticleDraft
from airflow_provider_asperion.flows.gtin import checked_ean
from airflow_provider_asperion.flows.master_data.desk import Decision
from airflow_provider_asperion.records import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_asperion.asperion import Asperion
    from airflow_provider_asperion.asperion.models import Article
    from airflow_provider_asperion.flows.creating import Creator
    from airflow_provider_asperion.flows.master_data.prepare import Said
    from airflow_provider_asperion.flows.orders_to_asperion.live import LiveValues
    from airflow_provider_asperion.records import ArticleMaster
    from airflow_provider_asperion.settings.master_data import ArticleMasterRules

ARTICLE = "article"
_PLAIN = ("description", "long_description", "price", "ean", "unit", "sales_type", "vat_code", "active")


@dataclass(frozen=True, slots=True)
class ArticleMasterDesk:
    """Decides about articles, and writes them.

    :param live: ids of the administration.
    :param creator: None where nothing is to be written, as for a plan.
    """

    asperion: Asperion
    rules: ArticleMasterRules
    live: LiveValues
    creator: Creator[Article] | None = None
    kind: str = ARTICLE

    def name_of(self, said: Said[ArticleMaster]) -> str:
        """Return the SKU, in the form in which SKUs are compared."""
        return said.record.sku.strip()

    def ledger_name(self, said: Said[ArticleMaster]) -> str:
        """Return the SKU."""
        return self.name_of(said)

    async def decide(self, said: Said[ArticleMaster]) -> Decision:
        """Say what happens to an article.

        :raises ProblemError: several articles have the SKU, or none and none may be created, or SAP deleted
            it, or its EAN is wrong.
        """
        article = await self._find(said)
        if said.record.deleted and self.rules.deleted == "report":
            raise ProblemError(_deleted(article))
        draft = self._draft(said.record)
        if article is not None:
            changes = self._differences(article, draft) if self.rules.update else {}
            return Decision("update" if changes else "skip", changes, str(article.id))
        if said.record.deleted:
            return Decision("skip")
        if not self.rules.create:
            raise ProblemError(_absent(said.record.sku))
        filled = self._draft(said.whole)
        if filled.description is None:
            raise ProblemError(_nameless())
        return Decision("create", {name: ("", str(value)) for name, value in _fields(filled).items()})

    async def carry_out(self, said: Said[ArticleMaster], decision: Decision) -> str:
        """Create or update the article; return its id."""
        if decision.action == "create":
            return str((await self._create(said)).id)
        if decision.asperion_id is None:
            raise AssertionError("an update has an article")
        changes = _only(self._draft(said.record), decision.changes)
        return str((await self.asperion.update_article(decision.asperion_id, changes)).id)

    async def _create(self, said: Said[ArticleMaster]) -> Article:
        if self.creator is None:
            raise AssertionError("a plan creates nothing")
        return await self.creator.create(
            lambda predecessor: "|".join((self.name_of(said), predecessor)).rstrip("|"),
            find=lambda: self._find(said),
            post=lambda: self.asperion.create_article(self._draft(said.whole)),
        )

    async def _find(self, said: Said[ArticleMaster]) -> Article | None:
        found = await self.asperion.find_article(said.record.sku)
        if len(found) > 1:
            raise ProblemError(
                Problem(
                    rule="article.several",
                    message=f"{len(found)} articles have the code {said.record.sku}",
                    remedy="rename all but one of them in Asperion",
                    field="sku",
                )
            )
        return found[0] if found else None

    def _draft(self, record: ArticleMaster) -> ArticleDraft:
        return ArticleDraft(
            code=record.sku,
            description=record.title,
            long_description=record.long_description,
            price=record.price,
            ean=checked_ean(
                record.ean,
                wrong=self.rules.wrong_ean,
                setting="article.wrong_ean",
                record=record.sku,
                source="SAP",
            ),
            unit=record.unit,
            sales_type=self.live.id_of("sales_type", record.sales_type),
            vat_code=record.vat_code,
            active=self._active(record),
            characteristics=record.characteristics,
            custom=record.custom,
        )

    def _active(self, record: ArticleMaster) -> bool | None:
        """Return what the deletion flag makes of an article; None leaves it as it is."""
        if record.deleted is None or self.rules.deleted != "deactivate":
            return None
        return not record.deleted

    def _differences(self, article: Article, draft: ArticleDraft) -> dict[str, tuple[str, str]]:
        """Return what a record would change in an article; what it leaves open changes nothing."""
        now = _fields(article)
        return {
            name: ("" if now.get(name) is None else str(now[name]), str(value))
            for name, value in _fields(draft).items()
            if name not in self.rules.keep and _differs(now.get(name), value)
        }


def _fields(article: Article | ArticleDraft) -> dict[str, Any]:
    """Return the fields that have a value, characteristics and custom fields by names of their own."""
    fields = {name: getattr(article, name) for name in _PLAIN}
    free = {f"characteristic_{number}": text for number, text in enumerate(article.characteristics, start=1)}
    return {name: value for name, value in {**fields, **free, **article.custom}.items() if value is not None}


def _differs(now: object, then: object) -> bool:
    if isinstance(now, str) or isinstance(then, str):
        return " ".join(str("" if now is None else now).split()) != " ".join(str(then).split())
    return now != then


def _only(draft: ArticleDraft, chosen: Mapping[str, object]) -> ArticleDraft:
    """Return a draft with the chosen fields alone."""
    free = enumerate(draft.characteristics, start=1)
    return draft.model_copy(
        update={
            **{name: None for name in _PLAIN if name not in chosen},
            "characteristics": tuple(
                text if f"characteristic_{number}" in chosen else None for number, text in free
            ),
            "custom": {name: text for name, text in draft.custom.items() if name in chosen},
        }
    )


def _deleted(article: Article | None) -> Problem:
    stays = "" if article is None else "; the article stays as it is"
    return Problem(
        rule="article.deleted",
        message=f"SAP flags the material as deleted{stays}",
        remedy="make it inactive in Asperion, or set article.deleted: deactivate or ignore",
        field="deleted",
    )


def _absent(sku: str) -> Problem:
    return Problem(
        rule="article.missing",
        message=f"article {sku} does not exist in Asperion",
        remedy="create it there, or set article.create: true",
        field="sku",
    )


def _nameless() -> Problem:
    return Problem(
        rule="article.incomplete",
        message="the file tells only what changed of a material, and Asperion does not have the article",
        remedy="have SAP send the material whole (transaction BD10)",
        field="title",
    )
