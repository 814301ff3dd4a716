"""Answers a model's warm-up requests as TensorFlow Serving does.

Run as a script, `python session.py VERSION_DIRECTORY`, it loads the model with
the Session loader, without s2s_keras, and prints the string outputs of each
request as a line of JSON.
"""

import json
import pathlib
import sys

import tensorflow as tf
import tensorflow_text  # noqa: F401  (its operations)
from tensorflow_serving.apis import prediction_log_pb2


def main(path):
    tf.compat.v1.disable_eager_execution()
    requests = _read_requests(path)
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        meta_graph = tf.compat.v1.saved_model.loader.load(
            session, ["serve"], path
        )
        for request in requests:
            name = request.model_spec.signature_name
            answer = _answer(session, meta_graph.signature_def[name], request)
            print(json.dumps({"signature": name, "outputs": answer}))


def _read_requests(path):
    path = pathlib.Path(path, "assets.extra", "tf_serving_warmup_requests")
    for record in tf.compat.v1.io.tf_record_iterator(str(path)):
        log = prediction_log_pb2.PredictionLog.FromString(record)
        yield log.predict_log.request


def _answer(session, signature, request):
    feeds = {
        signature.inputs[name].name: tf.make_ndarray(value)
        for name, value in request.inputs.items()
    }
    fetches = {key: info.name for key, info in signature.outputs.items()}
    outputs = session.run(fetches, feeds)
    return {
        key: [text.decode() for text in value.reshape(-1)]
        for key, value in outputs.items()
        if value.dtype == object
    }


if __name__ == "__main__":
    main(sys.argv[1])
