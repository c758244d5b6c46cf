"""The table and the picture of quality.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import records

# key: title, format, whether low is good
COLUMNS = {
    "merge_seen": ("best merge, seen", ".3f", False),
    "merge_unseen": ("best merge, unseen", ".3f", False),
    "carried": ("seen merge, unseen", ".3f", False),
    "tissue_seen": ("tissue at 2, seen", ".3f", False),
    "tissue_unseen": ("tissue at 2, unseen", ".3f", False),
    "lesion4_seen": ("lesion at 4, seen", ".3f", False),
    "lesion6_seen": ("lesion at 6, seen", ".3f", False),
    "active": ("active", ".0f", False),
    "off": ("off (largest)", ".2%", True),
    "on": ("on (smallest)", ".2%", False),
    "seconds": ("seconds", ".1f", True),
    "megabytes": ("MB", ".0f", True),
}
REAL_COLUMNS = {
    "mean_iou": ("mean IoU", ".3f", False),
    "ari": ("ARI of two seeds", ".3f", False),
    "active": ("active", ".0f", False),
    "seconds": ("seconds", ".1f", True),
    "megabytes": ("MB", ".0f", True),
}


def summarise(
    results: Sequence[Mapping[str, Any]], columns: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One line per family, K and row: the spread of every column."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for record in results:
        title = record["row"]
        if record["steps"]:
            title += f", {record['steps']} steps"
        groups.setdefault((record["family"], record["k"], title), []).append(record)
    lines = []
    for (family, k, title), some in groups.items():
        line = {"family": family, "k": k, "row": title}
        for key, (_, _, low) in columns.items():
            values = [record["result"].get(key) for record in some]
            line[key] = records.spread(values, low_is_good=low)
        lines.append(line)
    return lines


def tell(lines: Sequence[Mapping[str, Any]], columns: Mapping[str, Any]) -> str:
    """The table; columns that nothing fills are left out."""
    used = {key: c for key, c in columns.items() if any(line[key] for line in lines)}
    rows = [
        [line["family"], str(line["k"] or "–"), line["row"]]
        + [records.cell(line[key], form) for key, (_, form, _) in used.items()]
        for line in lines
    ]
    header = ["family", "K", "row", *(title for title, _, _ in used.values())]
    return records.markdown(header, rows)


def draw(lines: Sequence[Mapping[str, Any]], path: Path) -> None:
    """One panel per score; whiskers from the worst seed to the best."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    places = list(dict.fromkeys((line["family"], line["k"] or 16) for line in lines))
    names = list(dict.fromkeys(line["row"] for line in lines))
    keys = [key for key in COLUMNS if any(line[key] for line in lines)]
    down = -(-len(keys) // 2)
    figure, axes = plt.subplots(
        down,
        2,
        figsize=(max(12, 3 + 1.1 * len(places)), 2.6 * down + 1),
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat[len(keys) :]:
        axis.set_axis_off()
    for axis, key in zip(axes.flat, keys, strict=False):
        for at, name in enumerate(names):
            some = [line for line in lines if line["row"] == name and line[key]]
            shift = (at - (len(names) - 1) / 2) * 0.8 / len(names)
            x = [places.index((s["family"], s["k"] or 16)) + shift for s in some]
            mean = np.array([s[key]["mean"] for s in some])
            ends = np.sort([[s[key]["worst"], s[key]["best"]] for s in some], axis=-1)
            if len(some):
                # Means of equal values may lie a rounding error outside them.
                bars = np.maximum([mean - ends[:, 0], ends[:, 1] - mean], 0)
                axis.errorbar(
                    x, mean, bars, fmt="o", ms=4, lw=1, color=f"C{at}", label=name
                )
        axis.set_ylabel(COLUMNS[key][0])
        axis.grid(axis="y", alpha=0.3)
        if key in ("seconds", "megabytes"):
            axis.set_yscale("log")
    labels = [family + ("" if k == 16 else f", K = {k}") for family, k in places]
    for axis in axes[-1]:
        axis.set_xticks(range(len(places)), labels, rotation=35, ha="right")
    handles = {}
    for axis in axes.flat:
        for handle, name in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=6)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)
