"""Undo: a list of small values and an index into it."""

from __future__ import annotations

from collections.abc import Iterable

from napari_dgc.merging.grouping import Grouping, MergeError
from napari_dgc.merging.memory import Origin, remember
from napari_dgc.merging.operations import Change, apply
from napari_dgc.merging.splits import Split
from napari_dgc.merging.steps import Operation, Rename


class History:
    """All groupings there were, and which one counts now.

    Parameters
    ----------
    start : Grouping
        What no undo goes behind.

    Notes
    -----
    Unlimited: a step keeps some kilobytes (K small tuples), never pixels. A
    step taken after an undo drops what was undone, but the group ids given
    away there are not given away again.
    """

    def __init__(self, start: Grouping) -> None:
        self._start = start
        self._changes: list[Change] = []
        self._index = 0  # steps taken and not undone
        self._current = start
        # What `origins` told last, of how many steps and which was the last of them:
        # a slider asks at each position, and only the new steps are looked at.
        self._remembered: tuple[int, Change | None, dict[int, Origin]] = (0, None, {})

    @classmethod
    def replay(cls, start: Grouping, operations: Iterable[Operation]) -> History:
        """Take logged steps again, from the grouping they began with.

        Raises
        ------
        MergeError
            If one cannot be taken.
        """
        history = cls(start)
        for operation in operations:
            history.do(operation)
        return history

    @classmethod
    def restore(
        cls, start: Grouping, steps: Iterable[Operation], index: int, next_id: int
    ) -> History:
        """Make a history again of what was kept of it.

        Parameters
        ----------
        start : Grouping
        steps : iterable of Operation
            As `steps` gave them: those undone included.
        index : int
            How many of them count.
        next_id : int
            That of the current grouping: ids given away in steps that are on no
            record any more stay given away.

        Raises
        ------
        MergeError
            If a step cannot be taken (says which, counted from 1), changes nothing
            (a name may be what it is), or there are not `index` steps.
        """
        history = cls(start)
        number = 0
        for number, step in enumerate(steps, 1):
            try:
                change = history.do(step)
            except MergeError as error:
                raise MergeError(f"step {number} cannot be taken: {error}") from error
            if not change.changed and not isinstance(step, Rename):
                raise MergeError(f"step {number} changes nothing")
            if not change.changed:  # groups began with other names when it was taken
                history._record(change)
        if not 0 <= index <= number:
            raise MergeError(f"{index} of {number} steps are said to be taken")
        while history.index > index:
            history.undo()
        history.reserve(next_id)
        return history

    @property
    def start(self) -> Grouping:
        """The grouping before the first step."""
        return self._start

    @property
    def current(self) -> Grouping:
        """The grouping that counts now."""
        return self._current

    @property
    def base(self) -> Grouping:
        """The grouping before the last step, for `amend`; `start` before the first."""
        if not self.can_undo:
            return self._start
        before = self._changes[self._index - 1].before
        return before.keep_ids_from(self._current.next_id)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The steps that lead from `start` to `current`."""
        return tuple(change.operation for change in self._changes[: self._index])

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits among `operations`."""
        return tuple(o for o in self.operations if isinstance(o, Split))

    @property
    def steps(self) -> tuple[Operation, ...]:
        """All steps on record, those undone included."""
        return tuple(change.operation for change in self._changes)

    @property
    def index(self) -> int:
        """How many of `steps` count: taken and not undone."""
        return self._index

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to undo."""
        return self._index > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone step to take again."""
        return self._index < len(self._changes)

    @property
    def last(self) -> Change | None:
        """The step that `undo` would undo."""
        return self._changes[self._index - 1] if self.can_undo else None

    @property
    def next(self) -> Change | None:
        """The step that `redo` would take again."""
        return self._changes[self._index] if self.can_redo else None

    @property
    def undo_text(self) -> str:
        """What `undo` would undo, such as "merge 3 into 2"; "" for nothing."""
        return "" if self.last is None else self.last.text

    @property
    def redo_text(self) -> str:
        """What `redo` would take again; "" for nothing."""
        return "" if self.next is None else self.next.text

    def origins(self, *, amend: bool = False) -> dict[int, Origin]:
        """Where groups come from, for `ClusterTree.cut`; see `memory`.

        Parameters
        ----------
        amend : bool
            Leave the last step out: another one will take its place.
        """
        steps = self._changes[: self._index - amend]
        length, last, known = self._remembered
        if not (0 < length <= len(steps) and steps[length - 1] is last):
            length, known = 0, {}
        if length < len(steps):
            known = remember(steps[length:], known)
            self._remembered = len(steps), steps[-1], known
        return known

    def do(self, operation: Operation) -> Change:
        """Take a step.

        A step that alters nothing is not recorded (``change.changed`` is
        False), and what can be redone stays so.

        Raises
        ------
        MergeError
            If the step cannot be taken; then nothing has changed.
        """
        change = apply(self._current, operation)
        if change.changed:
            self._record(change)
        return change

    def _record(self, change: Change) -> None:
        self._changes[self._index :] = [change]
        self._index += 1
        self._current = change.after

    def amend(self, operation: Operation) -> Change:
        """Take another step in place of the last one.

        For a slider on the move: all its positions are one step to undo, each is
        cut from the grouping the slide began with (`base`), and so names and
        roles a coarse position hides are there again at a finer one.

        Parameters
        ----------
        operation : Operation
            A step on `base`.

        Returns
        -------
        Change
            From the grouping that counted until now; where the step comes to the
            same, the record stays as it is. Where the step alters nothing in
            `base`, the last step is gone from the record.

        Raises
        ------
        MergeError
            If there is no last step or the other cannot be taken in its place;
            then nothing has changed.
        """
        if not self.can_undo:
            raise MergeError("there is no step to put another one in place of")
        change = apply(self.base, operation)
        before = self._current
        if change.after == before:
            return Change(change.operation, before, before, change.text)
        self._index -= 1
        self._changes[self._index :] = [change] if change.changed else []
        self._index = len(self._changes)
        self._current = change.after.keep_ids_from(before.next_id)
        return Change(change.operation, before, self._current, change.text)

    def reserve(self, next_id: int) -> None:
        """Give no group id below `next_id` away from now on."""
        self._current = self._current.keep_ids_from(next_id)

    def undo(self) -> Change | None:
        """Go one step back.

        Returns
        -------
        Change or None
            From the grouping left to the one that counts again; its operation
            is the undone one, its text says "undo ...". None for no step.
        """
        if not self.can_undo:
            return None
        self._index -= 1
        undone = self._changes[self._index]
        return self._go_to(undone.before, undone.operation, f"undo {undone.text}")

    def redo(self) -> Change | None:
        """Take the step undone last again; None if there is none."""
        if not self.can_redo:
            return None
        again = self._changes[self._index]
        self._index += 1
        return self._go_to(again.after, again.operation, f"redo {again.text}")

    def _go_to(self, grouping: Grouping, operation: Operation, text: str) -> Change:
        before = self._current
        self._current = grouping.keep_ids_from(before.next_id)
        return Change(operation, before, self._current, text)
