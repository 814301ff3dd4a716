import dataclasses

import pytest

from s2s_keras.studies.twins import count_parameters
from s2s_keras.studies.twins import make_twin
from s2s_keras.training.settings import SYNTHETIC
from s2s_keras.training.settings import Settings


@pytest.mark.parametrize(
    "settings",
    [
        SYNTHETIC,
        Settings(),
        Settings(cell="lstm", num_layers=2, query="current"),
        Settings(embedding_in_memory=True),
        Settings(attention="dot", units=64),
        Settings(  # the twin is more than twice as wide
            query="conditional",
            units=64,
            embedding_dim=512,
            embedding_in_memory=True,
            tie_embedding=False,
        ),
    ],
)
def test_twins_are_as_large_as_one_another(settings):
    twin = make_twin(settings, 900)
    ratio = count_parameters(twin, 900) / count_parameters(settings, 900)
    assert 0.95 < ratio < 1.1
    same = dataclasses.replace(
        twin,
        units=settings.units,
        attention=settings.attention,
        query=settings.query,
        embedding_in_memory=settings.embedding_in_memory,
    )
    assert twin.attention == "none" and same == settings


def test_a_twin_needs_attention():
    with pytest.raises(ValueError, match="attention='none'"):
        make_twin(Settings(attention="none"), 900)
