"""What a right click on a row of the group table offers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QModelIndex
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QWidget

from napari_dgc.merging.grouping import ROLES, Group, Grouping, cluster_name
from napari_dgc.ui.group_model import GroupModel
from napari_dgc.ui.selection import Selection
from napari_dgc.ui.swatches import Swatches
from napari_dgc.ui.visibility import Visibility
from napari_dgc.ui.wording import word_clusters

SPLITS = (("Split in two", False), ("Split by pieces", True))
"""What splitting is called, and whether it is by connected pieces."""


class GroupMenu:
    """Fills menus for rows of groups and of clusters.

    Parameters
    ----------
    model : GroupModel
    selection : Selection
    visibility : Visibility
    """

    def __init__(
        self, model: GroupModel, selection: Selection, visibility: Visibility
    ) -> None:
        self._model = model
        self._selection = selection
        self._visibility = visibility
        self._swatches = Swatches()

    def for_group(
        self,
        parent: QWidget,
        group: Group,
        rename: Callable[[], object],
        choose_color: Callable[[], object],
    ) -> QMenu:
        """Build the menu of a group."""
        model, menu = self._model, QMenu(parent)
        others = tuple(sorted(self._selection.ids - {group.id}))
        merge = _add(
            menu,
            f"Merge the other selected groups into {group.name}",
            lambda: model.merge_wanted.emit(others, group.id),
        )
        merge.setEnabled(bool(others))
        guests = tuple(sorted(self._selection.members - set(group.clusters)))
        if guests:
            _add(
                menu,
                f"Move {word_clusters(guests)} into {group.name}",
                lambda: model.move_wanted.emit(guests, group.id),
            )
        menu.addSeparator()
        _add(menu, "Rename", rename)
        _add(menu, "Colour…", choose_color)
        self._add_roles(menu, group)
        _add(
            menu,
            "Unlock" if group.locked else "Lock",
            lambda: model.lock_wanted.emit(group.id, not group.locked),
        )
        menu.addSeparator()
        self._add_showing(menu, group)
        menu.addSeparator()
        if len(group.clusters) == 1:
            self._add_splitting(menu, group.value, group)
        self._add_taking_out(menu, group)
        return menu

    def for_member(self, parent: QWidget, index: QModelIndex) -> QMenu:
        """Build the menu of a cluster within a group; the selected ones come along."""
        model, menu = self._model, QMenu(parent)
        group, cluster = model.group_at(index), model.cluster_at(index)
        grouping = model.grouping
        if group is None or cluster is None or grouping is None:
            return menu
        chosen = self._selection.members
        clusters = tuple(sorted(chosen)) if cluster in chosen else (cluster,)
        what = word_clusters(clusters)
        _add(
            menu,
            f"Take {what} out of {self._homes(grouping, clusters)}",
            lambda: model.apart_wanted.emit(clusters),
        )
        targets = menu.addMenu(f"Move {what} into")
        for other in grouping.groups:
            if not set(clusters) <= set(other.clusters):
                action = _add(
                    targets,
                    other.name,
                    partial(model.move_wanted.emit, clusters, other.id),
                )
                action.setIcon(self._swatches[other.color])
                action.setEnabled(not other.locked)
        targets.setEnabled(not targets.isEmpty())
        if len(clusters) == 1:
            menu.addSeparator()
            self._add_splitting(menu, cluster, group)
        return menu

    def _homes(self, grouping: Grouping, clusters: tuple[int, ...]) -> str:
        homes = {grouping.group_of(cluster).name for cluster in clusters}
        return homes.pop() if len(homes) == 1 else "their groups"

    def _add_roles(self, menu: QMenu, group: Group) -> None:
        roles = menu.addMenu("Role")
        for role in (None, *ROLES):
            wish = partial(self._model.role_wanted.emit, group.id, role)
            action = _add(roles, role or "no role", wish)
            action.setCheckable(True)
            action.setChecked(role == group.role)

    def _add_showing(self, menu: QMenu, group: Group) -> None:
        visibility = self._visibility
        hidden, solo = group.id in visibility.resting, {group.id} == visibility.solo
        _add(menu, "Show" if hidden else "Hide", lambda: visibility.toggle(group.id))
        _add(
            menu,
            "End solo: show the others again" if solo else "Solo: show it alone",
            lambda: visibility.set_solo(() if solo else (group.id,)),
        )
        grouping = self._model.grouping
        if grouping is not None:
            alike = [g.id for g in grouping.groups if g.role == group.role]
            role = f"with the role {group.role}" if group.role else "without a role"
            _add(
                menu,
                f"Select all groups {role}",
                lambda: self._selection.set(alike),
            )

    def _add_splitting(self, menu: QMenu, cluster: int, group: Group) -> None:
        wanted = self._model.split_wanted
        for text, by_pieces in SPLITS:
            action = _add(menu, text, partial(wanted.emit, cluster, by_pieces))
            action.setEnabled(not group.locked)

    def _add_taking_out(self, menu: QMenu, group: Group) -> None:
        members = menu.addMenu("Take out")
        members.setEnabled(len(group.clusters) > 1 and not group.locked)
        wanted = self._model.apart_wanted
        for cluster in group.clusters:
            _add(
                members,
                cluster_name(cluster),
                partial(wanted.emit, (cluster,)),
            )
        members.addSeparator()
        _add(members, "All of them", lambda: wanted.emit(group.clusters))


def _add(menu: QMenu, text: str, wish: Callable[[], object]) -> QAction:
    action = menu.addAction(text.replace("&", "&&"))  # else Qt makes a key of it
    action.triggered.connect(lambda _=False: wish())
    return action
