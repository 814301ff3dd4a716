"""Whether a release of TensorFlow Serving can run a SavedModel.

`serving_ops.json` says which operations came and went with each release: those
that the TensorFlow wheel of the same number registers, and those of TF-Text
that the server links. Attributes that came later are ignored by a server.
"""

import json
import pathlib

from tensorflow.core.protobuf import saved_model_pb2

RELEASES = json.loads(
    pathlib.Path(__file__).with_name("serving_ops.json").read_text()
)
LATEST = list(RELEASES)[-1]


def check_release(release):
    """Makes sure that a release of TensorFlow Serving is known."""
    if release not in RELEASES:
        raise ValueError(
            f"`serving` should be one of {list(RELEASES)}. "
            f"Received: serving={release!r}"
        )


def check_servable(path, release=LATEST):
    """Makes sure that a release of TensorFlow Serving can run a SavedModel.

    Args:
        path: Folder of the SavedModel.
        release: String, a key of `RELEASES`, for example `"2.19"`.

    Raises:
        ValueError: If there is no such release, or if an operation would not
            run there. The message says which, where, and what to do.
    """
    check_release(release)
    known = _linked_ops(release)
    problems = {
        f"- {node.op} ({place}): {advice}"
        for place, node in _nodes(path)
        if (advice := _advise(node, known))
    }
    if problems:
        raise ValueError(
            f"TensorFlow Serving {release} cannot run this model:\n"
            + "\n".join(sorted(problems))
        )


def _linked_ops(release):
    """The operations that a release links."""
    names = list(RELEASES)
    known = set()
    for name in names[: names.index(release) + 1]:
        known |= set(RELEASES[name]["added"])
        known -= set(RELEASES[name]["removed"])
    return known


def _nodes(path):
    """Every node of the graph and its functions, with its place."""
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString(
        pathlib.Path(path, "saved_model.pb").read_bytes()
    )
    for meta_graph in saved_model.meta_graphs:
        graph = meta_graph.graph_def
        for node in graph.node:
            yield f"node {node.name}", node
        for function in graph.library.function:
            name = function.signature.name
            for node in function.node_def:
                yield f"node {node.name} of function {name}", node


def _advise(node, known):
    """What to do about a node, or `None` where all is well."""
    if "PyFunc" in node.op:
        return "it runs Python; write it with TensorFlow operations"
    if node.op.startswith("Cudnn"):
        return "it needs a GPU; set `use_cudnn=False` on the recurrent layer"
    if "_XlaMustCompile" in node.attr and node.attr["_XlaMustCompile"].b:
        return "it is compiled by XLA; leave `jit_compile` out"
    if node.op not in known:
        return "it is not linked; choose a later release, or do without it"
    return None
