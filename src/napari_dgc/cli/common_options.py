"""Options that many commands have."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add `--force` and `--quiet`."""
    parser.add_argument("--force", action="store_true", help="overwrite what is there")
    add_quiet(parser)


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add `--quiet`."""
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")


def add_formats(parser: argparse.ArgumentParser, known: Sequence[str]) -> None:
    """Add `--format`: one or more of those known, the TIFF alone if not given."""

    def read(text: str) -> tuple[str, ...]:
        parts = [part.strip().lower() for part in text.split(",") if part.strip()]
        if not parts or set(parts) - set(known):
            raise argparse.ArgumentTypeError(f"{text!r}: use {','.join(known)}")
        return tuple(dict.fromkeys(parts))

    names = ",".join(known)
    parser.add_argument(
        "--format",
        type=read,
        default=("tif",),
        metavar="LIST",
        help=f"of {names} (tif)",
    )
