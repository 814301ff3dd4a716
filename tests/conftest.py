"""Fixtures that every test may use."""

import gc
import os
import pathlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from s2s_keras import keep_freed_memory

keep_freed_memory()
# The garbage collector walks TensorFlow's objects, which all stay, too often.
gc.freeze()
gc.set_threshold(100_000, 20, 20)
# Most graphs run once here, and take longer to optimize than to run. Those of
# the processes that tests start are optimized as they are anywhere.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
_REPOSITORY = pathlib.Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def seed():
    """Makes every test draw the same weights each time it runs."""
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def shared_data():
    """Folder with real corpora, in `shared/data` beside the repository.

    The environment variable `S2S_KERAS_SHARED` names another `shared`.
    """
    default = _REPOSITORY.parent / "shared"
    folder = pathlib.Path(os.environ.get("S2S_KERAS_SHARED", default)) / "data"
    if not folder.is_dir():
        pytest.skip(f"needs real corpora in {folder} (S2S_KERAS_SHARED)")
    return folder


@pytest.fixture
def corpus(tmp_path):
    """Paths of a small corpus: the target is the source in capitals."""
    random = np.random.default_rng(0)
    words = np.array(["one", "two", "three", "four", "five", "six"])
    for split, size in (("train", 200), ("validation", 20), ("test", 20)):
        lines = [
            " ".join(random.choice(words, random.integers(1, 6)))
            for _ in range(size)
        ]
        text = "".join(f"{line}\t{line.upper()}\n" for line in lines)
        (tmp_path / f"{split}.tsv").write_text(text)
    return str(tmp_path / "{split}.tsv")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium without a window."""
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("there is no Chromium")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        *("headless=new", "no-sandbox", "disable-gpu", "no-first-run"),
        *("disable-background-networking", "disable-sync", "disable-quic"),
        *("disable-component-update", "disable-dev-shm-usage"),
        f"user-data-dir={tmp_path_factory.mktemp('browser')}",
    ):
        options.add_argument(f"--{argument}")
    service = webdriver.ChromeService(driver)
    with webdriver.Chrome(options, service) as browser:
        yield browser
