"""`doctor`: what is here, what is missing, and the command that mends it."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from napari_dgc.cli import doctor_machine, doctor_screen
from napari_dgc.cli.children import Answer, ask_child
from napari_dgc.cli.common_options import add_quiet
from napari_dgc.cli.findings import Finding
from napari_dgc.cli.progress import ProgressLine

_SECONDS = 120.0  # a first start of torch or napari from a slow disk takes a minute
_TORCH = "napari_dgc.clustering.devices:describe_devices"
_QT = "napari_dgc.ui.probing:probe_qt"
_OPENGL = "napari_dgc.ui.probing:probe_opengl"
_PLUGIN = "napari_dgc.ui.probing:probe_plugin"
_NOTHING = Answer({}, "", "")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give `doctor` its options."""
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--no-screen",
        action="store_true",
        help="leave out what only napari's window needs, such as on a server",
    )
    add_quiet(parser)
    parser.set_defaults(run=show_findings)


def show_findings(options: argparse.Namespace) -> int:
    """`doctor`: a line for each finding, or JSON.

    Returns
    -------
    int
        The exit status: 1 where something is missing, else 0.
    """
    with ProgressLine(options.quiet) as progress:
        progress.show("Looking at Python, torch, Qt and napari")
        findings = list(look(screen=not options.no_screen))
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        print("\n".join(map(_in_words, findings)))
        print(_sum_up(findings))
    return int(any(finding.state == "missing" for finding in findings))


def look(*, screen: bool = True) -> Iterator[Finding]:
    """Look at all there is to look at.

    Parameters
    ----------
    screen : bool
        Also at Qt, display, OpenGL, fonts and the plugin.

    Notes
    -----
    What can crash or hang is asked in child processes, side by side.
    """
    # Fonts need no display; and without one Qt would end the process.
    offscreen = {"QT_QPA_PLATFORM": "offscreen"}
    with ThreadPoolExecutor(4) as pool:
        waiting = {_TORCH: pool.submit(ask_child, _TORCH, seconds=_SECONDS)}
        if screen:
            for target, environ in (
                (_QT, offscreen),
                (_OPENGL, {}),
                (_PLUGIN, offscreen),
            ):
                if target == _OPENGL and doctor_screen.display_is_missing():
                    continue
                waiting[target] = pool.submit(
                    ask_child, target, seconds=_SECONDS, environ=environ
                )
        answers = {target: asked.result() for target, asked in waiting.items()}
    qt, opengl, plugin = (answers.get(t, _NOTHING) for t in (_QT, _OPENGL, _PLUGIN))
    yield from doctor_machine.look_at_python()
    yield from doctor_machine.look_at_devices(answers[_TORCH])
    if screen:
        works = "binding" in qt.facts
        yield from doctor_screen.look_at_qt(qt)
        yield from doctor_screen.look_at_display(qt, opengl)
        if works and _OPENGL in answers:
            yield from doctor_screen.look_at_opengl(opengl)
        if works:
            yield from doctor_screen.look_at_fonts(qt)
        yield from doctor_screen.look_at_plugin(plugin, qt_works=works)
    yield from doctor_machine.look_at_folders(qt, plugin, screen=screen)


def _in_words(finding: Finding) -> str:
    text = " ".join(finding.text.split())
    line = f"{finding.state:<8} {finding.topic:<12} {text}"
    return f"{line}\n{'':<22}$ {finding.command}" if finding.command else line


def _sum_up(findings: list[Finding]) -> str:
    counts = Counter(finding.state for finding in findings)
    if counts["missing"]:
        return f"\n{counts['missing']} missing: type what stands after $, and ask again"
    if counts["warning"]:
        return f"\nNothing is missing; {counts['warning']} to look at"
    return "\nNothing is missing"
