"""The commands `s2s-keras serve` and `s2s-keras serve-config`."""

import logging
import os
import pathlib

import click

from s2s_keras.memory import limit_heaps
from s2s_keras.records import json_option
from s2s_keras.threads import one_thread_an_operation

_BATCH_SIZE = click.option(
    "--max-batch-size",
    default=64,
    show_default=True,
    type=click.IntRange(1),
    help="Texts in a request, and in a run.",
)
_BATCH_DELAY = click.option(
    "--batch-delay",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Milliseconds that a request waits for neighbours.",
)
_THREADS = click.option(
    "--threads",
    default=2,
    show_default=True,
    type=click.IntRange(1),
    help="Runs at a time.",
)
_QUEUE = click.option(
    "--max-queue",
    default=1000,
    show_default=True,
    type=click.IntRange(1),
    help="Requests that may wait.",
)
_TIMEOUT = click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="Seconds that a request may take.",
)


def _read_labels(context, parameter, values):
    """Turns `stable=1` into a label and a version."""
    labels = {}
    for value in values:
        label, equals, version = value.rpartition("=")
        if not equals or not label or not version.isdecimal():
            raise click.BadParameter(
                f"should be like stable=1. Received: {value}"
            )
        labels[label] = int(version)
    return labels


_LABELS = click.option(
    "--label",
    "labels",
    multiple=True,
    callback=_read_labels,
    metavar="LABEL=VERSION",
    help="Serve a version under a label too; may be given again.",
)
_NAME = click.option("--name", help="Name of the model; the folder's else.")


@click.command()
@click.argument(
    "path",
    type=click.Path(exists=True, file_okay=False, path_type=pathlib.Path),
)
@_NAME
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", default=8501, show_default=True, type=click.IntRange(0, 65535)
)
@_LABELS
@click.option("--all-versions", is_flag=True, help="Not the highest alone.")
@_BATCH_SIZE
@_BATCH_DELAY
@_THREADS
@_QUEUE
@_TIMEOUT
@click.option(
    "--max-body",
    default=4.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="MiB that the body of a request may have.",
)
def serve(path, **options):
    """Serve the model in PATH, as TensorFlow Serving would.

    PATH holds the versions, PATH/1, PATH/2, ..., of any SavedModel. A new
    version is noticed within a second or two, and takes over once it has
    loaded.
    """
    _check_path(path)
    _log_to_stderr()
    limit_heaps(2)
    one_thread_an_operation(options["threads"])
    _serve(path, **options)


def _log_to_stderr():
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("s2s_keras.endpoint")
    logger.setLevel(logging.INFO)
    logger.handlers = [handler]
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("aiohttp.server").addFilter(_is_no_bad_request)


def _is_no_bad_request(record):
    """Leaves out what aiohttp has to say of requests that are no HTTP."""
    from aiohttp.http_exceptions import HttpProcessingError
    from aiohttp.web import RequestPayloadError

    error = record.exc_info and record.exc_info[1]
    return not isinstance(error, HttpProcessingError | RequestPayloadError)


def _check_path(path):
    if (path / "saved_model.pb").exists():
        raise ValueError(
            "PATH should be the folder of the versions. Received one version: "
            f"{path}. Its parent is {path.resolve().parent}"
        )
    if not any(entry.name.isdecimal() for entry in path.iterdir()):
        raise ValueError(
            "PATH should hold a version, for example "
            f"{path / '1' / 'saved_model.pb'}. Received: {path}"
        )


def _serve(
    path,
    *,
    name,
    host,
    port,
    labels,
    all_versions,
    max_batch_size,
    batch_delay,
    threads,
    max_queue,
    timeout,
    max_body,
):
    import functools

    import aiohttp.web

    from s2s_keras.endpoint.batching import Batcher
    from s2s_keras.endpoint.batching import Limits
    from s2s_keras.endpoint.manager import Manager
    from s2s_keras.endpoint.page import make_route
    from s2s_keras.endpoint.servable import Servable
    from s2s_keras.endpoint.server import Bounds
    from s2s_keras.endpoint.server import Endpoint
    from s2s_keras.endpoint.server import make_app

    manager = Manager(
        path,
        name,
        labels,
        all_versions,
        load=functools.partial(Servable, timeout=timeout),
    )
    limits = Limits(max_batch_size, batch_delay / 1000, threads, max_queue)
    bounds = Bounds(int(max_body * 2**20), timeout)
    aiohttp.web.run_app(
        make_app(
            Endpoint(manager, Batcher(limits), bounds),
            [make_route(manager.name)],
        ),
        host=host,
        port=port,
        shutdown_timeout=timeout,
        access_log=None,
        print=lambda text: click.echo(text, err=True),
    )
    os._exit(0)  # at once, even where a version is still being loaded


@click.command()
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=pathlib.Path),
)
@_NAME
@_LABELS
@_BATCH_SIZE
@_BATCH_DELAY
@_THREADS
@_TIMEOUT
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    help="Write the files to this folder; print them else.",
)
@json_option
def serve_config(paths, name, labels, output, timeout, **options):
    """Say how TensorFlow Serving is to be started for PATHS.

    Prints the command line, and prints or writes the files that it reads: the
    model configuration and the batching parameters.
    """
    from s2s_keras.endpoint import production

    _check_models(paths, name, labels)
    models = [
        production.Model(path, name or path.resolve().name, labels)
        for path in paths
    ]
    files = production.make_files(models, **options)
    folder = output or pathlib.Path("serving")
    for file, text in files.items():
        if output:
            output.mkdir(parents=True, exist_ok=True)
            (output / file).write_text(text)
        else:
            click.echo(f"# {folder / file}\n{text}")
    command = production.make_command(models, folder, timeout)
    click.echo(command)
    return {"command": command, "files": files}


def _check_models(paths, name, labels):
    if len(paths) > 1 and (name or labels):
        raise ValueError(
            "--name and --label are for one model. "
            f"Received: {len(paths)} models"
        )
    if len({path.resolve().name for path in paths}) < len(paths):
        raise ValueError(
            "PATHS should end in different names, those of the models. "
            f"Received: {', '.join(map(str, paths))}"
        )
    for path in paths:
        _check_path(path)
