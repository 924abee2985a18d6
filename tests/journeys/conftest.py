"""A console over a simulated year of decisions, and somebody who visits it with a real browser.

PICTURES names a folder that gets a picture of each page at each width.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from app.callers.known import digest_of
from app.letters.writing import UNSETTLED
from app.settings import ROOT, Settings
from harness.servers import free_port
from harness.waiting import PATIENCE_SECONDS, wait_until
from scripts.credit import PROGRAM
from tests.system.conftest import Store

KEY = "cdk_of_the_journeys"
OFFICER = "j.doe"
PROVIDER = ROOT / "build" / "provider"
WIDTHS = {1280: 900, 390: 844}
"""With the height of such a window."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""What axe-core looks for: WCAG 2.2 up to AA, and its own best practices."""


@dataclass(frozen=True, slots=True)
class Lender:
    """A registry, a record and a console."""

    url: str
    environment: dict[str, str]

    def credit(self, *arguments: str) -> str:
        """What a command says."""
        command = [PROGRAM, *arguments]
        ended = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout


@pytest.fixture(scope="session")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lender]:
    """2025 is decided, 300 applicants a month; of the last month nobody knows the outcomes yet."""
    folder = tmp_path_factory.mktemp("lender")
    policy, letter, callers = (folder / name for name in ("policy.yaml", "letter.html", "callers.yaml"))
    policy.write_text((ROOT / "configs" / "policy.yaml").read_text() + "\nreview: 0.04\n")
    letter.write_text(UNSETTLED.sub("as agreed", Settings().letters.template_file.read_text()))
    callers.write_text(
        f"- {{name: {OFFICER}, sha256: {digest_of(KEY.encode()).hex()}, scopes: [read, review, approve]}}\n"
    )
    store = Store(folder)
    environment = store.environment | {
        "DECISION__POLICY_FILE": str(policy),
        "LETTERS__TEMPLATE_FILE": str(letter),
        "CALLERS__FILE": str(callers),
        "DATA": "",
    }
    port = free_port()
    made = Lender(f"http://127.0.0.1:{port}", environment)
    made.credit("train")
    year = [sys.executable, "-m", "scripts.simulate_year", "--a-month", "300", "--outcomes", str(folder / "all.csv")]
    subprocess.run(year, cwd=ROOT, env=environment, check=True)
    lines = (folder / "all.csv").read_text().splitlines()
    (folder / "known.csv").write_text("\n".join(it for it in lines if "S-2025-12" not in it))
    made.credit("outcomes", "load", str(folder / "known.csv"), "--by", "collections")
    made.credit("outcomes", "report", "--keep")
    with _console(environment, port, folder / "console.log"):
        yield made


@pytest.fixture(scope="session")
def at_provider(lender: Lender, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console whose people sign in at a certified OpenID provider."""
    node, script = shutil.which("node"), PROVIDER / "provider.js"
    if node is None or not (PROVIDER / "node_modules").is_dir():
        pytest.skip("no OpenID provider is in build/provider: make journeys installs it where it may")
    folder, port = tmp_path_factory.mktemp("provider"), free_port()
    issuer, url = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{port}"
    environment = lender.environment | {
        "CONSOLE__OPENID__ISSUER": issuer,
        "CONSOLE__OPENID__CLIENT_ID": "console",
        "CONSOLE__OPENID__CLIENT_SECRET": "of-the-journeys",
        "CONSOLE__OPENID__URL": url,
        "CONSOLE__OFFICERS": '["group:officers"]',
    }
    with (folder / "provider.log").open("wb") as output:
        process = subprocess.Popen([node, str(script), issuer, f"{url}/sign-in/done"], stdout=output, stderr=output)
    try:

        def answers() -> bool:
            assert process.poll() is None, (folder / "provider.log").read_text()
            try:
                return httpx.get(f"{issuer}/.well-known/openid-configuration").is_success
            except httpx.TransportError:
                return False

        wait_until(answers, bool)
        with _console(environment, port, folder / "console.log"):
            yield url
    finally:
        process.kill()
        process.wait()


@contextmanager
def _console(environment: dict[str, str], port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [PROGRAM, "console", "--port", str(port)], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:

        def answers() -> bool:
            return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_SECONDS).status_code == 200

        # Also when it has ended, which is not worth waiting for.
        wait_until(lambda: process.poll() is not None or answers(), bool)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on PATH: make journeys installs it where it may, as root on Debian")
    driver = pytest.importorskip("playwright.sync_api", reason="make journeys installs what drives the browser")
    with driver.sync_playwright() as playwright:
        # Containers have little shared memory.
        launched = playwright.chromium.launch(executable_path=chromium, args=["--disable-dev-shm-usage"])
        yield launched
        launched.close()


@dataclass(slots=True)
class Visitor:
    """Somebody with a browser, who notices what is wrong with a page."""

    page: Any
    url: str
    complaints: list[str]
    pictures: Path | None

    def go(self, path: str) -> None:
        self.page.goto(self.url + path)

    def sign_in(self) -> None:
        self.go("/")
        self.page.get_by_label("API key").fill(KEY)
        self.page.get_by_role("button", name="Sign in").click()
        assert self.page.get_by_role("heading", level=1).inner_text() == "Decisions"

    def look(self, name: str) -> None:
        """At the page as it is: at each width, in light and dark."""
        from axe_playwright_python.sync_playwright import Axe

        for width, height in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} px wide in a window of {width}"
            for scheme in ("dark", "light"):
                self.page.emulate_media(color_scheme=scheme)
                found = Axe().run(self.page, options={"runOnly": RULES, "resultTypes": ["violations"]})
                assert found.violations_count == 0, f"{name}, {width} px, {scheme}: {found.generate_report()}"
            if self.pictures is not None:
                self.page.screenshot(path=self.pictures / f"console-{name}-{width}.png", full_page=True)
        self.page.set_viewport_size({"width": 1280, "height": WIDTHS[1280]})


@pytest.fixture
def visitor(browser: Any, lender: Lender) -> Iterator[Visitor]:
    """Signed in. Afterwards no page has complained, and none asked another host for anything."""
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    complaints: list[str] = []

    def asked(request: Any) -> None:
        if urlsplit(request.url).netloc != urlsplit(lender.url).netloc:
            complaints.append(f"asked {request.url}")

    def said(message: Any) -> None:
        # A form that was filled in wrongly is answered with 422, which Chromium calls a resource that failed to load.
        if message.type == "error" and "status of 422" not in message.text:
            complaints.append(message.text)

    page = context.new_page()
    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    context.on("request", asked)
    pictures = os.environ.get("PICTURES")
    made = Visitor(page, lender.url, complaints, Path(pictures) if pictures else None)
    made.sign_in()
    yield made
    context.close()
    assert complaints == []
