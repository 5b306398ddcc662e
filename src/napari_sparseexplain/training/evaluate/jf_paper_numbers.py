"""Numbers that the JF-ML-ISTA paper prints, to stand beside ours: its Tables II and III.

BraTS, 67 test cases; mean ± standard deviation of the Dice score, presumably over cases (the
paper does not say). Ours are of other data, so they are beside each other and not compared.
"""

from __future__ import annotations

Value = tuple[float, float]

#: Table II: bundle -> region -> (mean, standard deviation).
TABLE_2: dict[str, dict[str, Value]] = {
    "jf-ml-ista-separate": {
        "ET": (0.449, 0.315),
        "WT": (0.648, 0.298),
        "TC": (0.656, 0.304),
        "average": (0.589, 0.319),
    },
    "jf-ml-ista": {
        "ET": (0.471, 0.326),
        "WT": (0.667, 0.269),
        "TC": (0.664, 0.298),
        "average": (0.605, 0.309),
    },
}

#: Table III, merged: class -> (λ_min, μ_c, λ_1, μ_1, λ_2, μ_2, λ_3, μ_3).
TABLE_3: dict[str, tuple[float, ...]] = {
    "HBT": (0.803, 1.005, -0.004, 1.051, -0.006, 1.039, -0.008, 1.032),
    "ET": (0.906, 0.907, 0.011, 1.042, 0.007, 1.030, 0.001, 1.012),
    "WT": (0.788, 0.872, 0.005, 0.998, 0.002, 0.994, 0.003, 0.996),
    "TC": (0.930, 0.958, -0.002, 1.009, -0.004, 1.000, -0.005, 1.007),
}
