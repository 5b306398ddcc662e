"""What the paper says of its nine classifiers (Brima & Atemkeng, Tables 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PaperRow:
    """A row of Table 3.

    Attributes
    ----------
    size_mb, parameters, depth
        With a head of 1,000 classes and three channels, as the libraries give them.
    tumour, covid : float or None
        Accuracies on slices drawn at random; None where the table has no figure.
    """

    title: str
    size_mb: float
    parameters: float
    depth: int
    tumour: float | None
    covid: float


PAPER_ROWS = (
    PaperRow("VGG16", 528, 138.4e6, 16, 0.928797, 0.891616),
    PaperRow("VGG19", 549, 143.7e6, 19, 0.887658, 0.889571),
    PaperRow("ResNet50", 98, 25.6e6, 107, 0.936709, 0.857873),
    PaperRow("ResNet50V2", 98, 25.6e6, 103, 0.962025, 0.881391),
    PaperRow("InceptionV3", 92, 23.9e6, 189, 0.944620, 0.880368),
    PaperRow("Xception", 88, 22.9e6, 81, 0.966772, 0.889571),
    PaperRow("EfficientNetB0", 29, 5.3e6, 132, 0.933544, 0.880368),
    PaperRow("DenseNet121", 33, 8.1e6, 242, 0.981013, 0.884458),
    PaperRow("InceptionResNetV2", 215, 55.9e6, 449, None, 0.895706),
)

#: Table 4.
PAPER_SETTINGS = {
    "learning rate": "1e-3",
    "batch": "32",
    "epochs": "20",
    "training": "0.7",
    "test": "0.3",
    "input": "225 × 225 × 1",
    "momentum": "0.939",
    "decay": "3e-4",
    "optimiser": "SGD",
}
