"""A small family of another package: one method, its tab, one command, one format of files."""

from __future__ import annotations

from napari_sparseexplain.families import Family

FAMILY = Family(
    name="small",
    title="Small",
    methods="sparseexplain_small.methods:METHODS",
    tab="sparseexplain_small.tab:SmallTab",
    commands={"small": "sparseexplain_small.command:small"},
    readers=("sparseexplain_small.sfv:READER",),
)
