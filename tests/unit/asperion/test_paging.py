"""Paging: every form in which a next page may be told, and pages that never end."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from airflow_provider_asperion.asperion.errors import BadAnswer

PATH = "/v1/debtors"


async def ids_of(client, **options):
    return [item["id"] async for item in client.items(PATH, **options)]


@pytest.mark.parametrize(
    "form",
    [
        "https://api.asperion.nl/v1/debtors?pageSize=2&page={}",
        "/v1/debtors?page={}&pageSize=2",
        "?Page={}",
        "{}",
    ],
)
@pytest.mark.parametrize("end", [None, "", "missing"])
async def test_pages_are_followed_to_their_end(client, api, build, form, end):
    last = build.listing({"id": 5})
    if end == "missing":
        del last["_meta"]["nextPage"]
    else:
        last["_meta"]["nextPage"] = end
    api.script(
        PATH,
        build.listing({"id": 1}, {"id": 2}, nextPage=form.format(2)),
        build.listing({"id": 3}, {"id": 4}, nextPage=form.format(3)),
        last,
    )
    assert await ids_of(client, page_size=2) == [1, 2, 3, 4, 5]
    assert [query["page"] for query, _, _ in api.calls(PATH)] == ["1", "2", "3"]
    assert {query["pageSize"] for query, _, _ in api.calls(PATH)} == {"2"}


async def test_a_page_count_is_enough(client, api, build):
    api.script(PATH, build.listing({"id": 1}, pageCount=2), build.listing({"id": 2}, pageCount=2))
    assert await ids_of(client) == [1, 2]


async def test_an_item_that_moved_to_the_next_page_comes_once(client, api, build):
    api.script(PATH, build.listing({"id": 1}, {"id": 2}, nextPage="2"), build.listing({"id": 2}, {"id": 3}))
    assert await ids_of(client) == [1, 2, 3]


async def test_a_server_that_ignores_the_page_ends_when_all_came(client, api, build):
    api.script(PATH, build.listing({"id": 1}, {"id": 2}, nextPage="?page=2", totalCount=2))
    assert await ids_of(client) == [1, 2]


@pytest.mark.feature("X2")
async def test_circling_pages_that_hide_items_are_an_error_not_an_end(client, api, build):
    api.script(PATH, build.listing({"id": 1}, {"id": 2}, nextPage="?page=2", totalCount=9))
    with pytest.raises(BadAnswer, match="circles"):
        await ids_of(client)


async def test_filters_go_with_every_page(client, api, build):
    api.script(PATH, build.listing({"id": 1}, nextPage="2"), build.listing({"id": 2}))
    _ = [item async for item in client.items(PATH, {"EmailAddress": "a+b@example.org"})]
    assert [query["EmailAddress"] for query, _, _ in api.calls(PATH)] == ["a+b@example.org"] * 2


@pytest.mark.parametrize("body", [{}, [], {"_data": None}, {"_data": [1]}, {"_data": {}}])
async def test_what_is_no_list_is_a_bad_answer(client, api, body):
    api.script(PATH, web.Response(text=json.dumps(body), content_type="application/json"))
    with pytest.raises(BadAnswer):
        await ids_of(client)


async def test_a_next_page_that_names_none_is_a_bad_answer(client, api, build):
    api.script(PATH, build.listing({"id": 1}, nextPage="https://api.asperion.nl/v1/debtors?cursor=x"))
    with pytest.raises(BadAnswer, match="nextPage"):
        await ids_of(client)
