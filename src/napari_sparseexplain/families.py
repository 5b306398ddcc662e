"""The families, in the order of their tabs, and what each brings; every registry reads this list.

A family names its parts by texts, ``"package.module:name"``, so that reading the list loads
nothing: no torch, no Qt, none of the floors. Other packages bring a family of their own by an entry
point of the group `GROUP` that names a `Family`. One of these that cannot be loaded, or that takes
a name which is taken, is left out and costs one line (`left_out`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: Entry points of other packages' families.
GROUP = "napari_sparseexplain.families"

#: The package that this is.
OWN = "napari-sparseexplain"

_HERE = __package__
_COMMANDS = f"{_HERE}.commands"


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """One family: methods that belong together, and all that the program shows of them.

    Every reference is a text ``"package.module:name"``. What a family does not bring stays empty.

    Attributes
    ----------
    name : str
        One word in small letters: what the window calls its tab by.
    title : str
        For a person, as on the tab.
    methods : str
        Its `MethodInfo`s, as a sequence. The module must load without torch.
    tab : str
        Class of its tab, made with the window.
    plots : str
        Title of the tab's panel below the picture (its ``plots``), where it has one.
    panels : mapping of str to str
        Further panels below the picture by their titles: names of attributes of the tab.
    commands : mapping of str to str
        Commands of ``sparseexplain`` by name: functions, or typer applications.
    recipes : mapping of str to str
        What ``sparseexplain train`` trains, by name: functions.
    evaluations : mapping of str to str
        What ``sparseexplain evaluate`` evaluates, by name: functions.
    readers : tuple of str
        Readers of files (`volumes.readers.Reader`), each in a module that loads quickly.
    bundles : tuple of str
        Folders of model bundles, ``"package:folder"``; the name of the last folder is the model's.
    samples : mapping of str to str
        Sample data for File › Open Sample, by key.
    demo : str
        Steps of the demonstration: a function that takes a `widgets.demo.Demo`.
    page : str
        Its page in the documentation, relative to ``docs/``.
    package, version : str
        The distribution that it came from; filled in for those of other packages.
    """

    name: str
    title: str
    methods: str = ""
    tab: str = ""
    plots: str = ""
    panels: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    recipes: Mapping[str, str] = field(default_factory=dict)
    evaluations: Mapping[str, str] = field(default_factory=dict)
    readers: tuple[str, ...] = ()
    bundles: tuple[str, ...] = ()
    samples: Mapping[str, str] = field(default_factory=dict)
    demo: str = ""
    page: str = ""
    package: str = OWN
    version: str = ""

    @property
    def is_own(self) -> bool:
        """Whether it is part of this package."""
        return self.package == OWN


def _bundles(*names: str) -> tuple[str, ...]:
    return tuple(f"{_HERE}.networks:bundles/{name}" for name in names)


def _training(*names: str) -> dict[str, str]:
    return {name: f"{_COMMANDS}.train:train_{name.replace('-', '_')}" for name in names}


#: The families of this package, in the order of their tabs.
FAMILIES = (
    Family(
        name="study",
        title="Study",
        tab=f"{_HERE}.widgets.study.tab:StudyTab",
        commands={
            "study": f"{_COMMANDS}.study:describe",
            "phantom": f"{_COMMANDS}.phantom:phantom",
            "phantom-slices": f"{_COMMANDS}.phantom:phantom_slices",
        },
        samples={"phantom-tumour-study": f"{_HERE}.layers.io.napari_sample:phantom_tumour_study"},
        demo=f"{_HERE}.widgets.study.demo:show_study",
        page="volumes.md",
    ),
    Family(
        name="proxy",
        title="Proxy",
        methods=f"{_HERE}.explanation.proxy.methods:PROXY_METHODS",
        tab=f"{_HERE}.widgets.proxy.tab:ProxyTab",
        plots="Responses",
        commands={"matched-filter": f"{_COMMANDS}.explain:matched_filter"},
        recipes=_training("sum-seg", "sum-rec", "sum-denoise", "unet", "unet-nobn", "proxy"),
        evaluations={"sum": f"{_COMMANDS}.evaluate:evaluate_sum"},
        bundles=_bundles("unet", "unet-nobn", "sum-seg", "sum-rec", "sum-denoise"),
        demo=f"{_HERE}.widgets.proxy.demo:show_proxy",
        page="sum.md",
    ),
    Family(
        name="decompose",
        title="Decompose",
        methods=f"{_HERE}.explanation.components.methods:COMPONENT_METHODS",
        tab=f"{_HERE}.widgets.decompose.tab:DecomposeTab",
        commands={"decompose": f"{_COMMANDS}.decompose:decompose"},
        recipes=_training(
            "jf-ml-ista",
            "jf-ml-ista-separate",
            "jf-ml-ista-unconstrained",
            "jf-ml-ista-separate-unconstrained",
            "unet-classes",
        ),
        evaluations={"jf-ml-ista": f"{_COMMANDS}.evaluate:evaluate_jf_ml_ista"},
        bundles=_bundles("jf-ml-ista", "jf-ml-ista-separate", "unet-classes"),
        demo=f"{_HERE}.widgets.decompose.demo:show_decomposition",
        page="jf-ml-ista.md",
    ),
    Family(
        name="attribution",
        title="Attribution",
        methods=f"{_HERE}.explanation.attribution.methods:ATTRIBUTION_METHODS",
        tab=f"{_HERE}.widgets.attribution.tab:AttributionTab",
        commands={"faithfulness": f"{_COMMANDS}.faithfulness:faithfulness"},
        demo=f"{_HERE}.widgets.attribution.demo:show_attribution",
        page="attribution.md",
    ),
    Family(
        name="layers",
        title="Layers",
        methods=f"{_HERE}.explanation.layer_maps.methods:LAYER_METHODS",
        tab=f"{_HERE}.widgets.layer_maps.tab:LayersTab",
        plots="Kernels",
        panels={"Cine": "cine", "Training": "training"},
        commands={
            "search": f"{_COMMANDS}.left_ventricle:search",
            "cine": f"{_COMMANDS}.left_ventricle:cine",
            "left-ventricle-mass": f"{_COMMANDS}.left_ventricle:left_ventricle_mass",
        },
        recipes={
            "left-ventricle-fcn": f"{_COMMANDS}.left_ventricle:train_fcn",
            "left-ventricle-unet": f"{_COMMANDS}.left_ventricle:train_unet",
            "left-ventricle-fcn-paper": f"{_COMMANDS}.left_ventricle:train_fcn_paper",
            "left-ventricle-alexnet": f"{_COMMANDS}.left_ventricle:train_alexnet",
        },
        evaluations={"left-ventricle": f"{_COMMANDS}.left_ventricle:evaluate_left_ventricle"},
        bundles=_bundles("left-ventricle-fcn", "left-ventricle-unet"),
        demo=f"{_HERE}.widgets.layer_maps.demo:show_layers",
        page="layer-maps.md",
    ),
    Family(
        name="cardiac",
        title="Cardiac",
        demo=f"{_HERE}.widgets.layer_maps.cardiac_demo:show_cardiac",
        page="left-ventricle.md",
    ),
    Family(
        name="data",
        title="Data",
        tab=f"{_HERE}.widgets.data_explorer.tab:DataTab",
        plots="Measures",
        commands={"explore": f"{_COMMANDS}.explore:explore"},
        demo=f"{_HERE}.widgets.data_explorer.demo:show_data",
        page="data-explorer.md",
    ),
    Family(
        name="classifiers",
        title="Embedding",
        tab=f"{_HERE}.widgets.classifiers.tab:EmbeddingTab",
        plots="Points",
        commands={
            "compare-attribution": f"{_COMMANDS}.classifiers:compare_attribution",
            "embed": f"{_COMMANDS}.classifiers:embed",
        },
        recipes={
            "tumour-classes": f"{_COMMANDS}.classifiers:train_classes",
            "tumour-classes-boxes": f"{_COMMANDS}.classifiers:train_classes_boxes",
        },
        evaluations={"classifiers": f"{_COMMANDS}.classifiers:evaluate_classifiers_command"},
        demo=f"{_HERE}.widgets.classifiers.demo:show_classifiers",
        bundles=_bundles("tumour-classes", "tumour-classes-boxes"),
        page="classifiers.md",
    ),
    Family(
        name="microstructure",
        title="Microstructure",
        methods=f"{_HERE}.explanation.microstructure.methods:MICROSTRUCTURE_METHODS",
        tab=f"{_HERE}.widgets.microstructure.tab:MicrostructureTab",
        commands={
            "simulate": f"{_COMMANDS}.simulate:simulate",
            "voxel": f"{_COMMANDS}.voxel:voxel",
        },
        recipes={
            "microstructure-hybrid": f"{_COMMANDS}.train_microstructure:train_hybrid",
            "microstructure-learned": f"{_COMMANDS}.train_microstructure:train_learned",
        },
        evaluations={
            "microstructure": f"{_COMMANDS}.evaluate_microstructure:evaluate_microstructure"
        },
        demo=f"{_HERE}.widgets.microstructure.demo:show_microstructure",
        page="microstructure.md",
    ),
    Family(
        name="review",
        title="Review",
        tab=f"{_HERE}.widgets.review.tab:ReviewTab",
        panels={"Lesions": "lesions", "Priors": "priors"},
        commands={
            "report": f"{_COMMANDS}.report:report",
            "export-dicom": f"{_COMMANDS}.export_dicom:export_dicom",
            "lesions": f"{_COMMANDS}.lesions:lesions",
            "register": f"{_COMMANDS}.register:register",
        },
        demo=f"{_HERE}.widgets.review.demo:show_review",
        page="review.md",
    ),
)

#: Why families of other packages were left out, one line each, by package and family.
_LEFT_OUT: dict[tuple[str, str], str] = {}


def families() -> tuple[Family, ...]:
    """The families: this package's, then those of other packages that could be loaded."""
    others = (family for family in _others() if (family.package, family.name) not in _LEFT_OUT)
    return (*FAMILIES, *others)


def left_out() -> tuple[str, ...]:
    """One line for every family of another package that was left out so far, and why."""
    return tuple(_LEFT_OUT.values())


def resolve(reference: str) -> Any:
    """What a reference ``"package.module:name"`` names; loads its module."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


def folder_of(reference: str) -> Path:
    """The folder that a reference ``"package:folder"`` names; loads at most the parent package."""
    package, _, inside = reference.partition(":")
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"there is no package {package!r}")
    return Path(spec.submodule_search_locations[0], inside)


@contextmanager
def attempt(family: Family) -> Iterator[None]:
    """Whatever fails inside costs a family of another package its place; one of ours raises."""
    try:
        yield
    except (Exception, SystemExit) as error:
        if family.is_own:
            raise
        _leave_out(family.package, family.version, family.name, error)


def forget() -> None:
    """Look for the families of other packages anew, as after one was installed."""
    _others.cache_clear()
    _LEFT_OUT.clear()


@cache
def _others() -> tuple[Family, ...]:
    found: list[Family] = []
    taken = {family.name: OWN for family in FAMILIES}
    for point in sorted(entry_points(group=GROUP), key=lambda p: (*_source(p), p.name)):
        package, version = _source(point)
        try:
            family = point.load()
            if not isinstance(family, Family):
                raise TypeError(f"{point.value} is no Family")
            if family.name in taken:
                raise ValueError(f"{taken[family.name]} has a family {family.name!r} already")
        except (Exception, SystemExit) as error:
            _leave_out(package, version, point.name, error)
            continue
        taken[family.name] = package
        found.append(replace(family, package=package, version=version))
    return tuple(found)


def _source(point: EntryPoint) -> tuple[str, str]:
    """Distribution and version that an entry point came from."""
    return ("?", "") if point.dist is None else (point.dist.name, point.dist.version)


def _leave_out(package: str, version: str, name: str, error: BaseException) -> None:
    said = next(iter(str(error).strip().splitlines()), "")
    why = f"{type(error).__name__}: {said}" if said else type(error).__name__
    line = f"the family {name!r} of {package} {version} is left out ({why})"
    _LEFT_OUT.setdefault((package, name), line)
