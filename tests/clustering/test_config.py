from __future__ import annotations

import pytest

from napari_dgc import Config


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("k", 1),
        ("k", 129),
        ("k", 4.0),
        ("k", True),
        ("steps", -1),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("device", 3),
        ("teacher_momentum", 1.5),
    ],
)
def test_bad_values_are_named_with_a_remedy(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"{field} is .*; give"):
        Config(**{field: value})


def test_defaults_are_the_contract() -> None:
    config = Config()
    assert (config.k, config.steps, config.seed, config.device) == (16, 300, 0, "auto")
    assert Config(k=128).k == 128
