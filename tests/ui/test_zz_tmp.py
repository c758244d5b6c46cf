import pytest
from napari.viewer import Viewer
def test_menu(make_napari_viewer, qtbot):
    from napari_dgc.ui.dock import ClusteringDock
    ClusteringDock.__init__.__annotations__['viewer']=Viewer
    from napari._app_model import get_app_model
    v=make_napari_viewer(show=True)
    get_app_model().commands.execute_command("napari-dgc.open_dock").result()
    print(dict(v.window.dock_widgets))
    d,w=v.window.add_plugin_dock_widget("napari-dgc")
    print(len(v.window.dock_widgets), type(w))
    v.open_sample('napari-dgc','infected_leaf'); qtbot.wait(500)
    v.screenshot('/tmp/shot_dock.png',canvas_only=False,flash=False)
    print(w.study.cubes)
def test_direct(make_napari_viewer, qtbot):
    from napari_dgc.ui.dock import ClusteringDock
    ClusteringDock.__init__.__annotations__['viewer']=Viewer
    v=make_napari_viewer()
    d,w=v.window.add_plugin_dock_widget("napari-dgc")
    v.open_sample('napari-dgc','infected_leaf'); qtbot.wait(200)
    print(w.study.cubes)
