"""Hanging protocols: read strictly, chosen by what there is, and what is missing is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer, Points

import napari_sparseexplain as se
from napari_sparseexplain.errors import ParameterError, ReadError, SparseExplainError
from napari_sparseexplain.evidence import Explanation, ExplanationMap, Provenance
from napari_sparseexplain.families import families
from napari_sparseexplain.layers.cells.grid_view import GridView, Layout
from napari_sparseexplain.layers.cells.hanging_files import (
    all_protocols,
    delete_protocol,
    name_for,
    own_protocols,
    read_protocol,
    save_protocol,
    shipped_protocols,
)
from napari_sparseexplain.layers.cells.hanging_protocol import (
    Content,
    HangingProtocol,
    Situation,
    When,
    best_protocol,
)
from napari_sparseexplain.layers.cells.hung_cells import hung, protocol_of, situation_of
from napari_sparseexplain.layers.cells.shown_cells import cells_of
from napari_sparseexplain.layers.explanation_layers import explanation_layers
from napari_sparseexplain.layers.study_layers import study_layers
from napari_sparseexplain.volumes import Study
from napari_sparseexplain.volumes.roles.roles import LABEL_ROLES, ROLES

SHAPE = (3, 6, 8)


def study_of(*roles: str, mask: bool = True) -> Study:
    rng = np.random.default_rng(0)
    arrays = {role: rng.random(SHAPE).astype(np.float32) for role in roles}
    masks = {"seg": np.eye(6, 8, dtype=np.uint8)[None].repeat(3, 0)} if mask else {}
    return se.study_of_arrays(arrays, masks)


def result_of(study: Study, method: str = "signals") -> Explanation:
    data = np.ones(SHAPE, np.float32)
    maps = (
        ExplanationMap("mask", data.astype(np.uint8), "segmentation"),
        ExplanationMap("lin", data, "signal"),
        ExplanationMap("nec", data, "signal"),
    )
    return Explanation(method, maps, Provenance(method), study.grid, slice(0, 3))


def layers_for(*studies: Study, result: Explanation | None = None) -> ViewerModel:
    viewer = ViewerModel()
    for study in studies:
        viewer.layers.extend(Layer.create(*told) for told in study_layers(study))
    if result is not None:
        told = explanation_layers(result, studies[0])
        viewer.layers.extend(Layer.create(*one) for one in told)
    return viewer


def shipped(name: str) -> HangingProtocol:
    return next(protocol for protocol in shipped_protocols() if protocol.name == name)


def test_those_that_ship_name_what_the_program_knows() -> None:
    names = {family.name for family in families()}
    assert len(shipped_protocols()) == 8
    for protocol in shipped_protocols():
        assert names.issuperset(protocol.when.families), protocol.name
        assert {*ROLES, *LABEL_ROLES}.issuperset(protocol.when.roles), protocol.name
        for content in (content for cell in protocol.cells for content in cell):
            assert content.family in {"", *names}, protocol.name
            assert content.kind != "scan" or content.name in {"", *ROLES}, protocol.name


def test_what_asks_for_more_is_chosen_and_what_does_not_fit_is_not() -> None:
    def protocol(name: str, **when: object) -> HangingProtocol:
        return HangingProtocol(name, name, When(**when), ((Content("scan"),),))  # type: ignore[arg-type]

    plain, mr = protocol("plain"), protocol("mr", modalities=("MR",))
    tumour = protocol("tumour", modalities=("MR",), roles=("t1", "flair"))
    more = protocol("more", modalities=("MR",), roles=("t1", "t2", "flair"))
    prior = protocol("prior", studies=2)
    given = (plain, mr, tumour, more, prior)
    head = Situation(frozenset({"MR"}), frozenset({"t1", "flair", "t2"}))
    assert best_protocol(given, head) is more
    assert best_protocol(given, Situation(frozenset({"MR"}), frozenset({"t1", "flair"}))) is tumour
    assert best_protocol(given, Situation(frozenset({"CT"}))) is plain
    assert best_protocol(given[1:], Situation(frozenset({"CT"}))) is None
    assert more.when.missing(Situation(frozenset({"MR"}), frozenset({"t1"}))) == "needs T2, FLAIR"
    alike = protocol("alike", modalities=("MR",), roles=("t1", "flair"))
    assert best_protocol((tumour, alike), head) is tumour, "the first of equals"
    assert best_protocol((tumour, alike), head, lambda p: float(p is alike)) is alike


def test_cells_are_found_by_what_they_are() -> None:
    study = study_of("t1", "t1ce", "t2", "flair")
    viewer = layers_for(study)
    found = hung(shipped("brain-tumour"), list(viewer.layers), study, [study])
    roles = [[x.metadata["sparseexplain"].role for x in cell] for cell in found.cells]
    assert roles == [[role, "seg"] for role in ("t1", "t1ce", "t2", "flair")]
    assert found.told == ("",) * 4
    assert [style for _, style in found.drawn] == ["outline"]
    here = situation_of(viewer.layers, study, [study])
    assert (here.modalities, here.studies) == ({"MR"}, 1)
    assert best_protocol(shipped_protocols(), here) is shipped("brain-tumour")


def test_what_is_missing_is_said_and_the_rest_is_there() -> None:
    study = study_of("flair")
    viewer = layers_for(study, result=result_of(study))
    layers = list(viewer.layers)
    found = hung(shipped("brain-tumour"), layers, study, [study])
    assert [len(cell) for cell in found.cells] == [0, 0, 0, 2], "no mask without its scan"
    assert found.told == ("Not there: T1", "Not there: T1ce", "Not there: T2", "")
    found = hung(shipped("time-points"), layers, study, [study])
    assert [len(cell) for cell in found.cells] == [1, 2, 2]
    alone = study_of("flair")
    found = hung(shipped("time-points"), list(layers_for(alone).layers), alone, [alone])
    assert [len(cell) for cell in found.cells] == [1, 2, 1]
    assert found.notes == ("Cell 3: not there in array: estimate",)
    bare = study_of("flair", mask=False)
    viewer = layers_for(bare)
    found = hung(shipped("brain-tumour"), list(viewer.layers), bare, [bare])
    assert found.told[0] == "Not there: T1, reference segmentation"
    assert (found.told[3], found.filled) == ("", 0.25)
    view = GridView(viewer)
    view.show_cells(found.cells, told=found.told)
    view.set_layout(Layout(2, 2))
    cells = cells_of(viewer)
    assert [cells.told(n)[:9] for n in range(4)] == ["Not there"] * 3 + [""]
    assert cells.shape == (2, 2)
    view.fill_cell(0, [viewer.layers[0]])
    assert [bool(cells.told(n)) for n in range(4)] == [False, True, True, False]
    viewer.layers.remove(viewer.layers[0])
    assert not view.active, "words alone are no picture"


def test_after_a_run_its_own_result_is_shown() -> None:
    study = study_of("flair")
    result = result_of(study)
    viewer = layers_for(study, result=result)
    layers = list(viewer.layers)
    assert situation_of(layers, study, [study]).families == {"proxy"}
    found = hung(shipped("after-run-proxy"), layers, study, [study])
    named = [[x.metadata["sparseexplain"] for x in cell] for cell in found.cells]
    assert [getattr(k, "map", "") for cell in named for k in cell] == [
        "", "", "", "mask", "nec", "mask"
    ]  # fmt: skip
    other = Situation(frozenset({"MR"}), frozenset({"flair"}), frozenset({"microstructure"}))
    assert shipped("after-run-proxy").when.score(other) is None


def test_prior_and_time_points() -> None:
    old, new = study_of("cine"), study_of("cine")
    viewer = layers_for(old, new)
    layers = list(viewer.layers)
    found = hung(shipped("prior-beside-current"), layers, new, [old, new])
    of = [cell[0].metadata["sparseexplain"].study for cell in found.cells]
    assert of[0] is old
    assert of[1] is new
    rows = hung(shipped("cine-time-points"), layers, new, [old, new])
    assert (len(rows.cells), rows.columns) == (6, 3)
    alone = hung(shipped("prior-beside-current"), layers, new, [new])
    assert "of the prior study" in alone.told[0]


def test_cells_saved_as_a_protocol_come_back(tmp_path: Path) -> None:
    study = study_of("t1", "flair")
    viewer = layers_for(study, result=result_of(study))
    t1, flair, seg, mask, lin, nec = viewer.layers
    viewer.layers.append(Points([[0, 0, 0]]))
    cells = [[flair, seg], [t1, mask], [lin], [viewer.layers[-1]], [nec]]
    made, left_out = protocol_of(
        name_for("My cells"), "My cells", cells, Layout(2, 3), study, list(viewer.layers)
    )
    assert left_out == 1
    path = save_protocol(made, folder=tmp_path)
    assert read_protocol(path) == made
    (again,), wrong = own_protocols(tmp_path)
    assert wrong == ()
    other = study_of("t1", "flair")
    viewer = layers_for(other, result=result_of(other))
    found = hung(again, list(viewer.layers), other, [other])
    t1, flair, seg, mask, lin, nec = viewer.layers
    assert found.cells == ((flair, seg), (t1, mask), (lin,), (nec,))
    assert (again.rows, again.columns, again.when.families) == (2, 3, ("proxy",))
    with pytest.raises(SparseExplainError, match="there already"):
        save_protocol(made, folder=tmp_path)
    delete_protocol("my-cells", folder=tmp_path)
    assert own_protocols(tmp_path) == ((), ())
    with pytest.raises(ParameterError, match="nothing side by side"):
        protocol_of("x", "x", [[Points([[0, 0, 0]])]], Layout(), other, [])


def test_names_of_files() -> None:
    assert name_for(" Kopf: T1 / FLAIR ") == "kopf-t1-flair"
    assert name_for("头部") == name_for("头部") != name_for("胸部")
    for wrong in ("", "  ", "a\nb", "x" * 81):
        with pytest.raises(ParameterError, match="1 to 80 characters"):
            name_for(wrong)


GOOD = {
    "format": "sparseexplain hanging protocol", "version": 1, "name": "own", "title": "Own",
    "when": {}, "cells": [[{"kind": "scan", "name": "t1"}]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "else"}, "no hanging protocol"),
        ({"version": 2}, "version 2"),
        ({"name": "other"}, "the file is called 'own'"),
        ({"name": "../own"}, "'name' must be small letters"),
        ({"title": "two\nlines"}, "'title' must be one line"),
        ({"colour": "red"}, "'colour' is not known"),
        ({"cells": []}, "every cell must show something"),
        ({"cells": [[]]}, "every cell must show something"),
        ({"cells": [[{"kind": "scan"}]] * 31}, "31 entries"),
        ({"cells": [[{"kind": "layer"}]]}, r"'cells\[0\]\[0\].kind' must be one of"),
        ({"cells": [[{"kind": "output"}]]}, "found by its name"),
        ({"cells": [[{"kind": "map", "name": "share-1"}]]}, "no kind of map"),
        ({"cells": [[{"kind": "scan", "drawn": "outline"}]]}, "only masks"),
        ({"rows": 2}, "rows and columns belong together"),
        ({"rows": 1, "columns": 1, "cells": [[{"kind": "scan"}]] * 2}, "no room in 1 × 1"),
        ({"when": {"studies": 0}}, "'when.studies' must lie between"),
        ({"when": {"roles": "t1"}}, "'when.roles' must be a list"),
    ],
)
def test_every_mistake_in_a_file_is_named_with_its_remedy(
    tmp_path: Path, change: dict, words: str
) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(ReadError, match=words) as told:
        read_protocol(path)
    assert str(path) in str(told.value)
    assert told.value.remedy
    assert "\n" not in str(told.value)


def test_a_damaged_file_spoils_no_other_and_ones_own_stands_first(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text(json.dumps(GOOD))
    (tmp_path / "broken.json").write_text('{"format": ')
    mine = {**GOOD, "name": "brain-tumour", "title": "Mine"}
    (tmp_path / "brain-tumour.json").write_text(json.dumps(mine))
    found, wrong = own_protocols(tmp_path)
    assert [protocol.title for protocol in found] == ["Mine", "Own"]
    assert len(wrong) == 1
    assert "broken.json" in str(wrong[0])
    titles = [protocol.title for protocol in all_protocols(tmp_path)]
    assert titles[:2] == ["Mine", "Own"]
    assert len(titles) == 9, "mine stands in place of the one that ships"
    assert own_protocols(tmp_path / "none") == ((), ())
