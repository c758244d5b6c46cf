"""Every hostile file: what it is made of, how it is changed, and what opens it."""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import formats
import mutations
import numpy as np
from mutations import BYTES, Change, sign

SEED = 20261125


@dataclass(frozen=True)
class Case:
    """One hostile file.

    Attributes
    ----------
    name : str
    seeds : str
        Folder of valid files, copied for the case.
    make : callable
        Gets the case's folder and the one beside it, and makes it hostile.
    do, args
        What the child is asked; `{}` in an argument is the case's folder.
    torch : bool
    """

    name: str
    seeds: str
    make: Callable[[Path, Path], object]
    do: str
    args: tuple[str, ...]
    torch: bool = False

    def request(self, seeds: Path, folder: Path, outside: Path) -> dict[str, Any]:
        """Write the case's files and say what to ask."""
        shutil.copytree(seeds / self.seeds, folder)
        self.make(folder, outside)
        args = [arg.replace("{}", str(folder)) for arg in self.args]
        return {"do": self.do, "args": args, "folder": str(folder)}


@dataclass(frozen=True)
class Subject:
    """A valid file, what opens it, and the changes it is put to."""

    name: str
    seeds: str
    target: str
    do: str
    args: tuple[str, ...]
    changes: dict[str, Change]
    torch: bool = False
    repeats: int = 2  # of changes of bytes, each from another seed

    def cases(self) -> Iterable[Case]:
        given = partial(
            Case, seeds=self.seeds, do=self.do, args=self.args, torch=self.torch
        )
        for kind, change in BYTES.items():
            for number in range(self.repeats if kind not in ("empty", "twice") else 1):
                name = f"{self.name}: {kind} {number}"
                yield given(name=name, make=partial(self._apply, name, change))
        for kind, change in self.changes.items():
            name = f"{self.name}: {kind}"
            yield given(name=name, make=partial(self._apply, name, change))
        for kind, trick in TRICKS.items():
            make = partial(self._trick, trick)
            yield given(name=f"{self.name}: {kind}", make=make)

    def _apply(self, name: str, change: Change, folder: Path, outside: Path) -> None:
        path = folder / self.target
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
        path.write_bytes(change(path.read_bytes(), rng))

    def _trick(
        self, trick: Callable[[Path, Path], object], folder: Path, outside: Path
    ) -> None:
        path = folder / self.target
        path.unlink()
        trick(path, outside)


TRICKS: dict[str, Callable[[Path, Path], object]] = {
    "endless": lambda path, outside: path.symlink_to("/dev/zero"),
    "pipe": lambda path, outside: os.mkfifo(path),
    "itself": lambda path, outside: path.symlink_to(path.name),
    "folder": lambda path, outside: path.mkdir(),
}


def fixed(content: bytes) -> Change:
    return lambda _, rng: content


def all_fixed(contents: dict[str, Any]) -> dict[str, Change]:
    return {
        name: fixed(c if isinstance(c, bytes) else c.encode())
        for name, c in contents.items()
    }


def _study_changes() -> dict[str, Change]:
    """Studies whose checksum is right, and that say what is wrong."""
    changes = mutations.json_changes(sign)
    plain = mutations.json_changes()  # and some whose checksum is not
    changes |= {f"unsigned {k}": plain[k] for k in ("value zero", "key lost", "deep")}
    for among in ("path", "shape", "index", "next_id", "operations", "pins", "tile"):
        for value in ("huge", "negative", "nan", "long", "nul", "endless", "up"):
            changes[f"{among} {value}"] = mutations.json_change(
                lambda tree, rng, among=among, value=value: mutations.set_value(
                    tree, rng, mutations.VALUES[value], among
                ),
                sign,
            )
    return changes


def subjects(marker: Path) -> list[Subject]:
    """Every format that is read, and how."""
    info = partial(Subject, do="cli")
    found = [
        info(f"{kind} header", kind, "leaf.hdr", args=("info", "{}/leaf.hdr"),
             changes=formats.ENVI if kind == "bsq" else {})
        for kind in ("bsq", "bil", "bip")
    ]  # fmt: skip
    found += [
        info("bip data", "bip", "leaf.img", args=("info", "{}/leaf.hdr"), changes={}),
        info("white", "specim", "capture/WHITEREF_leaf.hdr", args=("info", "{}"),
             changes=dict(list(formats.ENVI.items())[::4])),
        info("dark data", "specim", "capture/DARKREF_leaf.img", args=("info", "{}"),
             changes={}),
    ]  # fmt: skip
    arrays = {
        "v5.mat": formats.MATLAB5,
        "v5z.mat": {},
        "v73.mat": {},
        "v73z.mat": {},
        "leaf.npy": all_fixed(
            mutations.NPY | {"pickle": mutations.pickled_npy(marker)}
        ),
        "leaf.tif": formats.TIFF,
        "leafz.tif": formats.TIFF | formats.TIFF_NEW,
        "geo.tif": {},
    }
    for file, changes in arrays.items():
        axes = () if file.endswith(".mat") else ("--axes", "byx")
        args = ("info", f"{{}}/{file}", *axes)
        found.append(info(file, "arrays", file, args=args, changes=changes))
    evaluate = ("evaluate", "{}/maps", "--align", "majority", "--labels")
    maps = all_fixed(
        {n: mutations.NPY[n] for n in ("shape huge", "type object", "deep")}
    )
    labels: dict[str, dict[str, Change]] = {
        "leaf.json": mutations.json_changes() | all_fixed(formats.LABELME),
        "l.mat": dict(list(formats.MATLAB5.items())[::3]),
        "l.npy": maps | {"pickle": fixed(mutations.pickled_npy(marker))},
        "l.tif": formats.TIFF,
    }
    for file, changes in labels.items():
        target = f"labels/{file}"
        args = (f"{{}}/{target}",)
        found.append(
            Subject(f"labels {file}", "merge", target, "labels", args, changes)
        )
    merge = ("merge", "{}/M.safetensors", "{}/maps", "-o", "{}/out")
    statistics = mutations.npz_changes("sum", marker)
    study = partial(Subject, seeds="study", do="study", args=("{}/S.dgc.json",))
    model_path = "{}/texts/none.npy"
    deep = np.frombuffer(mutations.deep().encode(), np.uint8)
    leaves = mutations.npz_changes("map 0", marker)
    leaves["about deep"] = mutations.npz_change("about", lambda a: deep)
    found += [
        info("model", "merge", "M.safetensors", args=(*merge, "--granularity", "3"),
             changes=mutations.tensors_changes()),
        info("recipe", "merge", "recipe.json",
             args=(*merge, "--recipe", "{}/recipe.json"),
             changes=mutations.json_changes()),
        info("map", "merge", "maps/leaf_clusters.tif",
             args=(*merge, "--granularity", "3"),
             changes=formats.TIFF | formats.TIFF_NEW),
        study("study", target="S.dgc.json", changes=_study_changes()),
        study("study info", target="S.dgc.json", do="cli",
              args=("study", "info", "{}/S.dgc.json"), changes=_study_changes(),
              repeats=1),
        Subject("leaves", "study", "S.dgc/leaves.npz", "leaves",
                ("{}/S.dgc/leaves.npz",),
                leaves),
        Subject("days", "texts", "days.csv", "days", ("{}/days.csv",),
                all_fixed(formats.DAYS)),
        info("settings", "texts", "c.toml",
             args=("train", model_path, "-o", "{}/M.safetensors", "--config",
                   "{}/c.toml"),
             changes=all_fixed(formats.TOML)),
    ]  # fmt: skip
    found += [
        Subject(f"study's {kind}", "study", f"S.dgc/{{model}}/leaf 1_{kind}", "study",
                ("{}/S.dgc.json",), changes, repeats=1)
        for kind, changes in (("clusters.tif", formats.TIFF), ("stats.npz", statistics),
                              ("confidence.tif", {}))
    ]  # fmt: skip
    found += _zarr_subjects(info) + _taken_subjects(marker)
    given = ("segment", "{}/T.safetensors", "{}/leaf.npy", "--axes", "yxb", "-o",
             "{}/out", "--device", "cpu")  # fmt: skip
    train = ("train", "{}/leaf.npy", "--axes", "yxb", "-o", "{}/M.safetensors",
             "--resume", "-q")  # fmt: skip
    tensors = formats.TENSORS | {
        "pickle": formats.pickled_tensor(marker),
        "old pickle": formats.old_pickle(marker),
    }
    found += [
        info("trained model", "trained", "T.safetensors", args=given,
             changes=mutations.tensors_changes()
             | {"weights": mutations.tensor_change(
                 "encoder", lambda a: a.astype(np.float64)),
                "weights NaN": mutations.tensor_change(
                 "encoder", lambda a: np.full_like(a, np.nan))},
             torch=True, repeats=1),
        info("tensor", "trained", "leaf.pth", args=(*evaluate, "{}/leaf.pth"),
             changes=tensors, torch=True),
        info("resumed", "trained", "M.resume.safetensors", args=train,
             changes=resumed_changes(), torch=True, repeats=1),
    ]  # fmt: skip
    return found


def _zarr_subjects(info: Callable[..., Subject]) -> list[Subject]:
    """Stores of both formats: what describes them, and a chunk."""
    if find_spec("zarr") is None:
        return []
    changes = mutations.json_changes()
    files = {"leaf2.zarr": (".zarray", "0.0.0"), "leaf3.zarr": ("zarr.json", "c/0/0/0")}
    return [
        info(f"{store} {file}", "arrays", f"{store}/{file}",
             args=("info", f"{{}}/{store}", "--axes", "byx"),
             changes=_sizes(store) | changes if number == 0 else {})
        for store, inside in files.items()
        for number, file in enumerate(inside)
    ]  # fmt: skip


def _sizes(store: str) -> dict[str, Change]:
    """Shapes and chunks that are larger than anything, or none."""
    return {
        f"{among} {value}": mutations.json_change(
            lambda tree, rng, among=among, value=value: mutations.set_value(
                tree, rng, SHAPES[value], among
            )
        )
        for among in ("shape", "chunk", "fill_value", "codec", "compressor", "dtype")
        for value in SHAPES
    }


SHAPES: dict[str, Any] = {
    "huge": [10**6, 10**6, 10**6],
    "large": [6, 30_000, 30_000],
    "zero": [0, 0, 0],
    "negative": [-6, 9, 7],
    "many": [1] * 40,
    "text": "../../outside",
    "number": 10**30,
    "nothing": None,
}


#: Keys of what newer versions write into a study.
TAKEN = (
    "earlier later taking own after maps model fingerprint days pixel_mm min_lesion "
    "reflectance tile white dark stability rejected text"
)


def _taken_subjects(marker: Path) -> list[Subject]:
    """A study of three models with all that newer versions keep beside it."""
    study = partial(Subject, seeds="taken", do="study", args=("{}/S.dgc.json",))
    changes = {}
    for among in TAKEN.split():
        for value in ("huge", "immense", "negative", "nan", "null", "list", "up"):
            if value == "up" and among in ("white", "dark"):
                continue  # a study may name references in other folders
            changes[f"{among} {value}"] = mutations.json_change(
                lambda tree, rng, among=among, value=value: mutations.set_value(
                    tree, rng, mutations.VALUES[value], among
                ),
                sign,
            )
    leaves = mutations.npz_changes("area 0", marker)
    leaves |= {f"map {k}": c for k, c in mutations.npz_changes("map 0", marker).items()}
    moved = mutations.npz_changes("places", marker)
    moved |= {f"ids {k}": c for k, c in mutations.npz_changes("ids", marker).items()}
    arrays = all_fixed(
        {n: mutations.NPY[n] for n in ("shape huge", "type object", "deep")}
    )
    return [
        study("taken", target="S.dgc.json", changes=changes),
        study("taken's white", target="data/white.npy", changes=arrays, repeats=1),
        study("taken's dark", target="data/dark.npy", changes=arrays, repeats=1),
        Subject("areas", "taken", "S.dgc/leaves.npz", "leaves",
                ("{}/S.dgc/leaves.npz",), leaves),
        Subject("moved", "taken", "m_stability.npz", "moved",
                ("{}/m_stability.npz",), moved),
    ]  # fmt: skip


def resumed_changes() -> dict[str, Change]:
    """A training's state whose digest is right, and one whose is not."""
    import struct

    from mutations import VALUES, about_change, deep, open_tensors, set_value

    def resigned(alter: Callable[[Any, Any], Any]) -> Change:
        def change(content: bytes, rng: np.random.Generator) -> bytes:
            import hashlib
            import json

            from safetensors.numpy import load, save

            header, _ = open_tensors(content)
            tensors = load(content)
            about = json.loads(header["__metadata__"]["napari-dgc"])
            about.pop("digest")
            about = alter(about, rng) or about
            text = json.dumps(about, sort_keys=True)
            digest = hashlib.sha256(text.encode())
            names = {"float32": "torch.float32", "int64": "torch.int64",
                     "uint8": "torch.uint8", "float64": "torch.float64",
                     "bool": "torch.bool"}  # fmt: skip
            for name, array in sorted(tensors.items()):
                kind = names[array.dtype.name]
                digest.update(f"{name}{tuple(array.shape)}{kind}".encode())
                digest.update(array.tobytes())
            about["digest"] = digest.hexdigest()
            text = json.dumps(about, sort_keys=True)
            return save(tensors, {"napari-dgc": text})

        return change

    changes = {
        f"signed {name}": resigned(
            lambda tree, rng, value=value: set_value(tree, rng, value)
        )
        for name, value in VALUES.items()
    }
    changes |= {
        f"parts {number}": resigned(
            lambda tree, rng: {**tree, "parts": set_value(tree["parts"], rng, 7)}
        )
        for number in range(6)
    }
    changes["as it was"] = resigned(lambda tree, rng: None)
    changes["digest"] = about_change(lambda tree, rng: {**tree, "digest": "0"})
    changes["deep"] = about_change(lambda tree, rng: deep())
    changes["length"] = lambda content, rng: struct.pack("<Q", 2**40) + content[8:]
    return changes


def _hdf5_cases() -> Iterable[Case]:
    for name, make in formats.HDF5.items():
        yield Case(
            f"v73.mat: {name}",
            "arrays",
            lambda folder, outside, make=make: make(folder / "v73.mat", outside),
            "cli",
            ("info", "{}/v73.mat"),
        )


def all_cases(marker: Path, model: str) -> list[Case]:
    """Every case, in one order; `model` names the folder of the study's model."""
    cases = [*_hdf5_cases()]
    for subject in subjects(marker):
        target = subject.target.replace("{model}", model)
        cases += Subject(**{**vars(subject), "target": target}).cases()
    return cases


def choose(cases: list[Case], count: int, *, torch: bool) -> list[Case]:
    """Those that once hurt, and others that a seed picks, `count` in all."""
    cases = [case for case in cases if case.torch is torch]
    known = [case for case in cases if case.name in ONCE_HURT]
    others = [case for case in cases if case.name not in ONCE_HURT]
    more = max(0, min(count - len(known), len(others)))
    picked = np.random.default_rng(SEED).choice(len(others), more, replace=False)
    return known + [others[i] for i in sorted(picked.tolist())]


#: HDF5 opens files itself, unseen by Python: that these are refused is the proof.
REFUSED = tuple(
    f"v73.mat: {kind}"
    for kind in ("virtual", "external", "external system", "external endless")
)
#: What once hurt; opened in every run, whatever the seed picks.
ONCE_HURT = (
    "v73.mat: virtual",  # read other files
    "v73.mat: external",
    "v73.mat: external system",
    "v73.mat: external endless",
    "leafz.tif: ome",
    "study: path up",
    "v73.mat: bomb",  # ended the process
    "v73.mat: chunk bomb",
    "v73.mat: short chunk",
    "v73.mat: huge",  # sizes believed
    "v73.mat: huge plain",
    "leafz.tif: both huge",
    "labels l.tif: width huge",
    "map: length huge",
    "study's stats.npz: shape huge",
    "study's stats.npz: bomb",
    "leaves: shape huge",
    "v73.mat: nested",  # took long
    "bsq header: lines",
    "settings: dots",
    "recipe: pipe",  # never ended
    "recipe: endless",
    "study: pipe",
    "days: endless",
    "settings: endless",
    "study: path endless",
    "model: about deep",  # ended in an error of Python's own
    "model: NaN",
    "recipe: value list",
    "map: width zero",
    "map: tag type",
    "days: long cell",
    "settings: deep",
    "settings: digits",
    "leaves: about deep",
    "moved: shape huge",
    "taken: days immense",
    "study: path long",
    "study: path nul",
    "bsq header: samples 999999999999",  # said too much
    "bsq header: wavelength units \x1b[2J",
    "v5.mat: many axes",
    "trained model: double",
    "trained model: no band",
    "resumed: parts 0",
)
if find_spec("zarr") is not None:
    ONCE_HURT += (
        "leaf2.zarr .zarray: shape huge",
        "leaf2.zarr .zarray: shape large",
        "leaf3.zarr c/0/0/0: pipe",
        "leaf3.zarr zarr.json: value surrogate",
    )
