import tensorflow as tf
from laws import export_unverified
from laws import make_text_translator
from tensorflow_serving.apis import prediction_log_pb2

from s2s_keras.export.warmup import FILE


def test_every_text_signature_is_warmed_up(tmp_path):
    model = make_text_translator()
    version = export_unverified(model, tmp_path / "model")
    signatures = tf.saved_model.load(str(version)).signatures
    asked = {}
    for record in tf.data.TFRecordDataset(str(version / FILE)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        name = request.model_spec.signature_name
        inputs = {k: tf.make_ndarray(v) for k, v in request.inputs.items()}
        specs = signatures[name].structured_input_signature[1]
        assert inputs.keys() == specs.keys()
        (texts, *_) = inputs.values()
        pieces = model.source_tokenizer.tokenize(texts).row_lengths()
        asked.setdefault(name, set()).add((len(texts), max(pieces.numpy()) > 9))
    text_signatures = {
        name
        for name, signature in signatures.items()
        if all(
            spec.dtype == tf.string
            for spec in signature.structured_input_signature[1].values()
        )
    }
    assert asked.keys() == text_signatures
    every_case = {(size, is_long) for size in (1, 8) for is_long in (0, 1)}
    assert all(cases == every_case for cases in asked.values())
