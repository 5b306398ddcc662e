"""Codes of what is exported: structures, units and quantities (DICOM PS3.16, SNOMED CT, UCUM).

A name that is not known here gets the general code (Tissue, no units, a quantity of this program's
own scheme): the name itself always stands beside it in words, and no meaning is made up.
"""

from __future__ import annotations

from pydicom.sr.coding import Code

#: Coding scheme of quantities that no standard has a code for; 99 marks a private one.
SCHEME = "99SPARSEEXPLAIN"

_ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
_ANATOMY = Code("123037004", "SCT", "Anatomical Structure")
_TISSUE = Code("85756007", "SCT", "Tissue")
_LESION = Code("52988006", "SCT", "Lesion")

#: A word of a class name, and its category and type (CID 7150, CID 7151 and following).
_SEGMENTS: tuple[tuple[tuple[str, ...], Code, Code], ...] = (
    (("oedema", "edema"), _ABNORMAL, Code("79654002", "SCT", "Edema")),
    (("necrosis", "necrotic"), _ABNORMAL, Code("6574001", "SCT", "Necrosis")),
    (("tumour", "tumor", "glioma", "enhancing"), _ABNORMAL, Code("108369006", "SCT", "Neoplasm")),
    (("lesion",), _ABNORMAL, _LESION),
    (("left ventricle", "lv cavity"), _ANATOMY, Code("87878005", "SCT", "Left ventricle")),
    (("brain",), _ANATOMY, Code("12738006", "SCT", "Brain")),
)

#: Units as this program writes them, in UCUM (CID 7181).
_UNITS = {
    "SUVbw": Code("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight"),
    "g/ml": Code("g/ml", "UCUM", "g/ml"),
    "Bq/ml": Code("Bq/ml", "UCUM", "Becquerels/milliliter"),
    "HU": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
    "ms": Code("ms", "UCUM", "millisecond"),
    "s": Code("s", "UCUM", "second"),
    "mm": Code("mm", "UCUM", "mm"),
    "mm²/s": Code("mm2/s", "UCUM", "mm2/s"),
    "mm2/s": Code("mm2/s", "UCUM", "mm2/s"),
    "10⁻³ mm²/s": Code("10*-3.mm2/s", "UCUM", "10*-3.mm2/s"),
    "µm²/ms": Code("um2/ms", "UCUM", "um2/ms"),
    "µm": Code("um", "UCUM", "micrometer"),
    "%": Code("%", "UCUM", "Percent"),
    "bit": Code("bit", "UCUM", "bit"),
    "Hz": Code("Hz", "UCUM", "Hertz"),
}

#: Body Part Examined and what it means (PS3.16 Annex L).
_REGIONS = {
    "BRAIN": Code("12738006", "SCT", "Brain"),
    "HEAD": Code("69536005", "SCT", "Head"),
    "HEART": Code("80891009", "SCT", "Heart"),
    "CHEST": Code("51185008", "SCT", "Chest"),
    "ABDOMEN": Code("818983003", "SCT", "Abdomen"),
    "PELVIS": Code("12921003", "SCT", "Pelvis"),
    "SPINE": Code("421060004", "SCT", "Spine"),
}

#: What a person marked, whose meaning is in its words alone: none is made up.
MARK = Code("MARK", SCHEME, "Marked by a person")

MAP_VALUE = Code("MAPVALUE", SCHEME, "Value of an explanation's map")

MEASURABLE = Code("MEASURABLE", SCHEME, "Measurable: both diameters are 10 mm or more")

#: Response assessment in neuro-oncology (CID 6147).
RANO = Code("C114879", "NCIt", "RANO")

#: What the values of a scan are, by their unit (CID 7180).
_SCAN_VALUES = {
    "HU": Code("112031", "DCM", "Attenuation Coefficient"),
    "SUVbw": Code("126401", "DCM", "SUVbw"),
    "mm²/s": Code("113041", "DCM", "Apparent Diffusion Coefficient"),
    "mm2/s": Code("113041", "DCM", "Apparent Diffusion Coefficient"),
    "10⁻³ mm²/s": Code("113041", "DCM", "Apparent Diffusion Coefficient"),
}

_QUANTITIES = {
    "heatmap": Code("130402", "DCM", "Class activation"),
    "signal": Code("SIGNAL", SCHEME, "Signal inside the model"),
    "component": Code("COMPONENT", SCHEME, "Part of the image that one class explains"),
    "response": Code("RESPONSE", SCHEME, "Response of the model's linear part"),
    "parameter map": Code("PARAMETER", SCHEME, "Estimated parameter"),
}


def segment_codes(name: str) -> tuple[Code, Code]:
    """Category and type of a segment, by words of its name; Tissue where none is known."""
    plain = name.lower()
    for words, category, kind in _SEGMENTS:
        if any(word in plain for word in words):
            return category, kind
    return _TISSUE, _TISSUE


def lesion_codes(name: str) -> tuple[Code, Code]:
    """Category and type of what a mask of lesions shows: a lesion where its name says no more."""
    category, kind = segment_codes(name)
    return (_ABNORMAL, _LESION) if kind == _TISSUE else (category, kind)


def region_code(body_part: str) -> Code | None:
    """The region that Body Part Examined names; None for one that is not in the table."""
    return _REGIONS.get(body_part.strip().upper())


def unit_code(unit: str) -> Code:
    """A unit in UCUM; "no units" for an arbitrary one or one that is not in the table."""
    return _UNITS.get(unit.strip(), Code("1", "UCUM", "no units"))


def value_code(unit: str, modality: str) -> Code:
    """What the values of a scan are, by unit and DICOM's Modality."""
    if (known := _SCAN_VALUES.get(unit.strip())) is not None:
        return known
    if modality == "MR" and not unit:
        return Code("110852", "DCM", "MR signal intensity")
    return Code("SCANVALUE", SCHEME, "Value of the scan")


def quantity_code(kind: str) -> Code:
    """What the values of a map of this kind are."""
    return _QUANTITIES[kind]
