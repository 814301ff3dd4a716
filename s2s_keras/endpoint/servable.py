"""A loaded version of a SavedModel, as TensorFlow Serving runs it."""

import contextlib
import math
import threading
from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401, for its ops
from tensorflow.core.protobuf import config_pb2

from s2s_keras.endpoint.failure import Failure
from s2s_keras.endpoint.failure import invalid


class TensorSpec(NamedTuple):
    """What a signature tells of a tensor."""

    tensor: str  # its name in the graph
    dtype: str  # for example "string"
    shape: tuple | None  # None: of any rank; with None for any size

    def fits(self, array):
        """Whether an array has this shape.

        Args:
            array: NumPy array.

        Returns:
            Boolean.
        """
        return self.shape is None or (
            array.ndim == len(self.shape)
            and all(
                size in (None, found)
                for size, found in zip(self.shape, array.shape, strict=True)
            )
        )


class Signature(NamedTuple):
    """A function of a SavedModel."""

    name: str
    inputs: dict  # name -> TensorSpec
    outputs: dict  # name -> TensorSpec

    @property
    def is_batched(self):
        """Whether, by its shapes, it treats rows apart from one another.

        The first dimension of everything is the batch, and no output can get
        wider by what else is in the batch.
        """
        return all(
            spec.shape and spec.shape[0] is None
            for spec in self.inputs.values()
        ) and all(
            spec.shape is None
            or (spec.shape[:1] == (None,) and None not in spec.shape[1:])
            for spec in self.outputs.values()
        )


class Servable:
    """A version that is loaded, and closed once nobody uses it.

    Args:
        path: Path of the version directory.
        timeout: Float, after how many seconds a run is cancelled, or `None`.

    Raises:
        Exception: Whatever TensorFlow finds wrong with the directory.
    """

    def __init__(self, path, timeout=None):
        self._lock = threading.Lock()
        self._users = 0
        self._on_close = None
        self._timeout = timeout
        self._callables = {}
        self.unbatched = set()  # names of signatures that only look batched
        self.session = tf.compat.v1.Session(
            graph=tf.Graph(), config=_session_config()
        )
        try:
            self.meta_graph = self._load(path)
            self.signatures = {
                name: _read_signature(name, definition)
                for name, definition in self.meta_graph.signature_def.items()
            }
            self._prepare()
        except BaseException:
            self.session.close()
            raise

    def _load(self, path):
        loader = tf.compat.v1.saved_model.loader
        with self.session.graph.as_default():
            meta_graph = loader.load(self.session, ["serve"], str(path))
        meta_graph.graph_def.Clear()  # only the signatures are still wanted
        return meta_graph

    def _prepare(self):
        """Optimizes the graphs, so that the first request need not wait."""
        for signature in self.signatures.values():
            if signature.inputs:
                with contextlib.suppress(tf.errors.OpError):
                    self._callable(signature)

    def signature(self, name):
        """Finds a signature.

        Args:
            name: String.

        Returns:
            `Signature`.

        Raises:
            Failure: 400, if there is none.
        """
        if name not in self.signatures:
            raise invalid(
                f'Serving signature name: "{name}" not found in signature def'
            )
        return self.signatures[name]

    def run(self, signature, inputs):
        """Runs a signature; several threads may do so at once.

        Args:
            signature: `Signature` of this servable.
            inputs: Dictionary, name -> NumPy array of any shape: what does
                not fit is for the graph to refuse.

        Returns:
            Dictionary, name -> NumPy array.

        Raises:
            Failure: If the graph does, with its code and message.
        """
        with self.use():
            try:
                values = self._callable(signature)(
                    *(inputs[name] for name in signature.inputs)
                )
            except tf.errors.OpError as error:
                raise Failure.from_error(error) from error
        return {
            name: _to_array(value)
            for name, value in zip(signature.outputs, values, strict=True)
        }

    def _callable(self, signature):
        """Makes what runs a signature.

        `Session.run` would compare shapes before the graph does.
        """
        if signature.name not in self._callables:
            options = tf.compat.v1.RunOptions(
                timeout_in_ms=math.ceil(1000 * (self._timeout or 0))
            )
            self._callables[signature.name] = (
                self.session._make_callable_from_options(
                    _callable_options(signature, options)
                )
            )
        return self._callables[signature.name]

    @contextlib.contextmanager
    def use(self):
        """Keeps the session open.

        Raises:
            Failure: 503, if it is closed.
        """
        if not self.acquire():
            raise Failure("UNAVAILABLE", "The servable is unloaded.")
        try:
            yield self
        finally:
            self.release()

    def acquire(self):
        """Begins to use the session.

        Returns:
            Boolean, `False` where it is closed.
        """
        with self._lock:
            if self.session is None:
                return False
            self._users += 1
            return True

    def release(self):
        """Ends what `acquire` began."""
        with self._lock:
            self._users -= 1
        self._close_if_unused()

    def retire(self, on_close=lambda: None):
        """Closes the session as soon as nobody uses it.

        Args:
            on_close: Function that is called then.
        """
        with self._lock:
            self._on_close = on_close
        self._close_if_unused()

    def _close_if_unused(self):
        with self._lock:
            if self._users or not self._on_close or self.session is None:
                return
            session, self.session = self.session, None
        self._callables.clear()  # releases them, while the session is open
        session.close()
        self._on_close()


def _session_config():
    config = tf.compat.v1.ConfigProto()
    config.gpu_options.allow_growth = True
    config.intra_op_parallelism_threads = (
        tf.config.threading.get_intra_op_parallelism_threads()
    )
    return config


def _read_signature(name, definition):
    return Signature(
        name,
        _read_tensors(definition.inputs),
        _read_tensors(definition.outputs),
    )


def _read_tensors(infos):
    return {name: _read_tensor(infos[name]) for name in sorted(infos)}


def _read_tensor(info):
    shape = None
    if not info.tensor_shape.unknown_rank:
        sizes = [dim.size for dim in info.tensor_shape.dim]
        shape = tuple(None if size < 0 else size for size in sizes)
    return TensorSpec(info.name, _type_name(info.dtype), shape)


def _type_name(number):
    names = {"float32": "float", "float64": "double", "float16": "half"}
    name = tf.dtypes.as_dtype(number).name if number else "invalid"
    return names.get(name, name)


def _callable_options(signature, run_options):
    options = config_pb2.CallableOptions()
    options.feed.extend(spec.tensor for spec in signature.inputs.values())
    options.fetch.extend(spec.tensor for spec in signature.outputs.values())
    options.run_options.CopyFrom(run_options)
    return options


def _to_array(value):
    return np.asarray(value, object if isinstance(value, bytes) else None)
