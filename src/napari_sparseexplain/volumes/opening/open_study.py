"""From a path to a study: find, read, name, and bring onto one grid; say all that was done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import NoneType

from ...arguments import check_kind, given_path, is_by_text
from ...errors import ReadError, SparseExplainError, reason_of
from ...families import OWN
from ...progress import Progress, Work, drain
from ..brain_mask import find_brain
from ..finding import Finding
from ..labels.purpose import as_given, can_be_truth
from ..labels.tumour_numbering import numbering_called, told_numbering
from ..readers import Reader, reader_called, readers
from ..registration.check import not_registered
from ..registration.transform_files import transforms_below
from ..registration.transformed import placed, registrations_of
from ..resampling import patient_axes_grid
from ..roles.assignment import Opened, assign_roles, assign_roles_like
from ..study import Study
from ..volume import Volume
from .brain_masks import as_brain, brain_share
from .common_grid import bring_to_grid
from .dataset_folder import named_by_dataset
from .mask_placement import filled_in_slices, mask_placement, placement_finding
from .masks_of_frames import masks_of_frames_work
from .own_findings import own_findings
from .reference_grid import choose_reference, little_covered
from .study_files import StudyFiles, dangling_error, find_study_files, packed_error


def open_study(
    path: str | Path,
    *,
    reference: str | None = None,
    patient_axes: bool = False,
    roles: Mapping[str, str] | None = None,
    apply_transforms: bool = False,
    name: str | None = None,
    label_numbering: str = "",
) -> Study:
    """Open one patient's scans.

    Parameters
    ----------
    path : str or Path
        A NIfTI file; a folder in BraTS or BIDS naming or with any names that tell the modality; a
        DICOM file, folder or DICOMDIR; a PNG, JPG, TIFF or BMP picture, or a folder of them; what a
        family of another package reads.
    reference : str, optional
        Role of the volume whose grid the others are brought to. Default: the scan whose grid most
        scans share, among equals the one with the smallest voxels (`choose_reference`).
    patient_axes : bool
        Resample an oblique study to the patient's axes (scans linearly, labels by nearest).
    roles : mapping of str to str, optional
        File (or series) by role, where the names do not tell or tell it wrongly.
    apply_transforms : bool
        Move scans by the transforms that lie beside them (ITK's ``.txt`` and ``.tfm``, FSL's
        ``.mat``) into the space of the reference. They are looked for in any case, and what was
        found is said.
    name : str, optional
        Title of the study; default the folder's or file's name.
    label_numbering : str, optional
        What the labels of its lesion masks stand for, where the names of the files do not tell it
        or tell it wrongly: ``"brats-2015"``, ``"brats-2021"``, ``"brats-2023"``, ``"brats-2024"``,
        ``"decathlon"`` … (`volumes.tumour_numbering.NUMBERINGS`).

    Returns
    -------
    Study
        Its findings say what was resampled, what could not be read, and what to look at. Each
        volume is held once; those that were resampled stay reachable in ``originals``, from disk.

    Raises
    ------
    ReadError
        Nothing could be opened; names the file and the remedy.
    StudyError
        ``reference`` or ``roles`` ask for what is not there.

    Examples
    --------
    >>> import napari_sparseexplain as se
    >>> from napari_sparseexplain.volumes.opening.sample import sample_path
    >>> study = se.open_study(sample_path())
    >>> study["flair"].data.shape, study.grid.spacing
    ((155, 240, 240), (1.0, 1.0, 1.0))
    """
    return drain(
        open_study_work(
            path,
            reference=reference,
            patient_axes=patient_axes,
            roles=roles,
            apply_transforms=apply_transforms,
            name=name,
            label_numbering=label_numbering,
        )
    )


def open_study_work(
    path: str | Path,
    *,
    reference: str | None = None,
    patient_axes: bool = False,
    roles: Mapping[str, str] | None = None,
    roles_of: Study | None = None,
    apply_transforms: bool = False,
    name: str | None = None,
    label_numbering: str = "",
) -> Work[Study]:
    """`open_study` as a generator: a step a file, and of a DICOM folder a step a header.

    Parameters
    ----------
    roles_of : Study, optional
        The same study as it was opened before; its volumes keep the roles that they have there,
        among them those that a person edited. It takes the place of ``roles``.
    """
    path = given_path(path)
    _check_words(reference, roles, name, label_numbering)
    if label_numbering:
        numbering_called(label_numbering)  # one that there is not is refused before the work
    yield Progress(0, 0, "looking for scans")
    files = find_study_files(path)
    opened, findings = yield from _read_all(files)
    findings += own_findings(files, opened)
    yield Progress(0, 0, "bringing the volumes onto one grid")
    if roles_of is None:
        volumes, said = assign_roles(opened, roles, where=path)
    else:
        volumes, said = assign_roles_like(opened, roles_of)
    findings += said
    volumes = {r: as_given(v) if r in (roles or {}) else v for r, v in volumes.items()}
    del opened  # so that bring_to_grid can release the volumes one by one
    chosen, said = choose_reference(volumes, reference, where=path)
    findings += said
    if files.transforms:
        read, refused = transforms_below(files.transforms)
        registrations = registrations_of(read, volumes)
        if apply_transforms:
            volumes, said = placed(volumes, registrations, chosen)
            findings += said
        else:
            findings += registrations.found()
        findings += [Finding("warning", "unreadable", str(e), e.where or "") for e in refused]
    yield Progress(0, 0, "comparing where the scans lie")
    findings += not_registered(volumes, chosen)
    findings += little_covered(volumes, chosen)
    volumes, said = _looked_at_masks(volumes, chosen, {*(roles or {}), *_kept_roles(roles_of)})
    findings += said
    grid = volumes[chosen].grid
    if grid.is_oblique:
        tilt = f"the slices are tilted by {grid.obliquity_degrees:.1f}° against the patient's axes"
        if patient_axes:
            grid = patient_axes_grid(grid)
            findings.append(Finding("info", "patient-axes", f"{tilt} and were resampled to these"))
        else:
            findings.append(
                Finding(
                    "info",
                    "oblique",
                    f"{tilt} and are shown as acquired; open the study with patient axes to "
                    "resample them",
                    chosen,
                )
            )
    shown = bring_to_grid(volumes, grid, chosen)
    study = Study(
        name=name or path.resolve().name,
        path=path,
        images={r: v for r, v in shown.volumes.items() if v.kind == "image"},
        labels={r: v for r, v in shown.volumes.items() if v.kind == "label"},
        grid=grid,
        reference=chosen,
        findings=(*findings, *shown.findings),
        resamplings=shown.resamplings,
        originals=shown.originals,
    )
    told = label_numbering or ("" if roles_of is None else told_numbering(roles_of.labels))
    return study.with_label_numbering(told) if told else study


def _check_words(reference: object, roles: object, name: object, label_numbering: object) -> None:
    if roles is not None:
        check_kind(roles, _are_roles, "roles", "files by role, as {'flair': 'scan.nii.gz'}")
    check_kind(reference, (str, NoneType), "reference", "the role of a scan, as 'flair'")
    check_kind(name, (str, NoneType), "name", "a text")
    check_kind(label_numbering, (str, NoneType), "label_numbering", "a name, as 'brats-2021'")


def _are_roles(given: object) -> bool:
    return is_by_text(given, str)


def _read_all(files: StudyFiles) -> Work[tuple[list[Opened], list[Finding]]]:
    """Every file that can be read; the first error when none can."""
    opened: list[Opened] = []
    findings: list[Finding] = []
    errors: list[ReadError] = []
    single = [(r, path) for r in readers() if r.file for path in files.of(r.name)]
    single += [(reader_called("nifti"), path) for path in files.other]  # it says what they are
    for done, (reader, file) in enumerate(single):
        yield Progress(done, len(single), f"reading {file.name}")
        try:
            with _its_own_faults(reader, file):
                volume, said = reader.function()(file)
        except ReadError as error:
            errors.append(error)
        else:
            for part, notes in named_by_dataset(volume, said):
                place = files.place(file)
                if part.source.description != volume.source.description:
                    place += part.source.description[len(volume.source.description) :]
                opened.append(Opened(part, place, tuple(notes)))
    for reader in sorted(readers(), key=lambda r: r.pictures):  # pictures where there is no scan
        paths = files.of(reader.name) if reader.together else ()
        if paths and reader.pictures and (opened or errors):
            findings.append(
                Finding(
                    "info",
                    "pictures-left-out",
                    f"{len(paths)} pictures beside the scans were not opened",
                    files.place(paths[0]),
                )
            )
        elif paths:
            try:
                with _its_own_faults(reader, paths[0]):
                    read, said = yield from reader.function()(paths, files.root)
            except ReadError as error:
                errors.append(error)
            else:
                opened += [Opened(volume, place, tuple(notes)) for volume, place, notes in read]
                findings += said
    errors += [dangling_error(files.dangling)] if files.dangling else []
    errors += [packed_error(files.packed)] if files.packed else []
    if not opened:
        raise errors[0]
    opened = yield from masks_of_frames_work(opened)
    findings += [f for item in opened for f in item.findings if f.code != "oblique"]
    findings += [Finding("warning", "unreadable", str(e), e.where or "") for e in errors]
    return opened, findings


@contextmanager
def _its_own_faults(reader: Reader, where: Path) -> Iterator[None]:
    """A fault in another package's reader costs its file, as one that cannot be read."""
    try:
        yield
    except SparseExplainError:
        raise
    except Exception as error:
        if reader.package == OWN:
            raise
        raise ReadError(
            f"the reader {reader.name!r} of {reader.package} failed ({reason_of(error)})",
            where=where,
            remedy=f"Tell those who make {reader.package}, or convert the file to NIfTI",
        ) from error


def _kept_roles(study: Study | None) -> tuple[str, ...]:
    """Masks of lesions in a study that was open before: what a person left them to be."""
    if study is None:
        return ()
    return tuple(role for role, volume in study.labels.items() if can_be_truth(role, volume))


def _looked_at_masks(
    volumes: dict[str, Volume], reference: str, given: Collection[str]
) -> tuple[dict[str, Volume], list[Finding]]:
    """Masks that do not lie in the brain of the reference, or that are all of it.

    Looked at before anything is resampled. A mask of the whole brain is no lesion, whatever it is
    called: with one label it becomes the brain mask. Not of roles that a person has given.
    """
    scan = volumes[reference]
    masks = {role: volume for role, volume in volumes.items() if volume.kind == "label"}
    if not masks or scan.kind != "image" or not scan.grid.oriented:
        return volumes, []
    if scan.grid.shape[0] == 1:
        return _looked_at_one_slice(volumes, scan, masks, given)
    looked = find_brain(scan.spatial(), padding=scan.padding)
    brain = looked.mask
    findings: list[Finding] = []
    for role, mask in masks.items():
        placed = mask_placement(mask, scan, brain)
        if placed is not None and placed.is_off:
            # A second look: what a slice encloses (a lung, a ventricle open at the last slice)
            # belongs to the patient too. Too slow to do for every study.
            placed = mask_placement(mask, scan, filled_in_slices(brain))
        if placed is not None and (said := placement_finding(role, mask, reference, placed)):
            findings.append(said)
        if placed is None or placed.is_off or role in given or not can_be_truth(role, mask):
            continue
        if brain_share(mask, scan, looked):
            volumes, finding = as_brain(volumes, role)
            findings.append(finding)
    return volumes, findings


def _looked_at_one_slice(
    volumes: dict[str, Volume], scan: Volume, masks: dict[str, Volume], given: Collection[str]
) -> tuple[dict[str, Volume], list[Finding]]:
    """The same of a single slice, in its plane: as a volume, all of it would be border."""
    brain = find_brain(scan.spatial()[0], padding=scan.padding)
    findings = []
    for role, mask in masks.items():
        if role in given or not can_be_truth(role, mask) or mask.grid.shape != scan.grid.shape:
            continue
        if brain_share(mask, scan, brain):
            volumes, finding = as_brain(volumes, role)
            findings.append(finding)
    return volumes, findings
