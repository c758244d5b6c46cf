"""Frozen values that put their fields in order while they are being made."""

from __future__ import annotations


def set_fields(instance: object, **values: object) -> None:
    """Set fields of a frozen value; for its ``__post_init__`` alone."""
    for name, value in values.items():
        object.__setattr__(instance, name, value)
