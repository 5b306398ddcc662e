"""The Haar transform of the SUM against ptwt's, one level there and back, 240² feature maps."""

from __future__ import annotations

import ptwt
import torch

from napari_sparseexplain.sparse.haar_frame import haar_analysis, haar_synthesis
from paired_timing import Row, milliseconds, paired


def measure(repeats: int) -> list[Row]:
    """One row a shape."""
    rows = []
    for maps, size in ((8, 240), (64, 240), (8, 512)):
        x = torch.randn(1, maps, size, size, generator=torch.Generator().manual_seed(0))

        def ours(x: torch.Tensor = x) -> torch.Tensor:
            with torch.inference_mode():
                return haar_synthesis(*haar_analysis(x))

        def peer(x: torch.Tensor = x) -> torch.Tensor:
            with torch.inference_mode():
                return ptwt.waverec2(ptwt.wavedec2(x, "haar", level=1, mode="zero"), "haar")

        gap = float((ours() - peer()).abs().max())
        if gap > 1e-5:
            raise AssertionError(f"the two transforms disagree by {gap}")

        def many(f, times: int = 20):
            def call() -> None:
                for _ in range(times):
                    f()

            return call

        mine, theirs, ratio = paired(many(ours), many(peer), repeats)
        rows.append(
            Row(
                f"Haar there and back, {maps} maps of {size}²",
                milliseconds(mine / 20),
                f"ptwt {milliseconds(theirs / 20)}",
                f"{ratio:.2f}× faster",
                "≥ 1.2×",
                ratio >= 1.2,
            )
        )
    return rows
