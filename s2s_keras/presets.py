"""The zoo as a table of pure data, and where its weights are.

`presets.json` holds an entry for each name: the `architecture`, the
`training` recipe with corpus and vocabulary, and the `card` of what was
measured.
"""

import json
import pathlib

MODEL = "model.keras"
PACKAGE = pathlib.Path(__file__).parent
PRESETS = json.loads((PACKAGE / "presets.json").read_text())


def find_model(preset):
    """Finds the `.keras` file of a preset.

    Args:
        preset: A name in `PRESETS`, a `.keras` file, or a folder that holds a
            `model.keras`.

    Returns:
        The path.

    Raises:
        FileNotFoundError: If there is none.
    """
    if preset in PRESETS:
        return _find_shipped(preset)
    for path in (pathlib.Path(preset), pathlib.Path(preset, MODEL)):
        if path.is_file():
            return path
    raise FileNotFoundError(
        "`preset` should be a .keras file, a folder that holds a "
        f"{MODEL}, or one of {list(PRESETS)}. Received: {str(preset)!r}. "
        "`s2s-keras train` makes a model."
    )


def _find_shipped(name):
    path = _shipped_path(name)
    if path is None:
        raise FileNotFoundError(
            f"The weights of the preset {name} do not come with the package. "
            f"`s2s-keras train --preset {name}` makes them, in runs/{name}."
        )
    return path


def is_shipped(name):
    """Whether the weights of a preset come with the package."""
    return _shipped_path(name) is not None


def _shipped_path(name):
    # Within an installed package; beside it in a checkout.
    for parent in (PACKAGE, PACKAGE.parent):
        path = parent / "exported" / name / MODEL
        if path.is_file():
            return path


def save_model(model, folder):
    """Writes `model.keras` to a folder, whole or not at all.

    Args:
        model: Keras model.
        folder: Path of the folder, which is made if need be.

    Returns:
        Path of the file.

    Raises:
        FileExistsError: If the folder holds a model already.
    """
    path = pathlib.Path(folder, MODEL)
    if path.exists():
        raise FileExistsError(
            f"`folder` should hold no model yet; {path} is left as it is."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"unfinished_{MODEL}")
    model.save(unfinished)
    return unfinished.rename(path)
