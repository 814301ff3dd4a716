import pytest
from laws import VARIANTS
from laws import export_unverified
from laws import make_text_translator

from s2s_keras.endpoint.manager import Manager
from s2s_keras.endpoint.page import make_route

pytestmark = pytest.mark.slow
NAME, TEXT, PHONE_WIDTH = "try<me>", "two three four", 360


@pytest.fixture(scope="module", params=["bahdanau-gru-1", "standard-lstm-2"])
def served(request, serve_on, tmp_path_factory):
    """A model, and the endpoint that serves its export."""
    model = make_text_translator(VARIANTS[request.param], num_beams=3)
    path = tmp_path_factory.mktemp("exported") / "model"
    export_unverified(model, path)
    return model, serve_on(Manager(path, NAME), routes=[make_route(NAME)])


@pytest.fixture
def page(browser, served):
    """The page, opened."""
    browser.get(f"http://{served[1].host}:{served[1].port}/")
    return browser


def wait_for(page, script):
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.support.ui import WebDriverWait

    try:
        return WebDriverWait(page, 60).until(
            lambda page: page.execute_script(f"return {script}")
        )
    except TimeoutException:
        typed = page.find_element("id", "source").get_property("value")
        shown = page.find_element("tag name", "body").text
        pytest.fail(f"Not {script}, with {typed!r} typed: {shown}")


def press(page, *keys):
    page.switch_to.active_element.send_keys(*keys)


def enter(page, text):
    from selenium.webdriver.common.keys import Keys

    page.find_element("id", "source").send_keys(text, Keys.ENTER)


def texts(page, selector):
    return page.execute_script(
        "return [...document.querySelectorAll(arguments[0])]"
        ".map((node) => node.textContent)",
        selector,
    )


SHOWN = "!document.getElementById('results').hidden"


def test_a_sentence_is_translated_by_keyboard_alone(page, served):
    from selenium.webdriver.common.keys import Keys

    expected = served[0].translate(TEXT)
    assert texts(page, "h1") == [NAME]
    wait_for(page, "document.activeElement.id === 'source'")
    press(page, TEXT, Keys.ENTER)
    grown = wait_for(page, "document.getElementById('translation').textContent")
    assert grown
    wait_for(page, SHOWN)
    assert texts(page, "#problem") == [""]
    assert texts(page, "#translation") == [expected.text]
    assert len(texts(page, "#n-best li")) == 3
    score = f"{expected.score:.3f}".replace("-0.000", "0.000")
    assert texts(page, "#n-best .score")[0] == score
    has_attention = expected.attention is not None
    assert len(texts(page, "#attention:not([hidden])")) == has_attention
    if not has_attention:
        return
    assert texts(page, "tbody th") == expected.target_pieces
    assert texts(page, "thead th") == expected.source_pieces
    assert len(texts(page, "td[title]")) == expected.attention.size
    assert texts(page, "#source-words button") == TEXT.split()
    press(page, Keys.TAB)  # the button
    press(page, Keys.TAB)
    assert texts(page, "button:focus") == ["two"]
    assert "two" in texts(page, "#source-words .on")
    press(page, Keys.TAB)
    assert texts(page, "#source-words .on") == ["three"]


def test_it_fits_a_phone_and_asks_nobody_else(page):
    page.set_window_size(PHONE_WIDTH, 740)
    enter(page, TEXT)
    wait_for(page, SHOWN)
    width = page.execute_script("return document.body.scrollWidth")
    assert width <= page.execute_script("return innerWidth")
    origins = page.execute_script(
        "return performance.getEntriesByType('resource')"
        ".map((entry) => new URL(entry.name).origin)"
    )
    assert set(origins) == {page.execute_script("return location.origin")}


def test_a_problem_is_told(page):
    page.execute_script(
        "window.fetch = async () => new Response("
        "JSON.stringify({error: 'queue full'}), {status: 503})"
    )
    enter(page, TEXT)
    wait_for(page, "document.getElementById('problem').textContent")
    assert "queue full" in texts(page, "#problem")[0]
