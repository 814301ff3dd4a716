import pytest
import tensorflow as tf
from laws import make_text_translator

from s2s_keras import export
from s2s_keras.export.servability import RELEASES
from s2s_keras.export.servability import check_servable


def save(function, path):
    module = tf.Module()
    module.run = tf.function(
        function, input_signature=[tf.TensorSpec([None], name="x")]
    )
    tf.saved_model.save(module, str(path))
    return path


def refuse(path, release, *words):
    with pytest.raises(ValueError, match=release) as error:
        check_servable(path, release)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("release", RELEASES)
def test_a_plain_model_runs_everywhere(tmp_path, release):
    check_servable(save(lambda x: tf.nn.tanh(x) * 2, tmp_path), release)


def test_python_is_refused(tmp_path):
    path = save(
        lambda x: tf.numpy_function(lambda y: y, [x], tf.float32), tmp_path
    )
    refuse(path, "2.20", "PyFunc", "node ", "write it with TensorFlow")


def test_compiled_functions_are_refused(tmp_path):
    compiled = tf.function(lambda x: x + 1, jit_compile=True)
    path = save(lambda x: compiled(x), tmp_path)
    refuse(path, "2.20", "jit_compile")


def test_later_operations_are_refused(tmp_path):
    path = save(
        lambda x: tf.raw_ops.Conv(
            input=tf.reshape(x, [1, 1, -1, 1]),
            filter=tf.ones([1, 1, 1, 1]),
            strides=[1, 1, 1, 1],
            padding="SAME",
        ),
        tmp_path,
    )
    refuse(path, "2.12", "Conv", "choose a later release")
    check_servable(path, "2.20")


def test_unknown_operations_are_refused(tmp_path):
    path = save(lambda x: x + 1, tmp_path)
    file = path / "saved_model.pb"
    file.write_bytes(file.read_bytes().replace(b"AddV2", b"AddV9"))
    refuse(path, "2.20", "AddV9", "not linked")


def test_unknown_releases_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'2.20'.*serving='1.15'"):
        export(make_text_translator(), tmp_path / "model", serving="1.15")
    assert not list(tmp_path.iterdir())
