"""The pages inside a real Airflow, as people with different rights see them, in a real browser.

Runs last: it adds an article, and orders.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_asperion.sandbox.demo_airflow import wait_for
from airflow_provider_asperion.sandbox.sap_files import SampleOrder, orders_csv, sample_orders

from .conftest import DAG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, ConsoleMessage, Page

    from .conftest import Landscape

pytestmark = [pytest.mark.slow, pytest.mark.feature("W3")]
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or ""
MISSING = "SKU-99999"
# To see what the browser saw: ASPERION_PICTURES=/tmp/pictures pytest tests/system/test_web_pages.py
PICTURES = os.environ.get("ASPERION_PICTURES")
SIZE = {"width": 1360, "height": 850}
ROUTES = ("/", "/activity", "/refused", "/setup", "/flow/default/orders_to_asperion", "/static/style.css")


def some_order(place: int, sku: str) -> list[SampleOrder]:
    return sample_orders(1, seed=place, articles=[sku], customers=100, first=990_000 + place, prefix="P")


def token(landscape: Landscape, user: str) -> str:
    body = json.dumps({"username": user, "password": user}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{landscape.airflow.url}/auth/token", body, headers)
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["access_token"])


def status(landscape: Landscape, path: str, user: str | None, *, method: str = "GET") -> int:
    headers = {} if user is None else {"Authorization": f"Bearer {token(landscape, user)}"}
    url = f"{landscape.airflow.url}/asperion{path}"
    request = urllib.request.Request(url, b"" if method == "POST" else None, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def scheduled_runs_ended(landscape: Landscape) -> bool:
    try:
        found = landscape.airflow.request("GET", f"dags/{DAG}/dagRuns?limit=100")["dag_runs"]
    except TimeoutError:  # a busy machine; asking again does no harm
        return False
    ended = [run["state"] in ("success", "failed") for run in found]
    return all(ended) and any(run["run_type"] == "scheduled" for run in found)


@pytest.fixture(scope="module")
def began() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture(scope="module")
def sent(landscape: Landscape, began: dt.datetime) -> list[SampleOrder]:
    """Two orders, one for an article that is not there; the flow has run."""
    (good,), (bad,) = some_order(1, "SKU-00001"), some_order(2, MISSING)
    landscape.airflow.request("PATCH", f"dags/{DAG}?update_mask=is_paused", {"is_paused": False})
    # The schedule's own run, which begins now, would take the file; the test wants it in a run of its own.
    wait_for(lambda: scheduled_runs_ended(landscape), 240, "the run of the schedule does not end")
    landscape.drop("pages.csv", orders_csv([good, bad]))
    run = landscape.trigger(DAG)
    assert landscape.wait(run, DAG) == "success"
    assert landscape.result(run)["counts"] == {"created": 1, "refused": 1}
    return [good, bad]


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    if not BROWSER:
        pytest.skip("no browser is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        context = browser.new_context(viewport=SIZE)
        context.set_default_timeout(120_000)  # a busy machine
        yield context
        browser.close()


@pytest.fixture(scope="module")
def page(context: BrowserContext, landscape: Landscape) -> Iterator[Page]:
    page = context.new_page()
    blocked: list[str] = []
    page.on("console", lambda said: blocked.append(said.text) if is_ours(said) else None)
    page.goto(f"{landscape.airflow.url}/auth/login")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "admin")
    page.click("button[type=submit]")
    # Airflow's own page is there: until then its redirects would cut off whatever a test opens.
    page.get_by_role("link", name="Asperion", exact=True).wait_for()
    yield page
    assert blocked == [], "the pages hold nothing that their own policy forbids"


def is_ours(said: ConsoleMessage) -> bool:
    return "Security Policy" in said.text and "/asperion/" in said.location.get("url", "")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"pages-{name}.png")


def test_each_route_asks_airflow_who_may(landscape: Landscape, sent: list[SampleOrder]) -> None:
    for path in ROUTES:
        assert status(landscape, path, None) == 401, path
        assert status(landscape, path, "reader") == 200, path
    for path in ("/retry", "/plan", "/setup/connect", "/setup/try", "/setup/switch", "/record/x/patch"):
        assert status(landscape, path, None, method="POST") == 401, path
        assert status(landscape, path, "reader", method="POST") == 403, path
    assert status(landscape, "/setup/settings.yaml", "reader") == 403
    assert status(landscape, "/setup/settings.yaml", "operator") == 200


def test_the_page_stands_in_airflows_navigation(page: Page, landscape: Landscape) -> None:
    page.goto(f"{landscape.airflow.url}/")
    page.get_by_role("link", name="Asperion", exact=True).click()
    inside = page.frame_locator("iframe")
    inside.get_by_role("heading", name="Overview").wait_for()
    inside.get_by_text("Orders, SAP to Asperion").first.wait_for()
    picture(page, "overview")
    page.goto(f"{landscape.airflow.url}/plugin/asperion")  # where the demo says that it is
    page.frame_locator("iframe").get_by_role("heading", name="Overview").wait_for()


def test_the_pages_follow_airflows_theme_and_fit_a_narrow_window(page: Page, landscape: Landscape) -> None:
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.goto(f"{landscape.airflow.url}/asperion/")
    assert page.evaluate("document.documentElement.classList.contains('dark')")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.evaluate("localStorage.setItem('theme', 'light')")
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark
    page.set_viewport_size({"width": 480, "height": 800})
    for path in ("/", "/activity", "/refused", "/setup", "/flow/default/orders_to_asperion"):
        page.goto(f"{landscape.airflow.url}/asperion{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    page.set_viewport_size(SIZE)


def test_the_keyboard_is_enough(page: Page, landscape: Landscape) -> None:
    page.goto(f"{landscape.airflow.url}/asperion/refused")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0, "it can be seen"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Overview"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    unlabelled = """() => [...document.querySelectorAll('input:not([type=hidden]), select')]
        .filter(one => !one.labels.length && !one.ariaLabel).map(one => one.outerHTML)"""
    for path in ("/", "/activity", "/setup", "/setup?check=default"):
        page.goto(f"{landscape.airflow.url}/asperion{path}")
        assert page.evaluate(unlabelled) == [], path


@pytest.mark.feature("O4")
def test_an_order_is_found_by_number_and_by_address(
    page: Page, landscape: Landscape, sent: list[SampleOrder]
) -> None:
    good = sent[0]
    page.goto(f"{landscape.airflow.url}/asperion/")
    page.fill("header input[type=search]", good.reference)
    page.press("header input[type=search]", "Enter")
    page.get_by_text("Created in Asperion as").wait_for()
    assert "pages.csv" in page.content()
    assert good.email not in page.content()
    log = page.get_by_role("link", name="log of the task").last.get_attribute("href")
    assert log is not None
    assert re.search(rf"/dags/{DAG}/runs/manual.+/tasks/deliver/mapped/0\?try_number=1$", log)
    page.fill("header input[type=search]", good.email)
    page.press("header input[type=search]", "Enter")
    page.get_by_role("link", name=good.reference).first.click()
    page.get_by_text("Created in Asperion as").wait_for()
    page.get_by_role("link", name="Read them again").click()
    page.get_by_text(good.email).first.wait_for()
    picture(page, "record")


@pytest.mark.feature("W4", "X4")
def test_refused_for_a_missing_article_mended_and_retried(
    page: Page, landscape: Landscape, sent: list[SampleOrder]
) -> None:
    page.goto(f"{landscape.airflow.url}/asperion/refused")
    card = page.locator(".card", has_text=f"article {MISSING} does not exist in Asperion")
    card.get_by_text("What to do:").wait_for()
    picture(page, "refused")
    card.get_by_role("button", name="Show what would happen").click()
    page.get_by_text("Nothing was written").wait_for()
    page.get_by_text(f"article {MISSING} does not exist").first.wait_for()
    picture(page, "plan")
    page.go_back()
    told = len(landscape.desk.bodies)
    landscape.add_article(MISSING)
    card.get_by_role("button", name="Try these again").click()
    run = page.get_by_role("link", name="The run in Airflow").get_attribute("href")
    assert run is not None
    run_id = urllib.request.unquote(run.rpartition("/")[2])
    assert landscape.wait(run_id, DAG) == "success"
    assert landscape.result(run_id)["counts"] == {"created": 1}
    page.goto(f"{landscape.airflow.url}/asperion/activity?text={sent[1].reference}")
    page.get_by_text("Tried again after it had been refused").wait_for()
    page.goto(f"{landscape.airflow.url}/asperion/refused")
    assert MISSING not in page.content()
    causes = [cause for body in landscape.desk.bodies[told:] for cause in body["causes"]]
    assert [(cause["kind"], cause["rule"]) for cause in causes] == [("resolved", "article.missing")]


@pytest.mark.feature("X5")
def test_the_day_reconciles_to_zero_difference(
    page: Page, landscape: Landscape, sent: list[SampleOrder], began: dt.datetime
) -> None:
    dag = "asperion_reconcile"
    landscape.airflow.wait_for_dag(dag)
    landscape.airflow.request("PATCH", f"dags/{dag}?update_mask=is_paused", {"is_paused": False})
    start, end = began - dt.timedelta(minutes=1), dt.datetime.now(dt.UTC) + dt.timedelta(minutes=2)
    page.goto(f"{landscape.airflow.url}/asperion/reconcile")
    page.get_by_label("Integration").select_option("default")
    for name, moment in (("start", start), ("end", end)):
        page.fill(f"input[name={name}]", f"{moment:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Reconcile").click()
    run = page.get_by_role("link", name="The run in Airflow").get_attribute("href")
    assert run is not None
    run_id = urllib.request.unquote(run.rpartition("/")[2])
    assert landscape.wait(run_id, dag) == "success", landscape.tasks(run_id, dag)
    page.goto(f"{landscape.airflow.url}/asperion/reconcile")
    mine = page.locator("tr", has_text=f"{start:%Y-%m-%d %H:%M}").filter(has_text=f"{end:%Y-%m-%d %H:%M}")
    mine.filter(has_text="Orders, SAP to Asperion").get_by_text("ties").wait_for()
    mine.get_by_role("link", name="Orders, SAP to Asperion").click()
    page.get_by_role("heading", name="It ties").wait_for()
    page.locator("tr", has_text="done").first.wait_for()
    picture(page, "reconcile")


@pytest.mark.feature("W1")
def test_connect_to_asperion_through_the_consent_page(page: Page, landscape: Landscape) -> None:
    page.goto(f"{landscape.airflow.url}/asperion/setup")
    # The first integration of the page is another administration of the same login.
    page.get_by_role("button", name="Connect to Asperion").first.click()
    page.fill("input[name=username]", "demo")
    page.fill("input[name=password]", "demo")
    page.get_by_role("button", name="Log in and allow").click()
    page.get_by_text("The login at Asperion is kept").wait_for()
    page.get_by_text("Connected to administration 2.").wait_for()
    picture(page, "setup")


@pytest.mark.feature("W1", "W2")
def test_a_mapping_is_tried_on_a_sample(page: Page, landscape: Landscape, tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_bytes(orders_csv(some_order(3, "SKU-00002")))
    page.goto(f"{landscape.airflow.url}/asperion/setup")
    page.locator("input[type=file]").first.set_input_files(sample)
    page.get_by_role("button", name="Try", exact=True).first.click()
    page.get_by_text("Becomes").wait_for()
    picture(page, "sample")


def test_a_page_without_a_login_says_where_to_log_in(landscape: Landscape, context: BrowserContext) -> None:
    browser = context.browser
    assert browser is not None
    other = browser.new_context()
    page = other.new_page()
    page.goto(f"{landscape.airflow.url}/asperion/refused")
    page.get_by_role("heading", name="Please log in").wait_for()
    other.close()
