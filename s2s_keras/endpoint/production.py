"""What TensorFlow Serving in production is started with."""

import json
import math
import pathlib
import shlex
from typing import NamedTuple

MODELS_FILE = "models.config"
BATCHING_FILE = "batching.config"


class Model(NamedTuple):
    """A model that is to be served."""

    path: pathlib.Path
    name: str
    labels: dict  # label -> version


def make_files(models, max_batch_size, batch_delay, threads):
    """Makes the files that TensorFlow Serving reads.

    Args:
        models: List of `Model`.
        max_batch_size: Integer, rows in a run.
        batch_delay: Float, milliseconds that a request waits for neighbours.
        threads: Integer, runs at a time.

    Returns:
        Dictionary, file name -> text.
    """
    configs = "".join(_describe(model) for model in models)
    parameters = {
        "max_batch_size": max_batch_size,
        "batch_timeout_micros": int(1000 * batch_delay),
        "max_enqueued_batches": 100,
        "num_batch_threads": threads,
    }
    return {
        MODELS_FILE: f"model_config_list {{\n{configs}}}\n",
        BATCHING_FILE: "".join(
            f"{name} {{ value: {value} }}\n"
            for name, value in parameters.items()
        ),
    }


def _describe(model):
    lines = [
        f"name: {json.dumps(model.name)}",
        f"base_path: {json.dumps(f'/models/{model.name}')}",
        'model_platform: "tensorflow"',
    ]
    if model.labels:  # a label needs its version to be loaded
        lines.append("model_version_policy { all {} }")
    lines += [
        f"version_labels {{ key: {json.dumps(label)} value: {version} }}"
        for label, version in model.labels.items()
    ]
    text = "".join(f"    {line}\n" for line in lines)
    return f"  config {{\n{text}  }}\n"


def make_command(models, folder, timeout):
    """Makes the command line.

    Args:
        models: List of `Model`.
        folder: Path of the folder of the files.
        timeout: Float, seconds that a request may take.

    Returns:
        String, for a shell.
    """
    mounts = [(model.path, f"/models/{model.name}") for model in models]
    mounts.append((folder, "/config"))
    words = ["docker run -p 127.0.0.1:8501:8501"]
    for source, target in mounts:
        mount = f"{pathlib.Path(source).resolve()}:{target}:ro"
        words.append(f"-v {shlex.quote(mount)}")
    words += [
        "tensorflow/serving",
        f"--model_config_file=/config/{MODELS_FILE}",
        "--enable_batching",
        f"--batching_parameters_file=/config/{BATCHING_FILE}",
        f"--rest_api_timeout_in_ms={math.ceil(1000 * timeout)}",
    ]
    if any(model.labels for model in models):
        words.append("--allow_version_labels_for_unavailable_models=true")
    return " \\\n    ".join(words)
