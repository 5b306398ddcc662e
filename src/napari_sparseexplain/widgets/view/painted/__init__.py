"""The picture as it is painted: what paints it, which layers, and when napari cuts its slices."""
