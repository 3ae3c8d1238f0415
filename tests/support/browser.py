"""Headless Chromium: Debian's, driven by Playwright. What it is asked to load from anywhere but the file is blocked and noted."""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.emulator import missing

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
COLORS = """async (url) => {
    const image = await createImageBitmap(await (await fetch(url)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const data = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer), counts = new Map();
    for (const color of data) counts.set(color, (counts.get(color) ?? 0) + 1);
    const [most, number] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
    return {width: image.width, height: image.height, colors: counts.size, ground: most & 255, share: number / data.length};
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; where it cannot be had the test is skipped, in CI it fails."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        missing("Chromium: install the package chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Opened(NamedTuple):
    """A page, and what it did that it should not."""

    page: Page
    troubles: list[str]
    """Messages on the console, errors, dialogs and requests, but the one for the page itself."""


@contextmanager
def opened(browser: Browser, path: Path, width: int = 1100, scheme: Any = "light", script: bool = True) -> Iterator[Opened]:
    """The page of a file."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=script, reduced_motion="reduce"
    )
    page, troubles, own = context.new_page(), [], path.resolve().as_uri()
    context.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
    page.on("request", lambda request: None if request.url == own else troubles.append(f"request: {request.url}"))
    page.on("websocket", lambda socket: troubles.append(f"socket: {socket.url}"))
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (troubles.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    try:
        page.goto(own)
        yield Opened(page, troubles)
    finally:
        context.close()


def axe() -> str:
    """The accessibility checker axe-core as a script; where it cannot be had the test is skipped, in CI it fails."""
    told, npm = os.environ.get("TRUEUP_AXE"), shutil.which("npm")
    if told is None and npm is not None:
        root = subprocess.run([npm, "root", "--global"], capture_output=True, text=True, check=True).stdout.strip()
        told = f"{root}/axe-core/axe.min.js"
    if told is None or not Path(told).exists():
        missing("axe-core: `npm install --global axe-core`")
    return Path(told).read_text("utf-8")


def findings(page: Page, script: str) -> list[str]:
    """What axe-core finds wrong with a page, a line a rule and place."""
    page.evaluate(script)
    found: list[str] = page.evaluate("""async () => (await axe.run()).violations.flatMap((one) =>
        one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)}: ${node.failureSummary}`))""")
    return found


def looks(browser: Browser, png: bytes) -> dict[str, float]:
    """Of a picture: its size, how many colours it has, the red of the most frequent one and its share."""
    page = browser.new_page()
    try:
        found: dict[str, float] = page.evaluate(COLORS, f"data:image/png;base64,{base64.b64encode(png).decode()}")
        return found
    finally:
        page.close()
