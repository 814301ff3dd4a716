"""Requests that TensorFlow Serving answers before it opens its doors."""

import pathlib

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

FILE = pathlib.Path("assets.extra", "tf_serving_warmup_requests")
SIGNATURES = {
    "serving_default": ("text",),
    "translate": ("text",),
    "n_best": ("text",),
    "paragraphs": ("text",),
    "score": ("source_text", "target_text"),
    "encode": ("text",),
}
BATCH_SIZES = (1, 8)
SHORT, LONG = 4, 40  # pieces


def write_warmup(path, text_translator):
    """Writes warm-up requests for every signature that takes text.

    Each is asked with one text and with eight, short ones and long ones, which
    are spelt from the model's own vocabulary.

    Args:
        path: Folder of the SavedModel.
        text_translator: `TextTranslator`.
    """
    path = pathlib.Path(path, FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in SIGNATURES.items():
            for texts in make_texts(text_translator):
                log = _make_log(signature, dict.fromkeys(inputs, texts))
                writer.write(log.SerializeToString())


def make_texts(text_translator):
    """Batches of texts that a model can read.

    Args:
        text_translator: `TextTranslator`.

    Returns:
        A list of lists of strings.
    """
    tokenizer = text_translator.source_tokenizer
    first = min(260, tokenizer.vocabulary_size - 1)  # behind the bytes
    return [
        _spell(tokenizer, first, length)[:batch_size]
        for length in (SHORT, LONG)
        for batch_size in BATCH_SIZES
    ]


def _spell(tokenizer, first, length):
    """As many texts as the largest batch, of so many pieces each."""
    pieces = tokenizer.vocabulary_size - first
    ids = tf.range(max(BATCH_SIZES) * length) * 7 % pieces + first
    texts = tokenizer.detokenize(tf.reshape(ids, [-1, length]))
    return [text.decode() for text in texts.numpy()]


def _make_log(signature, inputs):
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, texts in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(texts, tf.string))
    return log
