"""Tables as CSV, as Excel and R both read them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from napari_dgc.cubes.files import write_whole


def write_csv(
    path: str | Path,
    header: Iterable[str],
    lines: Iterable[Iterable[object]],
    *,
    force: bool = False,
) -> Path:
    """Write a table; with a byte order mark where it is not plain ASCII, for Excel."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(lines)
    content = text.getvalue()
    data = content.encode("utf-8" if content.isascii() else "utf-8-sig")
    return write_whole(path, lambda file: file.write(data), force=force)
