"""Label tensors: what torch.save wrote, and what only looks like it."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_dgc.clustering.tensors import read_label_tensor, write_tensor
from napari_dgc.cubes.errors import InputError

SHAPE = (4, 5)
LABELS = np.arange(20).reshape(SHAPE) % 3


def refused(path: Path, says: str, shape: tuple[int, int] = SHAPE) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_label_tensor(path, shape)
    line = str(caught.value)
    assert str(path) in line
    assert "\n" not in line
    assert "weights_only=False" not in line, "torch's advice is to trust the file"


@pytest.mark.parametrize(
    "dtype",
    [torch.uint8, torch.int8, torch.int64, torch.uint16, torch.float32, torch.float16],
)
def test_tensors_of_any_plain_number_are_read(tmp_path: Path, dtype) -> None:
    path = tmp_path / "a.pth"
    torch.save(torch.from_numpy(LABELS).to(dtype), path)
    np.testing.assert_array_equal(read_label_tensor(path, SHAPE), LABELS)


def test_masks_parameters_and_views_are_tensors_too(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save(torch.from_numpy(LABELS > 0), path)
    np.testing.assert_array_equal(read_label_tensor(path, SHAPE), LABELS > 0)
    torch.save(torch.nn.Parameter(torch.from_numpy(LABELS).float()), path)
    np.testing.assert_array_equal(read_label_tensor(path, SHAPE), LABELS)
    torch.save(torch.from_numpy(LABELS.T.copy()).T, path)
    np.testing.assert_array_equal(read_label_tensor(path, SHAPE), LABELS)


def test_maps_written_here_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    write_tensor(path, LABELS.astype(np.uint8))
    np.testing.assert_array_equal(read_label_tensor(path, SHAPE), LABELS)


class Trap:
    """Makes a folder when it is unpickled by anybody who runs pickles."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    path, place = tmp_path / "a.pth", tmp_path / "sprung"
    torch.save(Trap(place), path)
    refused(path, "more than tensors")
    torch.save(Trap(place), path, _use_new_zipfile_serialization=False)
    refused(path, r"no tensor file of torch 1\.6")
    path.write_bytes(pickle.dumps(Trap(place)))
    refused(path, r"no tensor file of torch 1\.6")
    assert not place.exists()
    torch.load(_saved(Trap(place)), weights_only=False)
    assert place.exists(), "the trap is one"


def _saved(value: object) -> io.BytesIO:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"labels": torch.zeros(4, 5)}, "holds a dict, no tensor"),
        ([torch.zeros(4, 5)], "holds a list, no tensor"),
        ("labels", "holds a str, no tensor"),
        (torch.zeros(1, 4, 5), "tensor of 3 dimensions .*save it as 4 x 5"),
        (torch.zeros(20), "tensor of 1 dimensions"),
        (torch.tensor(1), "tensor of 0 dimensions"),
        (torch.zeros(5, 4), "is 5 x 4 pixels, the cube has 4 x 5"),
        (torch.zeros(4, 5, dtype=torch.complex64), "complex64"),
        (torch.zeros(4, 5, dtype=torch.bfloat16), "bfloat16"),
        (torch.zeros(4, 5).to_sparse(), "sparse_coo"),
        (torch.zeros(4, 5, device="meta"), "without values"),
    ],
)
def test_anything_but_one_plain_map_is_refused(tmp_path: Path, value, says) -> None:
    torch.save(value, tmp_path / "a.pth")
    refused(tmp_path / "a.pth", says)


def test_files_cut_short_are_refused_wherever_they_end(tmp_path: Path) -> None:
    whole = _saved(torch.from_numpy(LABELS)).getvalue()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "a.pth").write_bytes(whole[:size])
        refused(tmp_path / "a.pth", "cut short")


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    whole = _saved(torch.from_numpy(LABELS)).getvalue()
    rng = np.random.default_rng(0)
    path, read = tmp_path / "a.pth", 0
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 8):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            assert read_label_tensor(path, SHAPE).shape == SHAPE
            read += 1
        except InputError:
            continue
    assert read < 60


def test_sizes_are_checked_before_anything_is_allocated(tmp_path: Path) -> None:
    path, far = tmp_path / "a.pth", 10**7
    # 700 TB as NumPy would copy it, a kilobyte on disk.
    torch.save(torch.zeros(1, 1, dtype=torch.int64).expand(far, far), path)
    refused(path, "10000000 x 10000000 pixels, the cube has 4 x 5")
    # A storage that claims more than the file holds.
    _rewrite(_saved(torch.zeros(4, 5)), path, claim=True)
    refused(path, "damaged")
    # A packed archive, which could unfold to anything.
    _rewrite(_saved(torch.zeros(4, 5)), path, packing=zipfile.ZIP_DEFLATED)
    refused(path, "packed")


def _rewrite(
    saved: io.BytesIO,
    path: Path,
    *,
    claim: bool = False,
    packing: int = zipfile.ZIP_STORED,
) -> None:
    """Copy an archive, its storage said to be of 2**30 floats, or packed."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w", packing) as new:
        for part in old.infolist():
            data = old.read(part)
            if claim and part.filename.endswith("data.pkl"):
                # BININT1 20, the number of values, becomes a BININT.
                assert data.count(b"K\x14t") == 1
                data = data.replace(
                    b"K\x14t", b"J" + (2**30).to_bytes(4, "little") + b"t"
                )
            new.writestr(part.filename, data)
