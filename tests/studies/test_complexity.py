import numpy as np
import pytest
from laws import variant

from s2s_keras import Translator
from s2s_keras.studies.complexity import fit_exponent
from s2s_keras.studies.complexity import fit_times
from s2s_keras.studies.complexity import measure_memory
from s2s_keras.studies.complexity import plot_complexity
from s2s_keras.studies.complexity import time_lengths

LENGTHS = (4, 8, 16)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.7, 2.0])
def test_the_exponent_is_found_behind_a_constant(exponent):
    lengths = np.array([8, 16, 32, 64, 128])
    assert fit_exponent(lengths, 5 + 0.3 * lengths**exponent) == exponent


def rows_of(model, formula):
    return [
        {
            "model": model,
            "source_len": source_len,
            "target_len": target_len,
            "milliseconds": formula(source_len, target_len),
        }
        for source_len in LENGTHS
        for target_len in LENGTHS
    ]


def test_the_terms_are_found():
    rows = rows_of("standard", lambda s, t: 2 + 3 * s + 5 * t)
    rows += rows_of("attention", lambda s, t: 2 + 3 * s + 5 * t + 0.5 * s * t)
    fits = fit_times(rows)
    for name, product in (("standard", 0), ("attention", 0.5)):
        fit = fits[name]
        terms = ("constant", "per_source", "per_target", "per_product")
        found = [fit[term] for term in terms]
        np.testing.assert_allclose(found, [2, 3, 5, product], atol=1e-6)
        assert fit["source_exponent"] == fit["target_exponent"] == 1
        whole = 2 + 8 * 16 + product * 256
        assert fit["product_share"] == pytest.approx(product * 256 / whole)


def test_models_are_timed_and_drawn():
    architectures = {
        "standard": variant(attention="none"),
        "attention": variant(),
    }
    models = {
        name: Translator.from_architecture(item, 20)
        for name, item in architectures.items()
    }
    rows = time_lengths(models, LENGTHS, batch_size=2)
    assert len(rows) == 18 and all(row["milliseconds"] > 0 for row in rows)
    memory = [
        {"model": name, "source_len": n, "target_len": n, "megabytes": 9.0 + n}
        for name in models
        for n in LENGTHS
    ]
    figure = plot_complexity(rows, memory)
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 2]
    drawn = figure.axes[1].lines[1].get_ydata()
    shortest = [
        row["milliseconds"]
        for row in rows
        if row["model"] == "attention" and row["target_len"] == LENGTHS[0]
    ]
    assert drawn[0] == pytest.approx(sum(shortest) / len(LENGTHS))


@pytest.mark.slow
def test_a_longer_batch_takes_more_memory():
    rows = measure_memory({"attention": variant(units=256)}, 50, (8, 256))
    short, long = (row["megabytes"] for row in rows)
    assert long - short > 50
    # A tensor [target_len, batch, source_len, units] is never held.
    assert long - short < 256 * 16 * 256 * 256 * 4 / 2**20 / 2
