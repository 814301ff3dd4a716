import html.parser

import numpy as np
import pytest

from s2s_keras.models.translation import Translation
from s2s_keras.plotting import plot_learning_curves
from s2s_keras.studies.report import write_report


class Page(html.parser.HTMLParser):
    """Texts and attributes of a page."""

    def __init__(self, path):
        super().__init__()
        self.texts, self.attributes = [], []
        self.feed(path.read_text())

    def handle_data(self, data):
        self.texts.append(data)

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, *attribute) for attribute in attrs]


def translate(attention):
    return Translation(
        text="<b>",
        score=-1.0,
        source_pieces=["<a>", "[END]"],
        target_pieces=['"b"'],
        attention=attention,
        truncated=False,
    )


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "report.html"
    write_report(
        path,
        "A & B" + "_and_so_on" * 9,
        {"Scores": [{"score": "BLEU", "of": "x" * 99, "value": 41.2345}]},
        {"Drawn": plot_learning_curves([{"epoch": 0, "loss": 1.0}])},
        [("Worst", {"source": "<a>"}, translate(np.array([[0.75, 0.25]])))],
    )
    return path


def test_a_page_says_everything_and_needs_nothing(path):
    page = Page(path)
    assert ("svg", "version", "1.1") in page.attributes
    for text in (
        "A & B" + "_and_so_on" * 9,
        "Drawn",
        "Scores",
        "BLEU",
        "41.23",
        "Worst",
        "<a>",
        '"b"',
    ):
        assert text in [found.strip() for found in page.texts], text
    assert ("td", "title", '"b" ← <a>: 0.75') in page.attributes
    assert ("td", "style", "--weight:0.750") in page.attributes
    linked = [a[2] for a in page.attributes if a[1] in ("src", "href")]
    assert all(link.startswith("#") for link in linked)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 360])
def test_it_is_no_wider_than_the_screen(path, width, browser):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1}
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {**size, "mobile": width < 500}
    )
    browser.get(path.as_uri())
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width
    cell = browser.find_element("css selector", ".attention td")
    assert cell.is_displayed()
    assert "← <a>: 0.75" in cell.get_attribute("title")


def test_a_model_without_attention_has_no_heatmap(tmp_path):
    path = tmp_path / "report.html"
    write_report(path, "A", {}, {}, [("Worst", {}, translate(None))])
    assert ("table", "class", "attention") not in Page(path).attributes
