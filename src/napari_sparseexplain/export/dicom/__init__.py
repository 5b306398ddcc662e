"""What leaves as DICOM: segmentations, parametric maps, secondary captures, de-identified."""
