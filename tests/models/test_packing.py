import numpy as np
import pytest
from laws import TEXTS
from laws import make_text_translator

from s2s_keras import TextTranslator
from s2s_keras.models.packing import pack
from s2s_keras.models.packing import round_weights


def test_a_packed_model_is_smaller_and_translates_as_the_rounded_one(tmp_path):
    model = make_text_translator(num_beams=2)
    model.save_to_preset(tmp_path / "whole")
    before = [weight.numpy() for weight in model.weights]
    packed = pack(model, tmp_path / "packed")
    whole = tmp_path / "whole" / "model.keras"
    assert packed.stat().st_size < 0.6 * whole.stat().st_size
    loaded = TextTranslator.from_preset(tmp_path / "packed")
    for weight, value in zip(loaded.weights, before, strict=True):
        assert weight.dtype == value.dtype
        largest = np.max(np.abs(value), axis=-1, keepdims=True)
        allowed = largest / 127 if value.ndim > 1 else 0
        assert np.all(np.abs(weight.numpy() - value) <= allowed)
    assert [str(item) for item in loaded.translate(TEXTS)] == [
        str(item) for item in round_weights(model).translate(TEXTS)
    ]
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    assert [path.name for path in packed.parent.iterdir()] == ["model.keras"]


def test_it_overwrites_nothing(tmp_path):
    model = make_text_translator()
    pack(model, tmp_path)
    with pytest.raises(FileExistsError, match="left as it is"):
        pack(model, tmp_path)
