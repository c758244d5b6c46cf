"""Draw steps, valid and refused, for a study of a few clusters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from napari_dgc.merging import (
    ROLES,
    ClusterTree,
    Cut,
    Grouping,
    History,
    Merge,
    MergeError,
    Operation,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeOut,
    build_tree,
)

K = 9
Make = Callable[[Grouping], Operation]


def small_tree(k: int = K, seed: int = 0) -> ClusterTree:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 50, k)
    counts[:2] = 0, 30
    return build_tree(rng.random((k, 12)), counts, rng.normal(size=(k, 4)))


TREE = small_tree()

_ids = st.integers(0, K + 6)  # some of them never exist
_channel = st.integers(0, 255)


def _fixed(operation: Operation) -> Make:
    return lambda grouping: operation


def _cut(n: int) -> Make:
    return lambda grouping: TREE.cut(grouping, n)


def _merge_rows(rows: list[int]) -> Make:
    """Merge by place in the table, so that most drawn merges are valid."""

    def make(grouping: Grouping) -> Operation:
        ids = [grouping.ids[row % len(grouping.ids)] for row in rows]
        return Merge(tuple(ids[1:]), ids[0])

    return make


makers: st.SearchStrategy[Make] = st.one_of(
    st.builds(Merge, st.lists(_ids, max_size=3).map(tuple), _ids).map(_fixed),
    st.lists(st.integers(0, K), min_size=1, max_size=4).map(_merge_rows),
    st.builds(TakeOut, st.integers(0, K + 1)).map(_fixed),
    st.builds(Rename, _ids, st.sampled_from(["Lesion", "Blatt", "叶"])).map(_fixed),
    st.builds(Recolor, _ids, st.tuples(_channel, _channel, _channel)).map(_fixed),
    st.builds(SetRole, _ids, st.sampled_from([None, *ROLES])).map(_fixed),
    st.builds(SetLock, _ids, st.booleans()).map(_fixed),
    st.integers(0, K + 1).map(_cut),
)


def take(history: History, make: Make) -> bool:
    """Take a drawn step; whether it was recorded."""
    before = history.current
    try:
        operation = make(before)
        return history.do(operation).changed
    except MergeError as error:
        assert str(error)
        assert history.current is before
        return False


def is_cut(operation: Operation) -> bool:
    return isinstance(operation, Cut)
