"""The floors of the modules, as the README lists them."""

import ast
import pathlib
import re

import s2s_keras

PACKAGE = pathlib.Path(s2s_keras.__file__).parent
README = (pathlib.Path(__file__).parents[1] / "README.md").read_text()
FLOORS = {
    place: int(floor)
    for place, floor in re.findall(r"^  (\S+) +(\d+) ", README, re.MULTILINE)
}
MODULES = [
    path.relative_to(PACKAGE).as_posix()
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
]


def place_of(module):
    """The module, or the listed folder that it is in."""
    folders = [place for place in FLOORS if place.endswith("/")]
    return next((x for x in folders if module.startswith(x)), module)


def imports_of(module):
    for node in ast.walk(ast.parse((PACKAGE / module).read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            for name in (node.module, *names):
                other = name.removeprefix("s2s_keras.").replace(".", "/")
                if f"{other}.py" in MODULES:
                    yield f"{other}.py"


def test_the_readme_lists_every_module():
    assert {place_of(module) for module in MODULES} == set(FLOORS)


def test_imports_come_only_from_lower_floors():
    pairs = {
        (place_of(module), place_of(other))
        for module in MODULES
        for other in imports_of(module)
    }
    assert len(pairs) > 100
    assert [
        (place, other)
        for place, other in pairs
        if place != other and FLOORS[place] <= FLOORS[other]
    ] == []
