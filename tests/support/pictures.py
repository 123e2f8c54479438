"""Takes the manual's pictures of the pages, from a running demo: ``python -m tests.support.pictures URL``.

Start the demo with ``make demo`` and leave it open; the URL is the one of its Airflow.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from airflow_provider_asperion.sandbox.sap_files import orders_csv, sample_orders

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path("docs/pictures")
SIZE = {"width": 1280, "height": 800}
TALL = {"width": 1280, "height": 1200}


def take(page: Page, url: str, folder: Path) -> None:
    """Walk the pages as a person does, and take a picture of each."""

    def picture(name: str, *, tall: bool = False) -> None:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"pages-{name}.png", full_page=tall)

    page.goto(f"{url}/auth/login")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "admin")
    page.click("button[type=submit]")
    page.wait_for_url(f"{url}/")
    page.get_by_role("link", name="Asperion").click()
    page.frame_locator("iframe").get_by_role("heading", name="Overview").wait_for()
    page.set_viewport_size(TALL)
    picture("overview")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    page.frame_locator("iframe").get_by_role("heading", name="Overview").wait_for()
    picture("overview-dark")
    page.evaluate("localStorage.setItem('theme', 'light')")
    page.set_viewport_size(SIZE)
    page.goto(f"{url}/asperion/activity?flow=orders_to_asperion")
    picture("activity")
    page.goto(f"{url}/asperion/activity?flow=orders_to_asperion&state=done")
    page.locator("tbody a").first.click()
    picture("record")
    page.get_by_role("link", name="Read them again").click()
    page.get_by_role("heading", name="Values").scroll_into_view_if_needed()
    picture("values", tall=True)
    page.goto(f"{url}/asperion/flow/default/orders_to_asperion")
    picture("flow")
    page.goto(f"{url}/asperion/refused")
    picture("refused")
    page.get_by_role("button", name="Show what would happen").first.click()
    picture("plan")
    page.goto(f"{url}/asperion/setup?check=default")
    picture("setup")
    sample = folder / "sample.csv"
    sample.write_bytes(orders_csv(sample_orders(1, seed=3, articles=["SKU-00002"], customers=9, prefix="S")))
    page.locator("input[type=file]").first.set_input_files(sample)
    page.get_by_role("button", name="Try", exact=True).first.click()
    page.get_by_text("Becomes").wait_for()
    sample.unlink()
    picture("sample")
    page.set_viewport_size({"width": 480, "height": 800})
    page.goto(f"{url}/asperion/")
    picture("narrow")


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        take(opened.new_context(viewport=SIZE).new_page(), options.url, options.folder)
        opened.close()


if __name__ == "__main__":
    main()
