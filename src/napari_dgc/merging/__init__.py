"""Navigable granularity: groups of clusters, their undo, tree, recipe and sums."""

from napari_dgc.merging.grouping import ROLES, Group, Grouping, MergeError, Role
from napari_dgc.merging.history import History
from napari_dgc.merging.operations import (
    Adopt,
    Change,
    Cut,
    Merge,
    Move,
    Operation,
    Part,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    TakeApart,
    TakeOut,
    apply,
    operation_from_json,
)
from napari_dgc.merging.palette import cluster_color
from napari_dgc.merging.recipe import Recipe
from napari_dgc.merging.splits import Centers, Pieces, Split
from napari_dgc.merging.statistics import (
    ClusterStatistics,
    GroupStatistics,
    StatisticsBuilder,
    group_statistics,
)
from napari_dgc.merging.tree import ClusterTree, build_tree

__all__ = [
    "ROLES",
    "Adopt",
    "Centers",
    "Change",
    "ClusterStatistics",
    "ClusterTree",
    "Cut",
    "Group",
    "GroupStatistics",
    "Grouping",
    "History",
    "Merge",
    "MergeError",
    "Move",
    "Operation",
    "Part",
    "Pieces",
    "Recipe",
    "Recolor",
    "Rename",
    "Role",
    "SetLock",
    "SetRole",
    "Split",
    "StatisticsBuilder",
    "TakeApart",
    "TakeOut",
    "apply",
    "build_tree",
    "cluster_color",
    "group_statistics",
    "operation_from_json",
]
