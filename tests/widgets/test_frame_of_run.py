"""*Run* takes the frame that is in the picture, in a real window; the result says which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from .conftest import LAS, settle, tiny_head, tiny_lesion

pytestmark = pytest.mark.gui


@pytest.fixture
def cine(workspace: Any, bundle: Path, tmp_path: Path) -> Any:
    """Three frames of the small head beside a T1 that stands still; the small model chosen."""
    folder = tmp_path / "cine"
    folder.mkdir()
    frames = np.stack([np.roll(tiny_head(), 2 * n, axis=1) for n in range(3)], axis=-1)
    for role, data in (("flair", frames), ("t1", tiny_head())):
        nib.save(nib.Nifti1Image(data, LAS), folder / f"cine_{role}.nii.gz")
    mask = (2 * tiny_lesion()).astype(np.uint8)
    nib.save(nib.Nifti1Image(mask, LAS), folder / "cine_seg.nii.gz")
    workspace.open_path(folder)
    assert workspace.wait(30)
    for name in ("proxy", "attribution"):
        tab = workspace.page(name)
        tab.models.choose(bundle)
        tab.device.setCurrentIndex(tab.device.findData("cpu"))
    settle()
    assert workspace.viewer.dims.ndim == 4
    return workspace


def go_to(workspace: Any, frame: int) -> None:
    workspace.viewer.dims.set_point(0, frame)
    settle(0.1)


def run(workspace: Any) -> Any:
    proxy = workspace.page("proxy")
    proxy.run_slice()
    assert workspace.wait(60)
    settle()
    (shown,) = proxy.shown
    return shown


def test_a_run_is_of_the_frame_in_the_picture_and_stays_at_it(cine: Any) -> None:
    for layer in cine.viewer.layers:
        layer.visible = layer.ndim == 4
    go_to(cine, 2)
    shown = run(cine)
    assert shown.explanation.frame == (2,)
    assert "frame 3/3" in shown.title
    assert "flair has more axes (time); frame 3/3 was used." in shown.explanation.notes
    last = np.array(shown.explanation["input"].data)
    proxy = cine.page("proxy")
    prepared = proxy.session.prepared_slice
    index = shown.explanation.slices.start
    first, same = (prepared(shown.study, shown.key, index, f).array[0] for f in ((), (2,)))
    np.testing.assert_array_equal(last, same)
    assert not np.array_equal(last, first)
    # α, another slice and another run while only the result is seen: all of the same frame.
    proxy.set_alpha(0.5)
    assert proxy.wait(30)
    assert shown.explanation.frame == (2,)
    np.testing.assert_array_equal(shown.explanation["input"].data, last)
    cine.go_to_slice(cine.current_slice + 1)
    settle()
    assert proxy.wait(30)
    assert shown.explanation.frame == (2,)
    again = run(cine)
    assert again.explanation.frame == (2,)
    assert len(proxy.shown) == 1


def test_a_scan_without_frames_is_run_as_it_is(cine: Any) -> None:
    """T1 alone in the picture has none: FLAIR is then taken at its first, which is said."""
    for layer in cine.viewer.layers:
        layer.visible = layer.ndim == 3 and "T1" in layer.name
    shown = run(cine)
    assert shown.explanation.frame == ()
    assert any("the first image of each was used" in note for note in shown.explanation.notes)


def test_maps_of_two_frames_stand_beside_each_other_and_say_which(cine: Any) -> None:
    tab = cine.page("attribution")
    tab.choose_method("vanilla-gradient")
    tab.target.choose("class")
    for frame in (0, 1):
        for layer in cine.viewer.layers:
            layer.visible = layer.ndim == 4
        go_to(cine, frame)
        tab.run_slice()
        assert cine.wait(60)
        settle()
    assert [one.explanation.frame for one in tab.shown] == [(0,), (1,)], tab.run_bar.message.text()
    titles = [one.title for one in tab.shown]
    assert "frame 1/3" in titles[0]
    assert "frame 2/3" in titles[1]
    tab.show_result(tab.shown[0], grid=True)
    settle()
    scans = [s.leading for p in cine.page("review").reading().review.panels if (s := p.scan)]
    assert {(0,), (1,)} <= set(scans)
