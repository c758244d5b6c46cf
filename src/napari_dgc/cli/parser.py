"""Commands and their options."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

from napari_dgc import __version__
from napari_dgc.cli import commands, doctor, evaluate, info, report, study, train
from napari_dgc.cli.argument_types import label, length, natural, positive
from napari_dgc.cli.common_options import add_common, add_formats, add_quiet
from napari_dgc.cli.merge_options import add_merge
from napari_dgc.cli.reading import add_cube_options
from napari_dgc.clustering.config import PREFETCH

MAP_FORMATS = ("tif", "npy", "png", "pth")


class UsageError(ValueError):
    """The command line does not make sense."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without printing its usage."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def build_parser() -> argparse.ArgumentParser:
    """All commands; each sets `run`, a function of the parsed options."""
    parser = _Parser(
        prog="napari-dgc",
        description="Deep Global Clustering of hyperspectral cubes.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    add = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=_Parser
    ).add_parser
    _add_sample(add("sample", help="write sample scenes of leaves, with labels"))
    _add_info(add("info", help="say what cubes hold, and which bands are noisy"))
    _add_train(add("train", help="learn clusters over all cubes"))
    _add_segment(add("segment", help="map cubes with a model"))
    add_merge(add("merge", help="merge the clusters of maps into groups"))
    _add_study(add("study", help="make or look at a study without a screen"))
    _add_report(add("report", help="a page of all of it, and its numbers as tables"))
    _add_evaluate(add("evaluate", help="score maps against labels"))
    doctor.add_options(add("doctor", help="say what is missing, and what mends it"))
    return parser


def _add_sample(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("--scenes", type=positive, default=6, metavar="N")
    parser.add_argument("--size", type=positive, default=256, metavar="PIXELS")
    parser.add_argument("--seed", type=natural, default=0)
    add_common(parser)
    parser.set_defaults(run=commands.write_sample)


def _add_info(parser: argparse.ArgumentParser) -> None:
    add_cube_options(parser, bands=True)
    parser.add_argument("--json", action="store_true", help="for programs")
    add_quiet(parser)
    parser.set_defaults(run=info.show_cubes)


def _add_train(parser: argparse.ArgumentParser) -> None:
    add_cube_options(parser, bands=True)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MODEL.safetensors"
    )
    # No defaults here: what is not given is left to --config, then to Config.
    parser.add_argument("-k", type=int, metavar="K", help="clusters, 2..128 (16)")
    parser.add_argument(
        "--steps", type=int, metavar="N", help="0 gives the first map (300)"
    )
    parser.add_argument("--seed", type=int, help="(0)")
    parser.add_argument("--device", help="auto, cpu, cuda or mps (auto)")
    parser.add_argument(
        "--config", type=Path, metavar="FILE.toml", help="any field of Config"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the training that left MODEL.resume.safetensors",
    )
    parser.add_argument(
        "--prefetch",
        type=natural,
        default=PREFETCH,
        metavar="N",
        help=f"reads of the cubes ahead of need ({PREFETCH}); the model is "
        "the same for any",
    )
    parser.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="log there for TensorBoard too"
    )
    add_common(parser)
    parser.set_defaults(run=train.train_model)


def _add_segment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL")
    add_cube_options(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT_DIR")
    add_formats(parser, MAP_FORMATS)
    parser.add_argument("--device", default="auto")
    add_common(parser)
    parser.set_defaults(run=commands.segment_cubes)


def _add_study(parser: argparse.ArgumentParser) -> None:
    add = parser.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=_Parser
    ).add_parser
    new = add("new", help="gather cubes, a model and maps into a study")
    add_cube_options(new, bands=True)
    new.add_argument("-o", "--output", type=Path, required=True, metavar="S.dgc.json")
    new.add_argument(
        "--model",
        type=Path,
        metavar="MODEL.safetensors",
        help="copied beside the study",
    )
    new.add_argument(
        "--maps",
        type=Path,
        metavar="DIR",
        help="holds what segment wrote with this model; copied beside the study",
    )
    new.add_argument(
        "--recipe",
        type=Path,
        metavar="R.json",
        help="group as this recipe says, made with the same model",
    )
    add_common(new)
    new.set_defaults(run=study.make_study)
    leaves = add("leaves", help="find the leaves and keep them with the study")
    leaves.add_argument("study", type=Path, metavar="S.dgc.json")
    _add_leaves(leaves)
    add_common(leaves)
    leaves.set_defaults(run=report.freeze_leaves)
    info = add("info", help="say what a study holds; reads no pixel")
    info.add_argument("study", type=Path, metavar="S.dgc.json")
    info.add_argument("--json", action="store_true", help="for programs")
    add_quiet(info)
    info.set_defaults(run=study.show_study)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        type=Path,
        nargs="+",
        metavar="STUDY_OR_DIR",
        help="S.dgc.json; or the folder that merge wrote, and the one that segment "
        "wrote for spectra",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT_DIR")
    parser.add_argument(
        "--pixel-mm",
        type=length,
        metavar="MM",
        help="width of a pixel; else as the study or ENVI's header says",
    )
    parser.add_argument(
        "--days",
        type=Path,
        metavar="TABLE.csv",
        help="columns file, plant, day; else as the study or the files' names say "
        "(leaf_day5)",
    )
    _add_leaves(parser)
    parser.add_argument(
        "--min-lesion",
        type=positive,
        metavar="PIXELS",
        help="count no smaller piece as a lesion (as the study says, else 1)",
    )
    add_common(parser)
    parser.set_defaults(run=report.write_report)


def _add_leaves(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--min-leaf",
        type=positive,
        metavar="PIXELS",
        help="drop smaller pieces of tissue (a thousandth of the image)",
    )
    parser.add_argument(
        "--split-leaves", action="store_true", help="part leaves that touch"
    )


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("maps", type=Path, metavar="MAPS_DIR")
    parser.add_argument(
        "--labels",
        type=Path,
        required=True,
        metavar="DIR",
        help="holds STEM.json (LabelMe), .pth, .mat or STEM_labels.tif per map",
    )
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument(
        "--align",
        choices=("hungarian", "majority"),
        help="one id per class, or each id to the class most of its pixels have",
    )
    how.add_argument(
        "--mapping",
        metavar="JSON",
        help='class number or name to ids, such as {"0":[1,2],"1":[3]}',
    )
    parser.add_argument(
        "--ignore-label",
        type=label,
        metavar="N",
        help="label value of unlabelled pixels, left out of all scores",
    )
    add_common(parser)
    parser.set_defaults(run=evaluate.evaluate_maps)
