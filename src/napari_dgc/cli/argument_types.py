"""Kinds of values that options take; each refuses in one line."""

from __future__ import annotations

import argparse

from napari_dgc.merging.grouping import ROLES, Role


def natural(text: str) -> int:
    """A whole number of 0 or more."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is negative")
    return value


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is less than 1")
    return value


def length(text: str) -> float:
    """A finite number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{value} is no length")
    return value


def label(text: str) -> int:
    """A 32-bit number."""
    value = int(text)
    if not -(2**31) <= value < 2**31:
        raise argparse.ArgumentTypeError(f"{value} is no 32-bit number")
    return value


def role_values(text: str) -> tuple[Role, tuple[int, ...]]:
    """A role and the label values of groups, such as lesion=3,7."""
    name, _, values = text.partition("=")
    for role in ROLES:
        if name.strip().lower() == role and values.strip():
            return role, tuple(positive(value) for value in values.split(","))
    roles = ", ".join(ROLES)
    raise argparse.ArgumentTypeError(
        f"{text!r} is not like lesion=3,7; the roles are {roles}"
    )
