import keras
import numpy as np
import pytest

from s2s_keras import FusedAdam

OPTIONS = {
    "learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 20),
    "beta_2": 0.98,
    "global_clipnorm": 0.5,
    "use_ema": True,
    "ema_momentum": 0.5,
}


def train(optimizer, steps=20):
    """Weights after updates of an embedding (sparse) and a dense layer."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Embedding(7, 3),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2),
        ]
    )
    model.compile(optimizer, "mse")
    random = np.random.default_rng(0)
    for _ in range(steps):
        model.train_on_batch(
            random.integers(0, 7, (4, 5)), random.normal(size=(4, 2))
        )
    return model.get_weights(), optimizer


def test_equals_the_adam_of_keras():
    ours, fused = train(FusedAdam(**OPTIONS))
    theirs, adam = train(keras.optimizers.Adam(**OPTIONS))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    for one, other in zip(fused.variables, adam.variables, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_serializes():
    optimizer = FusedAdam(**OPTIONS)
    restored = keras.optimizers.deserialize(
        keras.optimizers.serialize(optimizer)
    )
    assert isinstance(restored, FusedAdam)
    assert restored.get_config() == optimizer.get_config()


def test_refuses_amsgrad():
    with pytest.raises(ValueError, match="amsgrad"):
        FusedAdam(amsgrad=True)
