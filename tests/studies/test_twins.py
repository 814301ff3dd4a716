import dataclasses

import pytest

from s2s_keras.studies.twins import count_parameters
from s2s_keras.studies.twins import twin_settings
from s2s_keras.training.settings import SYNTHETIC
from s2s_keras.training.settings import Settings


@pytest.mark.parametrize(
    "settings",
    [
        SYNTHETIC,
        Settings(),
        Settings(cell="lstm", num_layers=2, query="current"),
        Settings(attention="dot", units=64),
    ],
)
def test_twins_are_as_large_as_one_another(settings):
    twin = twin_settings(settings)
    ratio = count_parameters(twin) / count_parameters(settings)
    assert 0.95 < ratio < 1.1
    same = dataclasses.replace(
        twin,
        units=settings.units,
        attention=settings.attention,
        query=settings.query,
    )
    assert twin.attention == "none" and same == settings


def test_a_twin_needs_attention():
    with pytest.raises(ValueError, match="attention='none'"):
        twin_settings(Settings(attention="none"))
