"""New groups: an id never used, and a name and a colour no other group has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from napari_dgc.merging.grouping import Group, Grouping, MergeError, default_name
from napari_dgc.merging.palette import MAX_CLUSTER, Color, cluster_color


def check_new(grouping: Grouping, id: int) -> None:
    """Refuse, by MergeError, a group id that was given away before."""
    if id < grouping.next_id:
        raise MergeError(f"the group id {id} was given away before")


def new_group(
    id: int, atoms: tuple[tuple[int, ...], ...], others: Iterable[Group]
) -> Group:
    """Make a group with a name and a colour that no other group has."""
    others = list(others)
    clusters = sorted(cluster for atom in atoms for cluster in atom)
    names = {group.name for group in others}
    colors = {group.color for group in others}
    return Group(
        id,
        atoms,
        name=next(name for name in _names(clusters[0]) if name not in names),
        color=next(
            (color for color in own_colors(clusters) if color not in colors),
            cluster_color(clusters[0]),
        ),
    )


def _names(cluster: int) -> Iterator[str]:
    """Yield "Group 7", then "Group 7 (2)" and so on, should that be taken."""
    yield default_name(cluster)
    for number in range(2, MAX_CLUSTER + 2):
        yield f"{default_name(cluster)} ({number})"


def own_colors(clusters: Iterable[int]) -> Iterator[Color]:
    """Yield the clusters' own colours, then those of all others."""
    yield from map(cluster_color, clusters)
    yield from map(cluster_color, range(1, MAX_CLUSTER + 1))
