"""The command line: what can be scripted, a contract (see README)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

__all__ = ["main"]

_broken: Exception | None = None
try:
    from napari_dgc.cli.parser import UsageError, build_parser
    from napari_dgc.cubes.errors import InputError
except Exception as error:  # a package is missing or torn, NumPy's say: ask the doctor
    _broken = error

DONE, FAILED, BAD_USE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; by default those of the process.

    Returns
    -------
    int
        0 done, 2 bad use or bad input (one line on standard error says which
        file, what is wrong and what to do), 1 anything else.
    """
    if _broken is not None:
        return _ask_doctor(arguments, _broken)
    try:
        options = build_parser().parse_args(arguments)
        status: int | None = options.run(options)
        sys.stdout.flush()
    except (UsageError, InputError) as error:
        return _fail(str(error), BAD_USE)
    except KeyboardInterrupt:
        return _fail("stopped", FAILED)
    except BrokenPipeError:
        # The reader of our results went away; keep Python from saying so twice.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if os.environ.get("NAPARI_DGC_DEBUG"):
            raise
        text = f"{type(error).__name__}: {error}"
        return _fail(f"{text} (NAPARI_DGC_DEBUG=1 shows where)", FAILED)
    return status or DONE


def _ask_doctor(arguments: Sequence[str] | None, fault: Exception) -> int:
    """Run `doctor`, which needs no package; name it where another command is asked."""
    from napari_dgc.cli import doctor

    if os.environ.get("NAPARI_DGC_DEBUG"):
        raise fault
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if command != "doctor":
        text = f"{type(fault).__name__}: {fault}; napari-dgc doctor says what mends it"
        return _fail(text, FAILED)
    parser = argparse.ArgumentParser(prog="napari-dgc doctor")
    doctor.add_options(parser)
    return doctor.show_findings(parser.parse_args(rest))


def _fail(line: str, status: int) -> int:
    print(f"napari-dgc: {' '.join(line.split())}", file=sys.stderr)
    return status
