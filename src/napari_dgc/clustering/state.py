"""A training that can be gone on with: all of it, as one file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from napari_dgc.clustering.centroids import Rarity
from napari_dgc.clustering.config import Config
from napari_dgc.clustering.model import DAMAGED, Model
from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.files import write_whole

FORMAT = "napari-dgc training state"
FORMAT_VERSION = 1
_TENSOR = "tensor"  # in the JSON, {"tensor": name} stands for a tensor of the file


@dataclass(frozen=True, slots=True, eq=False)
class TrainingState:
    """All that it takes to go on with a training, on the CPU to the bit.

    Attributes
    ----------
    model : Model
        With the front-end, the clusters' description, the config and the
        cubes' fingerprints; the learned weights are among the `parts`.
    rarity : Rarity
    index : int
        Training steps done.
    valid_share : float
        See `Moments`.
    parts : mapping of str to Any
        What each part of the training gives as its state: mappings, nested
        at will, whose leaves are tensors or fit for JSON.
    source : str or pathlib.Path
        Where it came from, for messages.
    """

    model: Model
    rarity: Rarity
    index: int
    valid_share: float
    parts: Mapping[str, Any]
    source: str | Path = "the training state"

    @property
    def config(self) -> Config:
        """What the training was started with."""
        return self.model.config

    def require(self, config: Config, cubes: tuple[str, ...]) -> None:
        """Raise InputError unless this is a state of that very training.

        More steps than before are no other training: nothing in a step
        depends on how many will follow.

        Parameters
        ----------
        config : Config
        cubes : tuple of str
            Fingerprints, in order.
        """
        if cubes != self.model.cubes:
            same = sorted(cubes) == sorted(self.model.cubes)
            raise InputError(
                self.source,
                "it belongs to these cubes in another order"
                if same
                else "it belongs to other cubes",
                "give the cubes that the training was started with, or train anew",
            )
        for name in (field.name for field in fields(Config)):
            old, new = getattr(self.config, name), getattr(config, name)
            if name != "steps" and old != new:
                raise InputError(
                    self.source,
                    f"its training was started with {name} = {old}, not {new}",
                    f"leave {name} as it was, or train anew",
                )
        if config.steps < self.index:
            raise InputError(
                self.source,
                f"its training has done {self.index} steps, {config.steps} are wanted",
                f"ask for {self.index} or more, or train anew",
            )

    def save(self, path: str | Path, *, force: bool = True) -> None:
        """Write the state; the file appears whole or not at all.

        Equal states give equal bytes: all that is no tensor lies under one
        key, as JSON with sorted keys. A digest in it tells a damaged file.
        """
        tensors: dict[str, Tensor] = {}
        meta, arrays = self.model.parts()
        rarity = {"coarse": self.rarity.coarse, "weights": self.rarity.weights}
        tree = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "index": self.index,
            "valid_share": self.valid_share,
            "model": {
                "meta": meta,
                "arrays": {name: torch.from_numpy(a) for name, a in arrays.items()},
            },
            "rarity": rarity,
            "parts": self.parts,
        }
        content = _detach(tree, "", tensors)
        content["digest"] = _digest(content, tensors)
        text = json.dumps(content, sort_keys=True)
        data = save(tensors, {"napari-dgc": text})
        write_whole(path, lambda file: file.write(data), force=force)

    @classmethod
    def load(cls, path: str | Path) -> TrainingState:
        """Read a state.

        Raises
        ------
        InputError
            If the file is missing, damaged, no state of ours, or written by
            another version.
        """
        path = Path(path)
        if not path.is_file():
            raise InputError(
                path, "there is no such training to go on with", "train without it"
            )
        try:
            with safe_open(path, framework="pt") as file:
                content = json.loads((file.metadata() or {})["napari-dgc"])
                # Copies: what is computed must not depend on where a file put it.
                tensors = {n: file.get_tensor(n).clone() for n in file.keys()}  # noqa: SIM118
            if content["format"] != FORMAT:
                raise ValueError("some other file")
            if content["version"] != FORMAT_VERSION:
                raise InputError(
                    path,
                    "it was written by another version of napari-dgc",
                    "go on with that version, or train anew",
                )
            if content.pop("digest") != _digest(content, tensors):
                raise ValueError("it is not what was written")
            tree = _attach(content, tensors)
            arrays = {n: t.numpy() for n, t in tree["model"]["arrays"].items()}
            return cls(
                model=Model.from_parts(tree["model"]["meta"], arrays),
                rarity=Rarity(**tree["rarity"]),
                index=tree["index"],
                valid_share=tree["valid_share"],
                parts=tree["parts"],
                source=path,
            )
        except InputError:
            raise
        except (SafetensorError, *DAMAGED) as error:
            raise _damaged(path) from error

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Turn what its `parts` make Python raise inside into one `InputError`.

        A digest that is right tells that it is what was written, not by whom.
        """
        try:
            yield
        except InputError:
            raise
        except (RuntimeError, *DAMAGED) as error:
            raise _damaged(self.source) from error


def _damaged(source: str | Path) -> InputError:
    return InputError(
        source, "it is no training state of napari-dgc, or it is damaged", "train anew"
    )


def _detach(tree: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """Move the tensors of a tree into `tensors`, each under its path."""
    if isinstance(tree, Tensor):
        tensors[path] = tree.detach().cpu().contiguous()
        return {_TENSOR: path}
    if isinstance(tree, Mapping):
        prefix = f"{path}/" if path else ""
        return {k: _detach(v, f"{prefix}{k}", tensors) for k, v in tree.items()}
    return tree


def _attach(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Put the tensors of a file back into their tree."""
    if not isinstance(tree, dict):
        return tree
    if set(tree) == {_TENSOR}:
        return tensors[tree[_TENSOR]]
    return {key: _attach(value, tensors) for key, value in tree.items()}


def _digest(content: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
