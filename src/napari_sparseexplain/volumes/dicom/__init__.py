"""DICOM files as volumes: which files, which frames, which pixels, in which order."""
