"""What the activation matrix says in words and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from napari_dgc.ui.activation_source import Matrix
from napari_dgc.ui.wording import word_clusters, word_names

RARE = "·"
"""A share too small to count as active."""


def word_share(share: float, active: bool) -> str:
    """Give a cell's number, in %; a dot for a trace, nothing for no pixel."""
    if not active:
        return RARE if share > 0 else ""
    percent = 100 * share
    return f"{percent:.1f}" if percent < 9.95 else f"{percent:.0f}"


def word_firing(matrix: Matrix, row: int) -> str:
    """Say beside a row's name in how many cubes it fires."""
    count, cubes = int(matrix.active[row].sum()), len(matrix.cubes)
    if not count:
        return "none"
    if count == cubes:
        return "all"
    return f"only {count} of {cubes}"


def explain_row(matrix: Matrix, row: int) -> str:
    """Say at length in which cubes a row fires."""
    head, firing = matrix.heads[row], matrix.firing(row)
    cubes, start = len(matrix.cubes), f"{_name(matrix, row)} fires in"
    if not firing:
        return f"{start} no cube: it has 0.1 % or less of each."
    if len(firing) == cubes:
        every = "the only cube" if cubes == 1 else f"all {cubes} cubes"
        return f"{start} {every}."
    role = f" Role: {head.role}." if head.role else ""
    return f"{start} {len(firing)} of {cubes} cubes only: {word_names(firing)}.{role}"


def explain_cell(matrix: Matrix, row: int, column: int) -> str:
    """Say a cell's number at length, and where else the row fires."""
    share, pixels = float(matrix.shares[row, column]), matrix.pixels(row, column)
    name, cube = _name(matrix, row), matrix.names[column]
    if not pixels:
        text = f"{name} has no pixel in {cube}."
    else:
        digits = 1 if share >= 1e-3 else 3
        text = f"{name}: {100 * share:.{digits}f} % of {cube} ({pixels:,} pixels"
        if not matrix.active[row, column]:
            text += ", too few to count as active"
        text += ")."
    count, cubes = int(matrix.active[row].sum()), len(matrix.cubes)
    return f"{text} It fires in {count} of {cubes} cube{'s' * (cubes != 1)}."


def explain_column(matrix: Matrix, column: int) -> str:
    """Say which cube a column is."""
    count = int(matrix.active[:, column].sum())
    return (
        f"{matrix.names[column]}: {count} of {len(matrix.heads)} rows fire in its "
        f"{matrix.valid[column]:,} valid pixels. Click to show it."
    )


def short_names(names: Sequence[str]) -> list[tuple[str, str]]:
    """Leave out of names what they share, word by word.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    list of tuple of two str
        Without what all begin and end with; and with nothing but the words in which
        they differ. Nothing is left out where a name would be nothing.
    """
    if len(names) < 2:
        return [(name, name) for name in names]
    words = [re.findall(r"[^\W_]+|[\W_]+", name) for name in names]
    shortest = min(map(len, words))
    start = _shared(words, shortest)
    end = _shared([w[::-1] for w in words], shortest - start)
    inner = [w[start : len(w) - end] for w in words]
    short = ["".join(w).strip(" _-.") for w in inner]
    if not all(short):
        return [(name, name) for name in names]
    if len({len(w) for w in inner}) > 1:
        return list(zip(short, short, strict=True))
    differing = [len(set(place)) > 1 for place in zip(*inner, strict=True)]
    shortest_names = [
        " ".join(word for word, differs in zip(w, differing, strict=True) if differs)
        for w in inner
    ]
    return list(zip(short, shortest_names, strict=True))


def _shared(words: Sequence[Sequence[str]], most: int) -> int:
    """How many words all begin with."""
    return next((i for i in range(most) if len({w[i] for w in words}) > 1), most)


def _name(matrix: Matrix, row: int) -> str:
    head = matrix.heads[row]
    if len(head.clusters) == 1:
        return head.name
    return f"{head.name} ({word_clusters(head.clusters)})"
