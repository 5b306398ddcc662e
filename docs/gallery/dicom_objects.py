"""
A result as DICOM
=================

Maps of a study that came from DICOM go back as DICOM: values as a Parametric Map, masks as a
Segmentation, both referring to the images they lie on, and without the patient's name. The
image here is the small MR of the package pydicom; the module is not trained.
"""

import tempfile

import torch
from pydicom import dcmread
from pydicom.data import get_testdata_file

import napari_sparseexplain as se
from napari_sparseexplain.export.dicom.objects import export_dicom_work
from napari_sparseexplain.progress import drain

torch.manual_seed(0)
study = se.open_study(str(get_testdata_file("MR_small.dcm")))
module = torch.nn.Conv2d(1, 2, 3, padding=1)
result = se.explain(study, module, "vanilla-gradient", roles="t2", target=1)
figure = result.plot()

exported = drain(export_dicom_work(result, study, tempfile.mkdtemp()))
for path in exported.files:
    written = dcmread(path)
    print(path.name, "|", written.SOPClassUID.name, "|", written.PatientName)
    print("frames:", written.NumberOfFrames, "| identity removed:", written.PatientIdentityRemoved)
