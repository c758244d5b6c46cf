"""What is said of leaves, in words."""

from __future__ import annotations

from napari_dgc.reports.severity import SeverityRow
from napari_dgc.study.leaves import LeafRegions

NO_CUBE = "Open a cube first: press Add files… under Cubes."
NO_MAP = "Make a map first: press First map. Leaves are found in the map."
NO_ROLES = (
    "Give the groups of the leaves the role healthy or lesion in the table of groups; "
    "then press Find leaves."
)
NO_LEAVES = "Press Find leaves: each piece of tissue is a leaf, numbered as one reads."
NONE_HERE = "No leaf in this cube: no piece of tissue is large enough."
STALE = (
    "These leaves are old: other groups are tissue (healthy or lesion) than when they "
    "were found. Press Find leaves to find them anew."
)
HINT = "Click a row or a leaf on the image; double-click a name to change it."
EDITING = (
    "Paint with napari's tools at the left: each number is a leaf. Then press Done, "
    "or Discard."
)
CUTTING = "Draw a line right across a leaf: press, drag, release. Esc: never mind."


def word_leaves(count: int) -> str:
    """Count leaves: "1 leaf", "3 leaves"."""
    return "1 leaf" if count == 1 else f"{count} leaves"


def word_found(leaves: LeafRegions) -> str:
    """Say how many leaves were found, in how many cubes."""
    count = sum(len(names) for names in leaves.names.values())
    cubes = len(leaves.maps)
    where = "this cube" if cubes == 1 else f"{cubes} cubes"
    none = sum(not names for names in leaves.names.values())
    lacking = f" In {none} of them none is large enough." if none and cubes > 1 else ""
    return f"{word_leaves(count)} found in {where}.{lacking}"


def word_percent(row: SeverityRow) -> str:
    """Share of lesion in the tissue, in %; "–" where there is no tissue."""
    share = row.lesion_percent
    if share is None:
        return "–"
    return "<0.1" if 0 < share < 0.05 else f"{share:.1f}"


def word_area(area: float) -> str:
    """Area in mm² with three digits, plain."""
    return f"{area:,.0f}" if area >= 1000 else f"{area:.3g}"


def explain_row(row: SeverityRow) -> str:
    """All numbers of a row, as a tip."""
    name = row.leaf or f"All of {row.cube}"
    parts = [f"{role} {row.pixels[role]:,} px" for role in ("healthy", "lesion")]
    lines = [name, f"{', '.join(parts)}; {row.valid:,} px with data"]
    area = row.area(row.pixels["lesion"])
    if area is not None:
        lines.append(f"lesion {word_area(area)} mm²")
    sizes = row.lesions
    if sizes is not None and sizes.count:
        spread = f"median {sizes.median:.4g}, largest {sizes.largest} px"
        lines.append(f"{sizes.count} lesions: {spread}")
    return "\n".join(lines)
