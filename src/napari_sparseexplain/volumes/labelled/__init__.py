"""Labelled slices: pictures or DICOM files that each have a mask or contours, by patient."""
