"""The screen: the only room that knows napari and Qt. Imports nothing itself."""
