import keras
import numpy as np
import pytest
from laws import make_translator

from s2s_keras import ScheduledSampling

IDS = np.array([[2, 5, 6, 7], [2, 8, 9, 4]], "int32")
INPUTS = {"source_ids": IDS, "target_ids": IDS}


class Spy(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.rates = []

    def on_train_batch_end(self, batch, logs=None):
        self.rates.append(float(self.model.decoder.sampling_rate))


def fit(callbacks, epochs=3):
    translator = make_translator()
    translator.compile(
        "sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return translator, translator.fit(
        INPUTS, IDS, epochs=epochs, verbose=0, callbacks=callbacks
    )


@pytest.mark.slow
def test_the_rate_follows_the_schedule_and_ends_with_the_epoch():
    spy = Spy()
    sampling = ScheduledSampling(lambda epoch: epoch / 4)
    translator, history = fit([sampling, spy])
    assert spy.rates == [0.0, 0.25, 0.5]
    assert history.history["sampling_rate"] == [0.0, 0.25, 0.5]
    assert float(translator.decoder.sampling_rate) == 0.0


@pytest.mark.slow
def test_it_changes_what_is_learned():
    _, plain = fit([], epochs=1)
    _, sampled = fit([ScheduledSampling(lambda epoch: 1.0)], epochs=1)
    assert plain.history["loss"] != sampled.history["loss"]


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_refuses_what_is_not_a_share(rate):
    with pytest.raises(ValueError, match=rf"Received: schedule\(0\)={rate}"):
        fit([ScheduledSampling(lambda epoch: rate)])
