"""What the Microstructure tab computes, without Qt: run it in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...evidence import Explanation
from ...progress import Work
from ...volumes import Study
from ..parts.model_session import ModelSession

if TYPE_CHECKING:
    from ...explanation.microstructure.diffusion_scan import DiffusionScan
    from ...explanation.microstructure.hybrid_voxel import HybridVoxel
    from ...explanation.microstructure.voxel_explanation import VoxelExplanation
    from ...layers.fibre_glyphs import Glyphs

#: Methods whose voxels can be explained.
FINGERPRINT, HYBRID = "fingerprint", "hybrid-microstructure"


@dataclass(frozen=True)
class Gradients:
    """What a person is told of a diffusion scan's gradients.

    Attributes
    ----------
    role : str
    shells : tuple of (float, int)
        b-value in s/mm² and number of volumes, from low to high.
    unweighted : int
        Volumes without diffusion weighting.
    small_delta, big_delta : float
        Timings in milliseconds; 0 where they are not known.
    notes : tuple of str
    """

    role: str
    shells: tuple[tuple[float, int], ...]
    unweighted: int
    small_delta: float
    big_delta: float
    notes: tuple[str, ...] = ()

    @property
    def one_shell(self) -> bool:
        """Whether radius, density and share cannot be told apart."""
        return len(self.shells) < 2

    @property
    def counts(self) -> str:
        """As ``"8 at b = 0, 30 at 1000, 60 at 5000 s/mm²"``."""
        numbers = [f"{self.unweighted} at b = 0", *(f"{n} at {b:.0f}" for b, n in self.shells)]
        return ", ".join(numbers) + " s/mm²"

    @property
    def timings(self) -> str:
        """As ``"δ 12.9 ms, Δ 21.8 ms"``; empty where they are not known."""
        if not self.small_delta:
            return ""
        return f"δ {self.small_delta:.4g} ms, Δ {self.big_delta:.4g} ms"


def scans_with_frames(study: Study | None) -> list[str]:
    """Roles of a study's scans that have one leading axis: those that can have gradients."""
    if study is None:
        return []
    return [role for role, scan in study.images.items() if len(scan.leading) == 1]


class MicrostructureSession(ModelSession):
    """Reads gradients, compares voxels and explains those that are clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._scan: tuple[Study, Explanation, DiffusionScan] | None = None

    def gradients(
        self, study: Study, role: str, small_delta: float = 0.0, big_delta: float = 0.0
    ) -> Gradients:
        """What the files beside a scan say; timings in ms that are given go before theirs.

        Raises
        ------
        SparseExplainError
            There are no gradients, or they cannot be read.
        """
        from ...explanation.microstructure.diffusion_scan import diffusion_scan

        scan = diffusion_scan(
            study, role, small_delta=small_delta, big_delta=big_delta, resampled=True
        )
        table = scan.table
        known = table.timings
        return Gradients(
            scan.role,
            tuple((shell.b, len(shell.rows)) for shell in table.shells),
            len(table.b0_rows),
            0.0 if known is None else 1e3 * known.small_delta,
            0.0 if known is None else 1e3 * known.big_delta,
            scan.notes,
        )

    def run_work(
        self, study: Study, method: str, slices: slice, values: Mapping[str, Any]
    ) -> Work[Explanation]:
        """The maps of some slices by a method, with progress."""
        from ...explanation.catalogue import explain_work

        return (yield from explain_work(study, None, method, slices=slices, **values))

    def voxel(
        self, study: Study, result: Explanation, index: tuple[int, int, int]
    ) -> VoxelExplanation | HybridVoxel:
        """Why a voxel of a result has its values; the scan of the latest result stays read.

        Raises
        ------
        SparseExplainError
            See `explain_voxel_of` and `explain_hybrid_voxel`.
        """
        if result.method == HYBRID:
            from ...explanation.microstructure.hybrid_voxel import explain_hybrid_voxel

            return explain_hybrid_voxel(result, study, index, self._scan_of(study, result))
        from ...explanation.microstructure.voxel_explanation import explain_voxel_of

        return explain_voxel_of(result, study, index, self._scan_of(study, result))

    def glyphs(self, study: Study, result: Explanation, index: int) -> Glyphs:
        """Glyphs of the fibre orientations of a slice.

        Raises
        ------
        SparseExplainError
            See `slice_orientations`.
        """
        from ...explanation.microstructure.fibre_orientations import slice_orientations
        from ...layers.fibre_glyphs import Glyphs, glyph_picture, glyph_tile

        found = slice_orientations(result, self._scan_of(study, result), index)
        rows, columns = study.grid.shape[1:]
        tile = glyph_tile((rows, columns))
        drawn = glyph_picture(
            found.found.amplitudes, found.found.directions, found.places, (rows, columns), tile
        )
        return Glyphs(index, tile, drawn)

    def _scan_of(self, study: Study, result: Explanation) -> DiffusionScan:
        """The scan of a result; that of the latest one asked for stays read."""
        from ...explanation.microstructure.voxel_of_scan import scan_of_result

        kept = self._scan
        if kept is None or kept[0] is not study or kept[1] is not result:
            kept = (study, result, scan_of_result(result, study))
            self._scan = kept
        return kept[2]

    def forget(self, study: Study) -> None:
        """Let go of what is kept of a study that was closed."""
        super().forget(study)
        if self._scan is not None and self._scan[0] is study:
            self._scan = None
