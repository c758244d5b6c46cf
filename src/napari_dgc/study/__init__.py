"""What the screen and the command line both drive."""

from napari_dgc.study.study import Study

__all__ = ["Study"]
