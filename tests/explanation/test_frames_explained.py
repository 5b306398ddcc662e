"""A scan in time is explained at the frame that is asked for, and everything says at which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

import napari_sparseexplain as se
from napari_sparseexplain.cli import app
from napari_sparseexplain.errors import ParameterError, StudyError
from napari_sparseexplain.explanation.repeat import repeat_work
from napari_sparseexplain.explanation.trust.map_figures import Effort
from napari_sparseexplain.explanation.trust.table import trust_of
from napari_sparseexplain.networks.bundle.external_model import wrap_callable
from napari_sparseexplain.networks.bundle.model_card import Inputs, ModelCard
from napari_sparseexplain.networks.running.preparation import prepare
from napari_sparseexplain.progress import drain
from napari_sparseexplain.volumes.frames import as_frame, fitting_frame, study_at_frame

COUNT = 4


@pytest.fixture(scope="module")
def study() -> se.Study:
    """A ball that moves one row a frame, beside a scan that stands still; a mask of each frame."""
    s, p, l = np.ogrid[:3, :24, :20]  # noqa: E741
    balls = [((p - 6 - 3 * t) ** 2 + (l - 10) ** 2 + 0 * s < 16) for t in range(COUNT)]
    cine = np.stack([np.where(ball, 0.9, 0.1 + 0.01 * t) for t, ball in enumerate(balls)])
    still = np.full(balls[0].shape, 0.3, np.float32)
    still[:, 2:5] = 0.6
    made = se.study_of_arrays(
        {"flair": cine[0].astype(np.float32), "t1": still},
        {"seg": balls[0].astype(np.uint8)},
        label_numbering="brats-2021",
    )
    flair = replace(made.images["flair"], data=cine.astype(np.float32), leading=("time",))
    seg = np.stack(balls).astype(np.uint8)
    return replace(
        made,
        images={**made.images, "flair": flair},
        labels={"seg": replace(made.labels["seg"], data=seg, leading=("time",))},
    )


class Bright(nn.Module):
    """A lesion where FLAIR is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 1, 1)
        self.layer.weight.data = torch.tensor([6.0, -0.5]).view(1, 2, 1, 1)
        self.layer.bias.data.fill_(-3.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


@pytest.fixture(scope="module")
def model() -> se.Model:
    inputs = Inputs(("flair", "t1"), "unit", spacing_mm=1.0, size=24, mask="none")
    card = ModelCard("made", "Made", "callable", {}, "segmentation", inputs, {"1": "lesion"})
    return wrap_callable(Bright(), card)


def ball(study: se.Study, frame: int) -> Any:
    return study.labels["seg"].data[frame] != 0


@pytest.mark.parametrize("frame", [1, (3,), np.int64(2)])
def test_the_frame_asked_for_is_explained_and_scored(
    study: se.Study, model: se.Model, frame: Any
) -> None:
    number = as_frame(frame)[0]
    found = se.explain(study, model, "segmentation", frame=frame)
    np.testing.assert_array_equal(found["mask"].data != 0, ball(study, number))
    assert found.scores["dice"] == 1.0, "it is compared with the mask of its own frame"
    assert found.frame == (number,)
    assert found.provenance.parameters["frame"] == [number]
    assert f"flair has more axes (time); frame {number + 1}/4 was used." in found.notes


def test_without_a_frame_it_is_the_first_image_as_ever(study: se.Study, model: se.Model) -> None:
    found = se.explain(study, model, "segmentation")
    np.testing.assert_array_equal(found["mask"].data != 0, ball(study, 0))
    assert "flair has more axes (time); the first image of each was used." in found.notes
    assert "frame" not in found.provenance.parameters
    assert found.frame == ()


def test_a_scan_without_the_axis_is_used_as_it_is(study: se.Study, model: se.Model) -> None:
    first, last = (prepare(study, model.card, frame=t).array for t in (0, 3))
    np.testing.assert_array_equal(first[:, 1], last[:, 1])
    assert not np.array_equal(first[:, 0], last[:, 0])
    assert study_at_frame(study, None) is study
    assert study.images["flair"].frame == (), "the study itself is as it was"


def test_a_torch_module_and_a_pursuit_take_it_too(study: se.Study) -> None:
    given: dict[str, Any] = {"roles": ("flair", "t1"), "normalisation": "unit", "frame": 2}
    found = se.explain(study, Bright(), "segmentation", **given)
    np.testing.assert_array_equal(found["mask"].data != 0, ball(study, 2))
    parts = se.explain(study, None, "fista", frame=2, slices=0, width=3, iterations=2)
    whole = parts["reconstruction-flair"].data + parts["residual-flair"].data
    np.testing.assert_allclose(whole[0], study.images["flair"].data[2, 0], atol=1e-4)


@pytest.mark.parametrize(
    ("frame", "kind", "said"),
    [
        (4, StudyError, r"no frame 4, counted from 0 \(it has time 4\)"),
        ((1, 2), StudyError, r"2 numbers for the frame, and the scan has 1 axes beyond space"),
        (-1, ParameterError, "the frame cannot be -1"),
        (True, ParameterError, "the frame cannot be True"),
        ("2", ParameterError, "the frame cannot be '2'"),
        (1.5, ParameterError, "the frame cannot be 1.5"),
    ],
)
def test_a_bad_frame_is_one_clear_error(
    study: se.Study, model: se.Model, frame: Any, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        se.explain(study, model, "segmentation", frame=frame)


def test_a_frame_of_scans_without_any_is_refused(study: se.Study, model: se.Model) -> None:
    with pytest.raises(StudyError, match=r"no scan that is used has more than one image \(t1\)"):
        study_at_frame(study, 1, ["t1"])
    with pytest.raises(ParameterError, match="looks at the model alone, so it has no frame"):
        se.explain(None, "sum-rec", "responses", frame=1)


def test_scans_of_one_and_of_two_axes_share_the_last(study: se.Study) -> None:
    """As the sliders of a viewer do."""
    flair = study.images["flair"]
    echoes = replace(
        flair, role="t2", data=np.stack([flair.data, flair.data + 1]), leading=("echo", "time")
    )
    both = replace(study, images={**study.images, "t2": echoes})
    moved = study_at_frame(both, (1, 3))
    np.testing.assert_array_equal(moved["t2"].spatial(), flair.data[3] + 1)
    np.testing.assert_array_equal(moved["flair"].spatial(), flair.data[3])
    with pytest.raises(StudyError, match="the scan has 2 axes beyond space"):
        study_at_frame(both, 3)
    assert fitting_frame(both, (3,)) == (0, 3)
    assert fitting_frame(both, (1, 3), ["flair"]) == (3,)
    assert fitting_frame(both, (9,), ["flair"]) == ()
    assert fitting_frame(both, (1,), ["t1"]) == ()


def test_maps_of_two_frames_are_two_whatever_is_kept(study: se.Study, model: se.Model) -> None:
    """A map that was computed before is taken only where image, mask and weights are the same."""
    asked: dict[str, Any] = {"target": "WT", "slices": 1}
    name = "vanilla-gradient"
    heat = [se.explain(study, model, name, frame=t, **asked)["heatmap"].data for t in (0, 2, 0)]
    assert not np.array_equal(heat[0], heat[1])
    np.testing.assert_array_equal(heat[0], heat[2])
    assert heat[1][0][ball(study, 2)[1]].sum() > heat[1][0][~ball(study, 2)[1]].sum()


def test_run_again_and_trust_are_at_the_frame_of_the_record(
    study: se.Study, model: se.Model
) -> None:
    asked: dict[str, Any] = {"target": "WT", "slices": 1}
    once = se.explain(study, model, "vanilla-gradient", frame=3, **asked)
    again = drain(repeat_work(once.provenance.to_json(), study, model=model))
    assert again.frame == (3,)
    np.testing.assert_array_equal(again["heatmap"].data, once["heatmap"].data)
    whole = se.trust(study, model, once, effort=Effort(kinds=()))
    assert whole["AUPRC"].value == trust_of(study, once, model)["AUPRC"].value == 1.0
    other = replace(once, provenance=replace(once.provenance, parameters={
        **once.provenance.parameters, "frame": [0]}))  # fmt: skip
    assert (trust_of(study, other, model)["AUPRC"].value or 0) < 0.5, "that of another frame"


def test_two_frames_are_saved_beside_each_other(
    study: se.Study, model: se.Model, tmp_path: Path
) -> None:
    for frame in (1, 2, None):
        se.explain(study, model, "segmentation", frame=frame).save(tmp_path)
    assert se.load_explanation(tmp_path, "segmentation_frame-2").frame == (2,)
    assert se.load_explanation(tmp_path, "segmentation_frame-1").frame == (1,)
    assert se.load_explanation(tmp_path, "segmentation").frame == ()
    assert (tmp_path / "segmentation_frame-2_mask.nii.gz").is_file()


def test_a_picture_is_of_the_frame_that_was_explained(study: se.Study, model: se.Model) -> None:
    from napari_sparseexplain.review.default_review import default_reading

    found = se.explain(study, model, "segmentation", frame=2)
    review = default_reading(study, {"found": found}).review
    scans = [panel.scan for panel in review.panels if panel.scan is not None]
    assert {scan.leading for scan in scans if scan.role == "flair"} == {(2,)}
    assert {scan.leading for scan in scans if scan.role == "t1"} <= {()}
    overlays = [o for panel in review.panels for o in panel.overlays]
    assert [o.leading for o in overlays if o.name == "seg"] == [(2,)]
    assert review.key_slices[0].leading == (2,)


def test_the_command_takes_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = nib.Nifti1Image(rng.random((9, 8, 2, 3)).astype(np.float32), np.eye(4))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, tmp_path / "cine_t1.nii.gz")
    asked = ["explain", str(tmp_path / "cine_t1.nii.gz"), "--method", "fista", "--slice", "1"]
    quick = ["--set", "iterations=2", "--set", "width=3", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*asked, *quick, "--frame", "2"])
    assert done.exit_code == 0, done.output
    assert "frame 3/3 was used" in done.output
    assert se.load_explanation(tmp_path / "out").frame == (2,)
    assert CliRunner().invoke(app, [*asked, *quick, "--frame", "x"]).exit_code == 2
    refused = CliRunner().invoke(app, [*asked, *quick, "--frame", "3"])
    assert isinstance(refused.exception, StudyError)
