"""What nobody knows about the real API, as switches: each with its default and where that comes from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def _switch(default: object, what: str, **bounds: Any) -> Any:
    return Field(default, description=what, **bounds)


class Switches(BaseModel):
    """How the emulator behaves. Changed at run time with ``PATCH /_sandbox/switches``."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    latency_ms: float = _switch(0, "milliseconds before each answer", ge=0)
    jitter_ms: float = _switch(0, "up to so many milliseconds more, at random", ge=0)

    first_page: int = _switch(1, "number of the first page [inferred]", ge=0)
    default_page_size: int = _switch(50, "entries on a page when pageSize is not sent [inferred]", ge=1)
    max_page_size: int = _switch(200, "pageSize above it is taken as this [inferred]", ge=1)
    next_page_at_end: Literal["null", "empty", "missing"] = _switch(
        "null", "what nextPage is on the last page; null is [inferred] from [go]"
    )
    absolute_links: bool = _switch(True, "links begin with scheme and host; unknown, [go] takes both")

    unknown_parameters: Literal["ignore", "refuse"] = _switch(
        "ignore", "query parameters nobody knows: left alone, or answered with 400 [inferred]"
    )
    change_date_filter: bool = _switch(
        False,
        "lists take DateLastChange_from and _to, which leave out what never changed; no such filter is known",
    )
    paging_shifts: tuple[Literal["insert", "remove"], ...] = _switch(
        (),
        "what happens to the lists while they are paged: each call for a later page makes the next of these "
        "come true and strikes it off; an entry comes in front of the list, or its first one goes",
    )
    case_matters: Literal["equals", "always", "never"] = _switch(
        "equals", "which text comparisons mind case: Equals and NotEquals only, all, or none; unknown"
    )
    date_form: Literal["datetime", "date", "zoned"] = _switch(
        "datetime",
        "dates in answers: 2026-01-31T00:00:00, 2026-01-31, or with a zone; unknown, [go] reads all",
    )
    problem_content_type: Literal["application/problem+json", "application/json"] = _switch(
        "application/problem+json", "content type of errors: what .NET does; [go] wants application/json"
    )

    created_status: Literal[200, 201] = _switch(201, "status of a successful POST [inferred]")
    validated_status: Literal[200, 204] = _switch(200, "status of a successful validateOnly [unknown]")
    foreign_tenant_status: Literal[403, 404] = _switch(
        403, "status for an administration that the user may not reach [inferred]"
    )
    unique_references: bool = _switch(
        False,
        "a second document of a reference, debtor or article of a number, is refused with 409; unknown",
    )
    mandatory_debtor_fields: tuple[str, ...] = _switch(
        ("name",),
        "fields a debtor must have; the application's screens ask number, name, address and kind [help], "
        "whether the API does is unknown",
    )
    put_clears_omitted: bool = _switch(True, "what a PUT leaves out becomes empty; unknown")
    current_stock_in_body: Literal["ignore", "refuse"] = _switch(
        "ignore", "currentStock in a request body: it cannot be written [help], how it is refused is unknown"
    )
    inactive_articles_on_orders: Literal["refuse", "accept"] = _switch(
        "refuse", "an order line with an inactive article [inferred]"
    )
    orders_move_stock: bool = _switch(
        True,
        "an order lowers currentStock when it is created [help]; perhaps only once it is final [inferred]",
    )
    stock_changes_date: bool = _switch(
        True, "a change of currentStock is a change of the article, so dateLastChange becomes now; unknown"
    )
    intrade: bool = _switch(
        True, "the administration has the inTrade pack; without it orders get 403 [inferred]"
    )
    concept_invoice_number: Literal["keep", "lose"] = _switch(
        "keep",
        "whether a concept invoice keeps the invoiceNumber it was sent with; connectors report it has none",
    )
    vat_rounding: Literal["document", "line"] = _switch(
        "document", "VAT is rounded once per VAT code, or line by line; unknown"
    )

    expires_in: int = _switch(3600, "life of an access token in seconds; unknown", ge=0)
    rotate_refresh_tokens: bool = _switch(
        True, "each renewal gives a new refresh token and ends the old one; unknown"
    )
    require_pkce: bool = _switch(False, "a login without a PKCE challenge is refused; unknown")
