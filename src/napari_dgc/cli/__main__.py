"""`python -m napari_dgc.cli`."""

import sys

from napari_dgc.cli import main

sys.exit(main())
