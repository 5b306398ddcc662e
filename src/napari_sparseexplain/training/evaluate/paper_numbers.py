"""Numbers that the SUM paper prints, to stand beside ours.

Zavala-Mondragón et al., "Segmentation CNNs are denoising models": Table 1 and 2 (BraTS 2021, mean
± standard deviation over five trainings), Table 3 (SUM_Seg by augmentation), Table 4 (SUM_Seg by
weight decay), Fig. 4 (one training).
"""

from __future__ import annotations

Value = tuple[float, float]

#: Columns of Table 1 and 2, by bundle name, in the paper's order.
SEGMENTERS = {
    "unet": "U-Net",
    "unet-nobn": "U-Net_NoBN",
    "sum-seg": "SUM_Seg",
    "sum-rec": "SUM_Rec",
}

#: Networks with an impulse response.
LINEARISABLE = {"sum-seg": "SUM_Seg", "sum-rec": "SUM_Rec", "sum-denoise": "SUM_Denoise"}

#: Condition -> score -> bundle name -> (mean, standard deviation). "clean" is Table 1.
TABLE_2: dict[str, dict[str, dict[str, Value]]] = {
    "clean": {
        "Dice": {
            "unet": (0.884, 0.004),
            "unet-nobn": (0.859, 0.006),
            "sum-seg": (0.849, 0.010),
            "sum-rec": (0.859, 0.007),
        },
        "IoU": {
            "unet": (0.793, 0.007),
            "unet-nobn": (0.752, 0.009),
            "sum-seg": (0.738, 0.015),
            "sum-rec": (0.752, 0.010),
        },
    },
    "blur": {
        "Dice": {
            "unet": (0.793, 0.018),
            "unet-nobn": (0.852, 0.005),
            "sum-seg": (0.841, 0.007),
            "sum-rec": (0.854, 0.005),
        },
        "IoU": {
            "unet": (0.657, 0.024),
            "unet-nobn": (0.742, 0.008),
            "sum-seg": (0.726, 0.011),
            "sum-rec": (0.745, 0.007),
        },
    },
    "noise": {
        "Dice": {
            "unet": (0.553, 0.100),
            "unet-nobn": (0.776, 0.062),
            "sum-seg": (0.782, 0.038),
            "sum-rec": (0.804, 0.011),
        },
        "IoU": {
            "unet": (0.389, 0.099),
            "unet-nobn": (0.638, 0.080),
            "sum-seg": (0.643, 0.049),
            "sum-rec": (0.673, 0.016),
        },
    },
}

#: Rows of Table 3 and 4 for SUM_Seg: column title -> (SDS, FDV, FDS).
RESPONSE_COLUMNS: dict[str, tuple[Value, Value, Value]] = {
    "T3 none": ((25.9, 0.88), (53.9, 3.47), (25.8, 0.52)),
    "T3 rot.+mirr.": ((26.8, 2.30), (53.0, 2.12), (23.6, 0.68)),
    "T3 noise": ((28.2, 2.47), (55.2, 3.54), (22.3, 0.71)),
    "T3 blur": ((26.8, 1.57), (56.1, 0.88), (23.8, 1.32)),
    "T3 all": ((30.0, 2.75), (50.9, 4.12), (21.4, 1.37)),
    "T4 wd .5": ((23.4, 1.86), (44.8, 3.66), (24.5, 0.93)),
    "T4 wd .25": ((25.8, 1.95), (57.5, 5.06), (25.7, 1.24)),
    "T4 wd .125": ((27.5, 0.98), (70.1, 3.46), (26.0, 1.11)),
    "T4 wd .075": ((28.1, 0.57), (71.3, 7.39), (24.9, 2.11)),
    "T4 wd 0": ((30.0, 1.36), (88.0, 4.10), (24.6, 1.70)),
}

#: The training that the shipped recipe follows (rotations and mirroring).
NEAREST_COLUMN = "T3 rot.+mirr."

#: SDS of one segmentation and one denoising network (Fig. 4).
FIGURE_4_SDS = {"sum-seg": 26.27, "sum-denoise": 3.34}
