"""Versions of the packages that decide the numbers."""

from __future__ import annotations

from functools import cache


def package_versions() -> dict[str, str]:
    """Versions of what decides the numbers, by the package's name."""
    return {name: _version(name) for name in ("napari-dgc", "numpy", "scipy", "torch")}


@cache  # 5 ms each, in every model and state of a training
def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)
