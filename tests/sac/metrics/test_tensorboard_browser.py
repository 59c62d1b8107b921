"""TensorBoard's pages of a run, as a browser draws them: `pytest -m browser`.

Needs the extra `test-browser`, and chromium with its driver: `apt-get install chromium
chromium-driver`. Screenshots go to the folder that the variable SCREENSHOTS names.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sac.training.train import train
from tests.sac.environments_for_tests import DRAWING
from tests.sac.tensorboard_server import PATIENCE, serve
from tests.sac.tiny_runs import tiny_config

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --window-size=1400,1000"
)
# All elements that a selector matches, those in shadow trees too.
FIND = """
const selector = arguments[0], found = [];
(function walk(root) {
  for (const element of root.querySelectorAll('*')) {
    if (element.matches(selector)) found.push(element);
    if (element.shadowRoot) walk(element.shadowRoot);
  }
})(document);
"""
CHARTS = """
return found.filter(chart => {
  const drawn = chart.shadowRoot ? chart.shadowRoot.querySelectorAll('path') : [];
  return [...drawn].some(path => (path.getAttribute('d') || '').split('L').length >= 2);
}).length;
"""
TEXTS = "return found.map(element => element.textContent.trim());"
IMAGES = (
    "return found.filter(image => image.naturalWidth > 0 && image.src.includes('images')).length;"
)


class Browser:
    """A browser on TensorBoard's pages."""

    def __init__(self, driver: Any, url: str, screenshots: Path) -> None:
        self.driver = driver
        self._url = url
        self._screenshots = screenshots

    def open(self, page: str) -> None:
        self.driver.get("about:blank")
        self.driver.get(f"{self._url}#{page}")

    def find(self, selector: str, then: str) -> Any:
        return self.driver.execute_script(FIND + then, selector)

    def shows(self, page: str, condition: Callable[[], bool]) -> bool:
        """Open a page, wait until it shows that, and take a picture of it."""
        from selenium.common.exceptions import TimeoutException
        from selenium.webdriver.support.ui import WebDriverWait

        self.open(page)
        try:
            WebDriverWait(self.driver, PATIENCE).until(lambda _: condition())
            return True
        except TimeoutException:
            return False
        finally:
            (self._screenshots / f"{page}.png").write_bytes(self._settled())

    def _settled(self) -> bytes:
        """A picture of the page once it moves no more, or of a film after some seconds."""
        before: bytes = self.driver.get_screenshot_as_png()
        for _ in range(10):
            time.sleep(0.5)
            picture: bytes = self.driver.get_screenshot_as_png()
            if picture == before:
                break
            before = picture
        return before


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs the extra test-browser")
    pytest.importorskip("PIL")
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip("needs chromium and chromedriver: apt-get install chromium chromium-driver")
    root = tmp_path_factory.mktemp("runs")
    changes = {
        "env": {"id": f"tests.sac.environments_for_tests:{DRAWING}"},
        "logging": {"histograms_every_steps": 20, "videos_every_steps": 30},
    }
    for gamma in (0.9, 0.99):
        train(tiny_config(root, {**changes, "agent": {"gamma": gamma}}))
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    screenshots = Path(os.environ.get("SCREENSHOTS", tmp_path_factory.mktemp("screenshots")))
    screenshots.mkdir(exist_ok=True)
    with serve(root) as server:
        server.wait_until(lambda: len(server.get("plugin/images/tags")) == 2)
        driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
        try:
            yield Browser(driver, server.url, screenshots)
        finally:
            driver.quit()


@pytest.mark.parametrize("page", ["scalars", "custom_scalars"])
def test_curves_are_drawn(browser: Browser, page: str) -> None:
    assert browser.shows(page, lambda: browser.find("vz-line-chart2", CHARTS) >= 2)


def test_hparams_begin_with_what_differs(browser: Browser) -> None:
    def columns() -> list[str]:
        texts: list[str] = browser.find(".table-header", TEXTS)
        return [text for text in texts if "." in text or "/" in text]

    assert browser.shows("hparams", lambda: "eval/best_return" in columns())
    assert columns()[0] == "agent.gamma"


def test_graph_has_the_parts_of_the_update(browser: Browser) -> None:
    parts = {"batch", "policy", "soft_q", "targets", "alpha", "losses"}
    assert browser.shows("graphs", lambda: parts <= {*browser.find("text > title", TEXTS)})


def test_episodes_are_shown(browser: Browser) -> None:
    assert browser.shows("images", lambda: browser.find("img", IMAGES) >= 2)
