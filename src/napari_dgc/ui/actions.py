"""What the keys do: the other half of the table in `keys.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_dgc.ui.dock import ClusteringDock


def actions_of(dock: ClusteringDock) -> dict[str, Callable[[], object]]:
    """Give what each action of `keys.KEYS` does in a dock, by its name there."""
    return {
        "undo": dock.workspace.undo,
        "redo": dock.workspace.redo,
        "toggle_merging": dock.workspace.gestures.toggle_merging,
        "coarser": partial(dock.workspace.slide, dock.groups.granularity.step, -1),
        "finer": partial(dock.workspace.slide, dock.groups.granularity.step, 1),
        "leave": dock.leave,
        "next_suggestion": dock.groups.suggestions.pass_on,
        "previous_suggestion": dock.groups.suggestions.go_back,
        "accept_suggestion": dock.groups.suggestions.accept,
        "reject_suggestion": dock.groups.suggestions.reject,
        "previous_cube": partial(dock.cubes.step, -1),
        "next_cube": partial(dock.cubes.step, 1),
        "toggle_false_color": dock.workspace.colors.toggle,
        "toggle_hidden": dock.groups.tools.toggle_hidden,
        "toggle_solo": dock.groups.tools.toggle_solo,
        "toggle_blink": dock.groups.tools.toggle_blink,
        "take_out": dock.groups.take_out,
        "split_in_two": dock.groups.tools.split,
        "toggle_spectra": dock.spectra.toggle,
        "toggle_activation": dock.activation.toggle,
        "toggle_leaves": dock.leaves.toggle,
        "pin": dock.spectra.pin_here,
        "unpin_all": dock.spectra.pins.unpin_all,
        "save_study": dock.studies.save,
        "save_study_as": dock.studies.save_as,
        "show_keys": dock.show_keys,
    }
