"""What a report says of each finding: a sentence of its own, without what the files are called."""

from __future__ import annotations

#: Sentence by the finding's code. Where the finding is about a known scan, its title is added.
SENTENCES: dict[str, str] = {
    "complex": "A scan has complex voxels and is shown as magnitude",
    "duplicate-files": "Copies of DICOM objects were left out",
    "duplicate-role": "Several volumes have the same role and were numbered; check that the right "
    "one has the plain role",
    "explanation-elsewhere": "Maps of the review lie outside its folder and were not loaded",
    "explanation-missing": "Maps of an explanation are not where they were and must be computed "
    "again",
    "explanation-replaced": "Maps come from a later run than the one that was reviewed",
    "fractional-segments": "Fractional segments were cut at half",
    "frame-of-reference": "A resampled series was acquired in another DICOM frame of reference",
    "incomplete-time-points": "Time points that lack slices were left out",
    "joined-series": "One-slice cine series were put together",
    "left-right-conflict": "sform and qform of a file disagree about left and right",
    "left-out": "A volume has no place on the study's grid and was left out",
    "little-covered": "The study's grid covers little of a scan; the rest of it is cut off",
    "mask-outside-brain": "A mask does not lie in the brain",
    "mask-values": "Values of a mask were not whole numbers, or not there, and were put right",
    "missing-files": "A DICOMDIR names files that are not there",
    "missing-masks": "Some pictures have no mask; theirs is empty",
    "mixed-orientation": "A DICOM series holds several orientations, which were opened apart",
    "model-differs": "A model has other weights now than when the review was saved",
    "nan": "Voxels are NaN or infinite",
    "no-orientation": "A file has neither qform nor sform, so left and right are not known",
    "no-pixels": "DICOM objects without an image were passed over",
    "no-position": "Images do not say where they lie",
    "not-a-label-map": "A file that is called a mask holds no label numbers and is shown as an "
    "image",
    "not-in-review": "Something in the window is not part of the review, or is drawn otherwise in "
    "its pictures",
    "oblique": "The slices are tilted and shown as they were acquired",
    "one-hot-mask": "A mask with one channel a class was made a label map",
    "overlapping-segments": "Voxels lie in several segments of a Segmentation",
    "patient-axes": "An oblique study was resampled to the patient's axes",
    "picture-stack": "Pictures are shown as slices; their distance is not known",
    "pictures-left-out": "Pictures beside scans were not opened",
    "pixel-remark": "The decoder of the pixels made a remark",
    "resampled": "A volume was brought onto the grid of another",
    "role-disagreement": "Name and header of a scan disagree on what it is; its role was left open",
    "scout-set-aside": "A scout was set aside; a stack gives the study its grid",
    "several-examinations": "DICOM series of more than one examination were opened together",
    "several-time-points": "The names of the files speak of several time points",
    "split-series": "A DICOM series became several volumes",
    "synthetic": "The study is synthetic",
    "tilted-gantry": "The slices are shifted against each other (tilted gantry)",
    "two-transforms": "qform and sform disagree by more than 1 mm; the sform is used",
    "undistinguished-repeats": "Several images have the same place, and nothing tells them apart",
    "uneven-spacing": "The slices do not have the same distance",
    "unit": "Lengths in a file were not in millimetres and were converted",
    "unknown-role": "Neither name nor header tells the modality of a scan",
    "unmatched-masks": "Masks without a picture of their name were left out",
    "unreadable": "A file or series beside others could not be opened",
    "versions-differ": "The review was saved with other versions of the packages",
}
