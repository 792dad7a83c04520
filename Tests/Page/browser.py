"""The system's Chromium, driven by the DevTools protocol."""

import contextlib
import shutil

from playwright.sync_api import sync_playwright


@contextlib.contextmanager
def browser():
    program = next((found for name in ("chromium-headless-shell", "chromium", "google-chrome") if (found := shutil.which(name))), None)
    if program is None:
        raise SystemExit("no Chromium: Scripts/bootstrap installs chromium-headless-shell")
    with sync_playwright() as playwright:
        # Tests run as root in containers, where Chromium's own sandbox cannot be had; it loads nothing but our page.
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield chromium
        chromium.close()
