"""What every layer must do, checked from one description of it."""

import json

import keras
import numpy as np
import tensorflow as tf
from keras import ops


def run_layer_checks(layer_class, init_kwargs, inputs, expected_shapes):
    """Checks the common laws of a layer.

    Args:
        layer_class: The class.
        init_kwargs: Keyword arguments of its constructor. Layers among them
            are copied for every instance.
        inputs: Dictionary from call argument to NumPy array.
        expected_shapes: Nest of shapes like the layer's outputs.
    """
    layer = _make(layer_class, init_kwargs)
    outputs = layer(**inputs)
    assert _shapes(outputs) == list(expected_shapes)
    _check_config(layer, inputs, outputs)
    _check_build(layer_class, init_kwargs, layer, inputs)
    _check_graph(layer, inputs, outputs)
    _check_output_shape(layer, inputs, expected_shapes)
    _check_gradient(layer, inputs)
    _check_frozen(layer_class, init_kwargs, inputs)
    for dtype in ("mixed_float16", "mixed_bfloat16"):
        _check_mixed_precision(layer_class, init_kwargs, inputs, dtype)


def _make(layer_class, init_kwargs, **overrides):
    kwargs = {
        name: _make(type(value), value.get_config() | overrides)
        if isinstance(value, keras.layers.Layer)
        else value
        for name, value in init_kwargs.items()
    }
    return layer_class(**kwargs | overrides)


def _flat(outputs):
    return [ops.convert_to_tensor(item) for item in keras.tree.flatten(outputs)]


def _shapes(outputs):
    return [tuple(item.shape) for item in _flat(outputs)]


def _shape_arguments(inputs):
    return {f"{name}_shape": value.shape for name, value in inputs.items()}


def _paths(layer):
    """Weight paths without the layer's own, numbered, name."""
    return [weight.path.split("/", 1)[-1] for weight in layer.weights]


def _check_config(layer, inputs, outputs):
    config = json.dumps(keras.saving.serialize_keras_object(layer))
    copy = keras.saving.deserialize_keras_object(json.loads(config))
    assert json.dumps(keras.saving.serialize_keras_object(copy)) == config
    copy(**inputs)
    copy.set_weights(layer.get_weights())
    for ours, theirs in zip(_flat(outputs), _flat(copy(**inputs)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def _check_build(layer_class, init_kwargs, called, inputs):
    layer = _make(layer_class, init_kwargs)
    layer.build(**_shape_arguments(inputs))
    assert _paths(layer) == _paths(called)


def _check_graph(layer, inputs, outputs):
    compiled = tf.function(lambda kwargs: layer(**kwargs), autograph=False)
    symbolic = layer(
        **{
            name: keras.Input(batch_shape=value.shape, dtype=str(value.dtype))
            for name, value in inputs.items()
        }
    )
    for eager, graph, symbol in zip(
        _flat(outputs),
        _flat(compiled(inputs)),
        keras.tree.flatten(symbolic),
        strict=True,
    ):
        np.testing.assert_allclose(eager, graph, rtol=1e-5, atol=1e-5)
        assert tuple(symbol.shape) == tuple(eager.shape)
        assert keras.backend.standardize_dtype(eager.dtype) == symbol.dtype


def _check_output_shape(layer, inputs, expected_shapes):
    shapes = layer.compute_output_shape(**_shape_arguments(inputs))
    if not isinstance(shapes[0], tuple):
        shapes = (shapes,)
    assert list(shapes) == list(expected_shapes)


def _check_gradient(layer, inputs):
    with tf.GradientTape() as tape:
        outputs = [
            item for item in _flat(layer(**inputs)) if item.dtype.is_floating
        ]
        # Random weights: the gradient of a plain sum of softmax is nothing.
        loss = sum(
            tf.reduce_sum(
                item * np.random.default_rng(0).normal(size=item.shape)
            )
            for item in outputs
        )
    weights = layer.trainable_weights
    for weight, gradient in zip(
        weights, tape.gradient(loss, [w.value for w in weights]), strict=True
    ):
        assert gradient is not None, weight.path
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, weight.path


def _check_frozen(layer_class, init_kwargs, inputs):
    layer = _make(layer_class, init_kwargs, trainable=False)
    layer(**inputs)
    assert not any(weight.trainable for weight in layer.weights)


def _check_mixed_precision(layer_class, init_kwargs, inputs, dtype):
    layer = _make(layer_class, init_kwargs, dtype=dtype)
    for output in _flat(layer(**inputs)):
        if output.dtype.is_floating:
            assert np.isfinite(ops.cast(output, "float32")).all()
            assert str(output.dtype.name) == layer.compute_dtype
    assert {weight.dtype for weight in layer.weights} <= {"float32"}
