"""The versions of a model: found on disk, loaded, reloaded, looked up."""

import logging
import os
import pathlib
from typing import NamedTuple

from s2s_keras.endpoint.failure import Failure
from s2s_keras.endpoint.failure import invalid
from s2s_keras.endpoint.servable import Servable
from s2s_keras.export.versions import list_versions

logger = logging.getLogger(__name__)


class Spec(NamedTuple):
    """Which model a request asks for."""

    name: str
    version: int | None = None
    label: str | None = None

    def __str__(self):
        if self.version is None:
            return f"Latest({self.name})"
        return f"Specific({self.name}, {self.version})"


class State(NamedTuple):
    """What became of a version."""

    state: str  # START, LOADING, AVAILABLE, UNLOADING or END
    code: str = "OK"
    message: str = ""


class Manager:
    """Keeps the right versions of a model loaded.

    These are the highest one that loads, those that have a label, and with
    `all_versions` all others. A new version is loaded before an old one is
    dropped; one that fails to load is tried again when its files change.

    Args:
        path: Directory with a directory for each version.
        name: Name of the model, or `None` for that of the directory.
        labels: Dictionary, label -> version.
        all_versions: Boolean.
        load: Function that makes a `Servable` of a path.
    """

    def __init__(
        self, path, name=None, labels=None, all_versions=False, load=Servable
    ):
        self.path = pathlib.Path(path)
        self.name = name or self.path.resolve().name
        self.labels = dict(labels or {})
        self.all_versions = all_versions
        self.servables = {}  # version -> Servable
        self.states = {}  # version -> State
        self._load = load
        self._failed = {}  # version -> how its files were

    def poll(self):
        """Loads and drops versions as the directory has them now."""
        try:
            present = list_versions(self.path)
        except OSError as error:
            logger.warning("cannot list %s: %s", self.path, error)
            return
        kept = {
            int(folder)
            for folder in present
            if self._is_required(int(folder)) and self._ensure(folder)
        }
        for folder in reversed(present):
            if self._ensure(folder):
                kept.add(int(folder))
                break
        if present and not kept:
            return
        for version in set(self.servables) - kept:
            self._unload(version)

    def _is_required(self, version):
        return self.all_versions or version in self.labels.values()

    def _ensure(self, folder):
        """Loads a version unless it is; says whether it is loaded then."""
        version = int(folder)
        if version in self.servables:
            return True
        path = self.path / folder
        files = _describe_files(path)
        if self._failed.get(version) == files:
            return False
        self.states[version] = State("LOADING")
        try:
            servable = self._load(path)
        except Exception as error:  # whatever a half-written version does
            failure = Failure.from_error(error)
            self.states[version] = State("END", failure.code, failure.message)
            self._failed[version] = files
            logger.warning(
                "cannot load version %d: %s", version, failure.message
            )
            return False
        self._failed.pop(version, None)
        self.servables = {**self.servables, version: servable}
        self.states[version] = State("AVAILABLE")
        logger.info("loaded version %d of %s", version, self.name)
        return True

    def _unload(self, version):
        servable = self.servables[version]
        state = self.states[version] = State("UNLOADING")
        self.servables = {
            v: s for v, s in self.servables.items() if v != version
        }
        servable.retire(lambda: self._end(version, state))

    def _end(self, version, state):
        if self.states[version] is state:  # it did not come back meanwhile
            self.states[version] = State("END")
        logger.info("unloaded version %d of %s", version, self.name)

    def acquire(self, spec):
        """Finds the servable for a request, and begins to use it.

        Args:
            spec: `Spec`.

        Returns:
            Tuple of the version and of the `Servable`, which the caller has
            to `release`.

        Raises:
            Failure: 404, if there is none, or 400, if the label is unknown.
        """
        spec = self._resolve(spec)
        while True:
            servables = self.servables
            version = spec.version
            if version is None:
                version = max(servables, default=None)
            if spec.name != self.name or version not in servables:
                raise Failure(
                    "NOT_FOUND", f"Servable not found for request: {spec}"
                )
            if servables[version].acquire():
                return version, servables[version]

    def _resolve(self, spec):
        if spec.label is None:
            return spec
        if spec.name != self.name or spec.label not in self.labels:
            raise invalid(f"Unrecognized servable version label: {spec.label}")
        return Spec(spec.name, self.labels[spec.label])

    def status(self, spec):
        """Tells the states of versions.

        Args:
            spec: `Spec`; a label changes nothing, as in TensorFlow Serving.

        Returns:
            Dictionary, as in the answer to the request.

        Raises:
            Failure: 404, if nothing is known of them.
        """
        states = dict(self.states) if spec.name == self.name else {}
        if spec.version is not None:
            if spec.version not in states:
                raise Failure(
                    "NOT_FOUND",
                    f"Could not find version {spec.version} of model "
                    f"{spec.name}",
                )
            states = {spec.version: states[spec.version]}
        if not states:
            raise Failure(
                "NOT_FOUND", f"Could not find any versions of model {spec.name}"
            )
        return {
            "model_version_status": [
                {
                    "version": str(version),
                    "state": states[version].state,
                    "status": {
                        "error_code": states[version].code,
                        "error_message": states[version].message,
                    },
                }
                for version in sorted(states, reverse=True)
            ]
        }

    def close(self):
        """Closes all sessions, each as soon as nobody uses it."""
        for version in list(self.servables):
            self._unload(version)


def _describe_files(path):
    """Tells the files of a version, so that changes show."""
    found = set()
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                status = os.stat(os.path.join(folder, name))
            except OSError:
                continue
            found.add((folder, name, status.st_size, status.st_mtime_ns))
    return found
