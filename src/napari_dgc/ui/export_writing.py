"""What Export writes: maps and the report; all of it appears, or none."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from napari_dgc.cubes.errors import InputError
from napari_dgc.cubes.georeference import pixel_area
from napari_dgc.cubes.staging import staged
from napari_dgc.reports.severity import TISSUE
from napari_dgc.study import Study
from napari_dgc.study.exports import Export
from napari_dgc.study.mapping import Progress
from napari_dgc.study.reporting.reporting import Report
from napari_dgc.ui.wording import word_names

_LONGEST = 38  # letters that fit into the dock
_OLD_LEAVES = "Roles have changed since the leaves were found: find them again."


@dataclass(frozen=True, slots=True)
class Written:
    """What came of an export.

    Attributes
    ----------
    paths : tuple of pathlib.Path
    severity : str
        What the table says, in words; "" where none was written.
    notice : str
        Something the user should know of it; mostly empty.
    """

    paths: tuple[Path, ...]
    severity: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The report of a study as it is now, as `napari-dgc report` writes it.

    Attributes
    ----------
    report : Report
    notice : str
        What is to be said of the leaves; mostly empty.
    """

    report: Report
    notice: str

    @classmethod
    def of(cls, study: Study) -> Tables:
        """Take what the study holds now.

        Raises
        ------
        InputError
            If there is no map.
        """
        leaves = study.leaves
        stale = leaves is not None and leaves.is_stale(study)
        return cls(Report.of(study), _OLD_LEAVES if stale else "")


class ExportRun:
    """Maps, tables or both into one folder; made on the screen's thread.

    Parameters
    ----------
    folder : pathlib.Path
        Made if missing.
    export : Export, optional
        Maps and masks; its own folder is of no matter.
    tables : Tables, optional

    Attributes
    ----------
    written : Written or None
        Set when all files are in place.
    """

    def __init__(
        self, folder: Path, export: Export | None, tables: Tables | None
    ) -> None:
        self.folder = folder
        self._export = export
        self._tables = tables
        self._notice = ""
        self.written: Written | None = None

    def paths(self) -> list[Path]:
        """Every file that will be written."""
        paths: list[Path] = []
        if self._export is not None:
            paths += replace(self._export, folder=self.folder).paths()
        if self._tables is not None:
            paths += self._tables.report.paths(self.folder)
        return paths

    def existing(self) -> list[Path]:
        """Those of them that are there already."""
        return [path for path in self.paths() if path.exists()]

    def run(self, *, force: bool = False) -> Iterator[Progress]:
        """Write; closed early or failing, it leaves the folder as it was.

        Raises
        ------
        InputError
            If a file exists and `force` is False, no group is tissue, a cube for an
            overlay is missing, or the folder cannot be written to.
        """
        paths: list[Path] = []
        total = len(self.paths())
        with staged(self.folder, force=force) as stage:
            try:
                with closing(self._write(stage)) as pieces:
                    for piece in pieces:
                        text = piece
                        if isinstance(piece, Path):
                            paths.append(self.folder / piece.name)
                            name = shorten(piece.name)
                            text = f"Writing {len(paths)} of {total}: {name}"
                        yield Progress(str(text), len(paths) / total)
            except InputError as error:
                raise _outside(error, stage, self.folder) from error
            severity = self._word_severity(stage / "severity.csv")
        self.written = Written(tuple(paths), severity, self._notice)

    def _write(self, stage: Path) -> Generator[Path | str, None, None]:
        # Leaves first: where no group is tissue, that is told before long work.
        report = None
        if self._tables is not None:
            self._notice = self._tables.notice
            for piece in self._tables.report.with_regions():
                if isinstance(piece, str):
                    yield f"Finding the leaves of {shorten(piece)}…"
                else:
                    report = piece
        if self._export is not None:
            yield from replace(self._export, folder=stage).run()
        if report is not None:
            for written in report.write(stage):
                yield _fitting(written) if isinstance(written, str) else written

    def _word_severity(self, table: Path) -> str:
        if self._tables is None:
            return ""
        roles = {group.role for group in self._tables.report.grouping.groups}
        lacking = [role for role in TISSUE if role not in roles]
        text = word_severity(table)
        return f"{text} (no group is {lacking[0]})" if lacking else text


def word_severity(table: Path) -> str:
    """Say what a severity table says of all its cubes: "6 cubes: 3.2 % of tissue …".

    Parameters
    ----------
    table : pathlib.Path
        ``severity.csv``; pixels of all its lines are added up.
    """
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    pixels = {role: sum(int(row[f"{role}_px"]) for row in rows) for role in TISSUE}
    who = shorten(rows[0]["cube"]) if len(rows) == 1 else f"{len(rows)} cubes"
    tissue = sum(pixels.values())
    if not tissue:
        return f"{who}: no pixel is tissue"
    return f"{who}: {_word_percent(pixels['lesion'], tissue)} of tissue is lesion"


def sizeless(study: Study) -> list[str]:
    """Names of the cubes with a map whose files do not say a pixel's size."""
    cubes = enumerate(study.cubes)
    mapped = [cube for i, cube in cubes if study.cluster_map(i) is not None]
    return [cube.name for cube in mapped if pixel_area(cube.metadata) is None]


def has_tissue(study: Study) -> bool:
    """Whether some group is healthy or lesion."""
    grouping = study.grouping
    return grouping is not None and any(g.role in TISSUE for g in grouping.groups)


def shorten(name: str) -> str:
    """Leave out the middle of a name that the dock would cut."""
    if len(name) <= _LONGEST:
        return name
    half = (_LONGEST - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def _fitting(text: str) -> str:
    """Shorten the names in what is told of the work."""
    return f"{' '.join(map(shorten, text.split(' ')))}…"


def word_overwriting(there: list[Path]) -> str:
    """Say which files are in the way."""
    names = word_names(path.name for path in there)
    return f"{there[0].parent} already holds {names}."


def _word_percent(part: int, whole: int) -> str:
    percent = 100 * part / whole
    if 0 < percent < 0.05:
        return "less than 0.1 %"
    return f"{percent:.1f} %"


def _outside(error: InputError, stage: Path, folder: Path) -> InputError:
    """Tell of the folder that the user named, not of the one we write into first."""
    source = Path(error.source)
    if not source.is_relative_to(stage):
        return error
    name = source.name
    whole = name.startswith(".") or source == stage
    return InputError(folder if whole else folder / name, error.fault, error.remedy)
