"""The options of `merge`."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_dgc.cli import merge
from napari_dgc.cli.argument_types import positive, role_values
from napari_dgc.cli.common_options import add_common, add_formats
from napari_dgc.cli.reading import add_key_options

GROUP_FORMATS = ("tif", "png", "overlay", "envi", "labelme", "npy", "pth")


def add_merge(parser: argparse.ArgumentParser) -> None:
    """Add the options of `merge`."""
    parser.add_argument(
        "model",
        type=Path,
        nargs="?",
        metavar="MODEL",
        help="with --study: its own, if neither is given",
    )
    parser.add_argument(
        "maps",
        type=Path,
        nargs="?",
        metavar="CLUSTERS_DIR",
        help="holds STEM_clusters.tif per cube; with --study: its own, if not given",
    )
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument(
        "--granularity",
        type=positive,
        metavar="N",
        help="cut the tree of clusters so that there are N groups",
    )
    how.add_argument(
        "--recipe",
        type=Path,
        metavar="R.json",
        help="merge as this recipe says, made with the same model",
    )
    how.add_argument(
        "--study",
        type=Path,
        metavar="S.dgc.json",
        help="merge as this study does; gives the very maps of the screen",
    )
    parser.add_argument(
        "--role",
        action="append",
        type=role_values,
        default=[],
        metavar="ROLE=VALUES",
        help="background, healthy, lesion or ignore, and its groups' values, such as "
        "lesion=3,7; may be given several times, not with --study",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT_DIR")
    add_formats(parser, GROUP_FORMATS)
    parser.add_argument(
        "--cubes",
        type=Path,
        nargs="+",
        metavar="CUBE_OR_DIR",
        help="what the maps are of: for clusters split by their spectra, for overlays, "
        "and for where they lie on Earth; with --study its own are found",
    )
    add_key_options(parser)
    add_common(parser)
    parser.set_defaults(run=merge.merge_maps)
