"""The command line: what can be scripted, a contract (see README)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from napari_dgc.cli.parser import UsageError, build_parser
from napari_dgc.cubes.errors import InputError

__all__ = ["main"]

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


def _fail(line: str, status: int) -> int:
    print(f"napari-dgc: {' '.join(line.split())}", file=sys.stderr)
    return status
