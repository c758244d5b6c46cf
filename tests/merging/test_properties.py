"""Random steps on a grouping: after each one, the slow way on pixels agrees.

The usual run takes some 500 steps. The full tier takes 10,000 (some minutes)::

    NAPARI_DGC_FULL=1 python -m pytest tests/merging/test_properties.py -q

A failure says number of clusters, seed and step. Steps are drawn from these alone,
so the test of that name (``-k K16-seed3``, with the same tier) takes them again.
What they are compared with is in `pixel_model`; `ROUND_TRIPS` is where saving and
reloading comes in between.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pixel_cut import expected_cut
from pixel_model import ALL_COLORS, PixelModel, RefusedError, State
from pixel_scene import SPARE, Scene, check_change, check_statistics, make_scene

from napari_dgc.merging import (
    ROLES,
    Adopt,
    Centers,
    ClusterStatistics,
    Cut,
    Grouping,
    History,
    Merge,
    MergeError,
    Move,
    Operation,
    Pieces,
    Recipe,
    Recolor,
    Rename,
    SetLock,
    SetRole,
    Split,
    TakeApart,
    TakeOut,
    operation_from_json,
)
from napari_dgc.merging.fitting import fitting_color
from napari_dgc.merging.refining import choose_pieces, divide, fold_lut, mask_digest
from napari_dgc.merging.split_tree import with_splits
from napari_dgc.merging.splits import free_ids

FULL = os.environ.get("NAPARI_DGC_FULL") == "1"
SEEDS, STEPS = (4, 500) if FULL else (2, 50)

NAMES = ["Lesion", "Blatt", "叶", "Group 1", "Cluster 1", "Group 2 (2)", "x" * 60]

KINDS = {
    "merge": 18, "take out": 7, "take apart": 6, "move": 9, "rename": 4,
    "recolor": 4, "set role": 4, "set lock": 4, "cut": 8, "amend": 7, "adopt": 5,
    "split": 7, "undo": 9, "redo": 8,
}  # fmt: skip
"""How often each kind of step is drawn, in a hundred."""


def _written_and_read(history: History, scene: Scene, folder: Path) -> History:
    """As a study does it: steps, their number that count, and the next id."""
    log = folder / "log.json"
    log.write_text(json.dumps([step.to_json() for step in history.steps]), "utf-8")
    steps = [operation_from_json(one) for one in json.loads(log.read_text("utf-8"))]
    next_id = history.current.next_id
    return History.restore(history.start, steps, history.index, next_id)


ROUND_TRIPS: list[Callable[[History, Scene, Path], History]] = [_written_and_read]
"""What may come between two steps and make no difference: save and reload.

Each gives the history to go on with; the path is a new folder.
"""


class Run:
    """A history, and beside it the model on pixels."""

    def __init__(self, k: int, seed: int, folder: Path) -> None:
        self.rng = np.random.default_rng([k, seed])
        self.scene = make_scene(k, self.rng, gaps=seed % 2 == 1)
        self.history = History(Grouping.start(self.scene.ids))
        self.maps = RefinedMaps(self.scene)
        self.model = PixelModel(
            self.scene.clusters,
            self.scene.maps[0].shape,
            self.scene.embedding,
            SPARE,
        )
        self.recipes = [self.scene.recipe(self.history.current)]
        self.last_cut: Cut | None = None
        self.folder = folder
        self.steps, self.said = 0, "no step yet"

    def step(self) -> None:
        """Take one step on both sides, and compare all there is."""
        self.steps, self.said = self.steps + 1, "draw a step"
        kind = str(self.rng.choice(list(KINDS), p=np.array([*KINDS.values()]) / 100))
        if kind in ("undo", "redo"):
            for _ in range(int(self.rng.integers(1, 5))):
                self.go(kind)
        else:
            self.take(kind)
        if ROUND_TRIPS and self.chance(0.05):
            folder = self.folder / str(len(list(self.folder.iterdir())))
            folder.mkdir()
            trip = self.one_of(ROUND_TRIPS)
            self.history = trip(self.history, self.scene, folder)
        self.check()
        if self.chance(0.1):
            self.check_log()

    # -- drawing ------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def one_of(self, items):
        return items[int(self.rng.integers(len(items)))]

    def a_group(self, state: State) -> int:
        """Draw a group that is there, mostly."""
        if self.chance(0.95):
            return self.one_of(state.order)
        return int(self.rng.integers(self.model.highest + 4))

    def draw(self, kind: str, grouping: Grouping, state: State) -> Operation:
        match kind:
            case "merge":
                return self.draw_merge(state)
            case "take out":
                return self.draw_take_out(state)
            case "take apart":
                clusters, ids = self.some_clusters(state), None
                if self.chance(0.2):
                    ids = range(self.model.highest + 1, self.model.highest + 4)
                return TakeApart(clusters, None if ids is None else tuple(ids))
            case "move":
                return Move(self.some_clusters(state), self.a_group(state))
            case "rename":
                return Rename(self.a_group(state), self.one_of(NAMES))
            case "recolor":
                color = bytes.fromhex(self.one_of(ALL_COLORS[:20])[1:])
                return Recolor(self.a_group(state), tuple(color))
            case "set role":
                group, role = self.a_group(state), self.one_of([None, *ROLES])
                if group in grouping and self.chance(0.8):
                    color = fitting_color(grouping, group, role)
                    return SetRole(group, role, color)
                return SetRole(group, role)
            case "set lock":
                return SetLock(self.a_group(state), self.chance(0.6))
            case "cut":
                return self.draw_cut(grouping, state)
            case "split":
                return self.draw_split(grouping, state)
        # The first one, all apart, keeps later steps from being about few groups.
        text = self.recipes[0] if self.chance(0.5) else self.one_of(self.recipes)
        alike = [one for one in self.recipes if self.is_split_alike(one)]
        if alike and self.chance(0.9):
            text = self.one_of(alike)
        groups = self.scene.adopted(text).groups
        if self.chance(0.15):  # clusters missing, or a group twice
            groups = groups[1:] if self.chance(0.5) else (*groups, groups[0])
        return Adopt(groups)

    def draw_merge(self, state: State) -> Merge:
        free = [id for id in state.order if not state.locked[id]]
        number = min(1 + int(self.rng.geometric(0.6)), len(free))
        if number < 2 or self.chance(0.1):
            number = int(self.rng.integers(1, 4))
            target, *sources = [self.a_group(state) for _ in range(number)]
        else:
            target, *sources = self.rng.choice(free, number, replace=False)
        return Merge(tuple(sources), target)

    def draw_take_out(self, state: State) -> TakeOut:
        held = [self.model.clusters_of(state, id) for id in state.order]
        shared = [c for clusters in held for c in clusters if len(clusters) > 1]
        if shared and self.chance(0.9):
            cluster = self.one_of(shared)
        else:
            cluster = int(self.rng.integers(max(state.ids) + 2))
        new = self.model.highest + int(self.rng.integers(-2, 4))
        return TakeOut(cluster, new if self.chance(0.2) else None)

    def some_clusters(self, state: State) -> tuple[int, ...]:
        """Some of one group's, some of any; now and then one that is nowhere."""
        pool = self.model.clusters_of(state, self.one_of(state.order))
        pool = [*pool, *self.model.ids] if self.chance(0.3) else pool
        number = int(self.rng.integers(0 if self.chance(0.1) else 1, 5))
        drawn = [self.one_of(pool) for _ in range(number)]
        return tuple(drawn) if self.chance(0.95) else (*drawn, 255)

    def draw_split(self, grouping: Grouping, state: State) -> Split:
        """In two, three or four by centres, or by pieces on the first map."""
        cluster = self.one_of(state.ids)
        parts = free_ids(grouping.clusters, int(self.rng.integers(1, 4)))
        if self.chance(0.1):
            cluster, parts = int(self.rng.integers(1, 256)), (max(state.ids),)
        mask = self.maps.shown[0] == cluster
        sizes, keeps = choose_pieces(mask)
        if cluster in parts or not sizes.size or self.chance(0.5):
            turns = self.rng.random(len(parts) + 1) * 2 * np.pi
            rows = zip(np.cos(turns).tolist(), np.sin(turns).tolist(), strict=True)
            rule = Centers(tuple(rows))
        else:
            parts = free_ids(grouping.clusters, min(3, len(sizes)))
            rule = Pieces("first", mask_digest(mask), keeps)
        if cluster in parts:  # which no study asks for
            cluster = next(id for id in range(1, 256) if id not in parts)
        draft = Split(cluster, parts, (0,) * (len(parts) + 1), rule)
        after = np.concatenate([one.ravel() for one in self.maps.refined(draft)])
        return replace(draft, pixels=tuple(int((after == i).sum()) for i in draft.ids))

    def is_split_alike(self, text: str) -> bool:
        """Whether a recipe splits the clusters that are split now."""
        splits = json.loads(text).get("splits", [])
        now = json.loads(self.recipe())
        return splits == now.get("splits", [])

    def recipe(self) -> str:
        return self.scene.recipe(self.history.current, self.history.splits)

    def draw_cut(self, grouping: Grouping, state: State) -> Cut:
        if self.last_cut is not None and self.chance(0.15):
            return self.last_cut  # made for another grouping, mostly
        splits = [s for s in self.history.splits if set(s.ids) <= set(state.ids)]
        tree = with_splits(self.scene.tree, splits)
        most = self.one_of([len(state.order), len(state.ids)]) + 2
        n = int(self.rng.integers(most))
        if n == 0:
            with pytest.raises(MergeError, match="1 or more"):
                tree.cut(grouping, n)
            return Cut(0, ())
        cut = tree.cut(grouping, n)
        expected = expected_cut(self.model, state, tree, n, self.scene.is_data)
        atoms = [[list(atom) for atom in part.atoms] for part in cut.parts]
        assert atoms == [wanted for _, wanted in expected], f"cut at {n}"
        for part, (keeper, _) in zip(cut.parts, expected, strict=True):
            assert part.group == keeper or (
                keeper is None and part.group > self.model.highest
            ), f"cut at {n}: {keeper} became {part.group}"
        self.last_cut = cut
        return cut

    # -- steps ----------------------------------------------------------------

    def take(self, kind: str) -> None:
        """Draw a step and take it on both sides."""
        history, model = self.history, self.model
        amends = kind == "amend" and bool(model.past)
        if kind == "amend":  # a slider on the move, mostly
            kind = "cut" if self.chance(0.8) else "merge"
        base, state = history.current, model.state
        if amends:
            base, state = history.base, model.past[-1]
        operation = self.draw(kind, base, state)
        self.said = f"{'amend' if amends else 'do'} {operation}"
        if self.takes(operation, base, amends=amends) and kind != "adopt":
            check_locks(base, history.current, operation)

    def takes(self, operation: Operation, base: Grouping, *, amends: bool) -> bool:
        """Take a step, or, both agreeing, refuse it; whether it is in the log."""
        history, model = self.history, self.model
        ours, theirs = history.do, model.do
        if amends:
            ours, theirs = history.amend, model.amend
        shown, left, log, can_redo = (
            history.current, model.state, history.operations, history.can_redo
        )  # fmt: skip
        try:
            change = ours(reread(operation))
        except MergeError:
            with pytest.raises(RefusedError):
                theirs(operation.to_json(), {})
            assert history.current is shown
            assert (history.operations, history.can_redo) == (log, can_redo)
            return False
        told = reread(change.operation)
        self.maps.follow(history)
        recorded = theirs(operation.to_json(), told.to_json())
        kept = log[:-1] if amends and change.changed else log
        assert history.operations == ((*kept, told) if recorded else kept)
        check_change(change, model, left)
        if recorded:  # read back, it says all that there is to say
            assert History.replay(base, [told]).current == history.current
        return recorded

    def go(self, kind: str) -> None:
        """Undo or redo."""
        history, model = self.history, self.model
        self.said, left, shown = kind, model.state, history.current
        change = history.undo() if kind == "undo" else history.redo()
        if change is None:
            assert not (model.past if kind == "undo" else model.future)
            assert history.current is shown
            return
        _ = model.undo() if kind == "undo" else model.redo()
        self.maps.follow(history)
        check_change(change, model, left)

    # -- comparing ------------------------------------------------------------

    def check(self) -> None:
        """Compare the grouping, the maps and the sums with the pixels."""
        grouping, model, state = self.history.current, self.model, self.model.state
        assert self.history.can_undo == bool(model.past)
        assert self.history.can_redo == bool(model.future)
        assert grouping.ids == tuple(state.order)
        assert grouping.next_id > model.highest
        for group in grouping.groups:
            id = group.id
            assert group.name == state.names[id]
            assert f"#{bytes(group.color).hex()}" == state.colors[id]
            assert group.role == state.roles[id]
            assert group.locked == state.locked[id]
            assert list(group.clusters) == model.clusters_of(state, id)
            assert list(map(list, group.atoms)) == model.atoms_of(state, id)
            assert grouping.by_value(min(group.clusters)) is group
        lut = grouping.lut()
        assert (lut.dtype, lut.shape) == (np.uint8, (256,))
        assert not lut[~np.isin(np.arange(256), state.ids)].any()
        shown = np.concatenate([one.ravel() for one in self.maps.shown])
        np.testing.assert_array_equal(shown, state.clusters[: len(shown)])
        np.testing.assert_array_equal(lut[shown], model.painted()[: len(shown)])
        np.testing.assert_array_equal(lut[state.clusters], model.painted())
        check_statistics(self.scene, self.maps.statistics, grouping, state)

    def check_log(self) -> None:
        """Replay the log from the start, and the recipe; keep the recipe."""
        history = self.history
        log = json.loads(json.dumps([s.to_json() for s in history.operations]))
        again = History.replay(history.start, map(operation_from_json, log))
        assert again.current == history.current
        assert again.operations == history.operations
        text = self.recipe()
        adopted = self.scene.adopted(text)
        assert adopted == history.current
        assert adopted.next_id == history.current.next_id
        splits = Recipe.from_json(json.loads(text)).splits
        afresh = History.replay(history.start, [*splits, Adopt(adopted.groups)])
        np.testing.assert_array_equal(afresh.current.lut(), history.current.lut())
        self.recipes = [*self.recipes[:1], *self.recipes[1:][-4:], text]


class RefinedMaps:
    """The maps as the product has them: the finest, and what is shown of it."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._finest = list(scene.maps)
        self._on_record: tuple[Split, ...] = ()
        self._sums: tuple[bytes, ClusterStatistics] = b"", scene.statistics
        self.shown = list(scene.maps)

    def follow(self, history: History) -> None:
        """Forget splits that are on no record any more, refine by a new one."""
        on_record = tuple(s for s in history.steps if isinstance(s, Split))
        gone = fold_lut(s for s in self._on_record if s not in on_record)
        self._finest = [np.take(gone, one) for one in self._finest]
        for split in on_record:
            if split not in self._on_record:  # a new step: none is undone
                self.shown = list(self._finest)
                self._finest = self.refined(split)
        self._on_record = on_record
        undone = fold_lut(on_record[len(history.splits) :])
        self.shown = [np.take(undone, one) for one in self._finest]

    def refined(self, split: Split) -> list[np.ndarray]:
        """The maps shown, refined once more."""
        if isinstance(split.rule, Pieces):
            refined = divide(self.shown[0], split)
            assert refined is not None
            return [refined, *self.shown[1:]]
        start, maps = 0, []
        for clusters in self.shown:
            vectors = self._scene.embedding[start : start + clusters.size]
            start += clusters.size
            nearest = (vectors @ np.array(split.rule.values).T).argmax(axis=1)
            ids = np.array(split.ids, np.uint8)[nearest].reshape(clusters.shape)
            maps.append(np.where(clusters == split.cluster, ids, clusters))
        return maps

    @property
    def statistics(self) -> ClusterStatistics:
        """Sums over the maps shown."""
        key = b"".join(one.tobytes() for one in self.shown)
        parts = [part for split in self._on_record for part in split.parts]
        highest = max(*self._scene.ids, *parts) if parts else max(self._scene.ids)
        if key != self._sums[0] or highest >= len(self._sums[1].count):
            self._sums = key, self._scene.sums(self.shown, highest)
        return self._sums[1]


def reread(operation: Operation) -> Operation:
    """Send a step through JSON."""
    back = operation_from_json(json.loads(json.dumps(operation.to_json())))
    assert back == operation
    return back


def check_locks(before: Grouping, after: Grouping, step: Operation) -> None:
    """See that a locked group holds what it held, and is as it was."""
    for group in before.groups:
        if group.locked:
            now = after.group(group.id)
            assert now.atoms == group.atoms
            assert now == group or group.id == getattr(step, "group", None)


@pytest.mark.parametrize("seed", range(SEEDS), ids="seed{}".format)
@pytest.mark.parametrize("k", [2, 5, 16, 64, 128], ids="K{}".format)
def test_any_steps_do_what_pixels_say(k: int, seed: int, tmp_path: Path) -> None:
    run = Run(k, seed, tmp_path)
    try:
        run.check()
        for _ in range(STEPS):
            run.step()
    except BaseException as error:  # pytest's failures are no Exceptions
        error.add_note(f"K = {k}, seed {seed}, step {run.steps}: {run.said[:300]}")
        raise
