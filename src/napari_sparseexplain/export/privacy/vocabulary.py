"""Words that tell nothing of a person: radiology's own, common names of files, and this program's.

A file called ``left_frontal_scan`` names nobody, and a note that says "left frontal" must stay as it
is. So of the words of file names, folder names and descriptions only those are searched for that do
not stand here. A patient's own name is searched for in a person's words even where it is such a
word ("White", "Long").
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from importlib import resources
from pathlib import Path

from .own_words import own_words

#: Shorter words and numbers occur in any text; the policy decides about them, not the search.
SHORTEST = 4

_WORD = re.compile(r"[^\W\d_]+")

#: Words of file and folder names, and of headers, that name no person.
_FILES = """
    absolute admin administrator adult analysis annotated annotation annotations anon anonymized
    anonymised anonymous applications archive archives array atlas aligned background backup base
    baseline batch binary bids bidsignore bias bin block brain brains brats build cache camera
    candidate case cases challenge child class cohort collection colour color common complete
    compressed computed config converted copy coregistered corrected count crop cropped current
    customer data database dataset datasets date debug default defaced defacing delivery demo
    denoised deployment derivative derivatives derived desktop device dicom dicomdir disk document
    documents download downloads draft drive dump empty enhanced environment eval evaluation exam
    examination example examples exams expert explanation explanations export exported exports
    external extra extracted false figure file files filtered final first fixed fixture fixtures
    folder folders followup follow format frame frames full generated gold grey gray grid ground
    group groups half header headers headfirst high home host icloud identifier image images import
    imported incoming index infos input inputs inside institution internal isotropic item items
    joined json jpeg label labelled labels large last left level library line linear list little
    load local location long longitudinal look lower main manual manually mask masks match maximum
    mean media median medical medium merged method middle miccai minimum mirror missing mixed
    model models modality modified month mount mounted moved moving multi multiple multimodal native
    nearest network nifti node noise none normal normalised normalized number observer onedrive open
    opened operator order orientation oriented origin original originals other outcome output outputs
    outside overlay overview package pair paper part parts participant participants path patient
    patients people phantom phantoms phase picture pictures pilot place planes plain point points
    post prediction predictions prefix prepared preprocessed preprocessing previous primary print
    prior private probability processed processing project projects protocol public python quality
    quick random rater rating readers reading ready real reconstructed record records reduced
    reference region region regions registered registration released report reports resampled
    research resliced resolution result results retest review reviewed reviews right root round
    runs sample samples scan scanner scans scratch screenshot script search second secondary section
    select selected server session sessions setup shape shared short shrunk side signal simple
    single site sites size slab slice slices slow small smooth smoothed source space spacing split
    stack stage standard start state static step stored string stripped studies study subject
    subjects subset suffix summary support synthetic system table tables tags target task teaching
    temp template temporary test tests testing thick thin third thumbnail tiff time timepoint tiny
    title tool tools total train training transform transformed trial true truth type types unknown
    unnamed untitled upload upper user users usual validation value values verified version view
    views visit visits volume volumes warped weights whole window windows with without work
    worker workspace world write year zero zipped
"""

#: Sequences, anatomy, pathology and other words of radiology.
_RADIOLOGY = """
    abdomen abdominal abnormal abscess accumbens acetabulum acquisition acute adenoma adrenal
    agent aneurysm angio angiography angiogram ankle anterior aorta aortic apical apparent appendix
    arch arterial artery astrocytoma asymmetric asymmetry atrial atrium atrophy average axes axial axis
    axonal basal base basis benign bilateral biopsy bladder bleed bleeding blood body bold bolus bone
    border bowel brainstem bravo breast bright bronchus bulb calcification calcified callosum
    cancer capsule carcinoma cardiac carotid caudate cavity centre center central cerebellar
    cerebellum cerebral cerebrum cervical change changes chest chiasm choroid chronic cine
    cingulate circumference cisterns clinical coefficient coil colon column component components
    consolidation contour contours contralateral contrast control core corona coronal coronary
    corpus cortex cortical cranial cranium crossing cystic cyst cysts dark deep defect deformity
    delayed density diastole diastolic diencephalon difference diffuse diffusion dilated direction
    directions dirty disc disease displaced distal dixon dorsal dose dotarem dual dura dural dynamic
    early echo echoplanar edema edge effect effusion elbow encoded encoding endocardium
    enhancement enhancing entorhinal epicardial ependymoma erosion extent eyes face falx fast fatsat
    feet femoral femur fiber fibers fibre fibres field fieldmap finding findings fissure flair flow
    fluid fluorodeoxyglucose focal foot fornix fossa fourth fractional fracture frontal functional
    fundus fused fusiform gadavist gadobutrol gadolinium gadoterate gadovist gallbladder ganglia
    gantry generation germinoma glioblastoma glioma gliomas gliosis globus gradient grade great
    gyrus haemangioma haematoma haemorrhage hand haste head heart hemangioma hematoma hemisphere
    hemispheres hemorrhage hepatic hernia heterogeneous high hilum hippocampal hippocampus homogeneous
    horn humerus hydrocephalus hyperintense hyperintensity hypointense hypothalamus iliac imaging
    incidental increase infarct infarction inferior inflammation infratentorial inhomogeneous
    inner insula intensity internal interval intestine intracranial inversion ischaemia ischaemic
    ischemia ischemic joint kernel kidney kidneys knee large late lateral left lens lesion
    lesions leptomeningeal ligament limbic line lingual lipoma liver lobe lobes localiser localizer
    loss lower lumbar lung lungs lymph lymphoma magnetic magnetisation magnetization magnitude malignant
    mammography mandible margin margins mass matter measurement medial mediastinum medulla
    medulloblastoma membrane meningeal meningioma meningiomas meniscus mesial metabolic metastases
    metastasis metastatic microbleed microbleeds midbrain midline midsagittal minimal mitral moderate
    monitoring motion movement mprage mucosa mucosal multiband muscle muscles myelin myocardial
    myocardium nasal nasopharynx neck necrosis necrotic neoplasm nerve nerves neurinoma nodal nodular
    nodule nodules normal nose nuclear nucleus oblique occipital oedema olfactory oligodendroglioma
    optic oral orbit orbital orbits outer pallidum palsy pancreas paracentral parahippocampal
    parallel parametric paranasal parenchyma parietal partial patchy patella pathology pelvic pelvis
    percent perfusion pericardial pericardium perilesional perimeter peripheral peritumoral
    peritumoural periventricular pineal pituitary plane plaque plaques pleural plexus pneumonia pole
    pons pontine position positive positron posterior postcentral postcontrast postoperative
    precentral precontrast precuneus prefrontal preoperative pressure previous primary progression
    prominent prone prostate proton proximal pulmonary pulse punctate putamen quadrant
    radiation radiologist radiology radiotherapy radius ratio recovery rectal rectum recurrence
    recurrent regular relaxation renal repetition resection resonance response resting restricted
    restriction ribs right rim ring rupture sacral sagittal saturation scalp scar schwannoma sclerosis
    sella selective sequence series shift shoulder sided signal sinus sinuses skin skull slight
    small soft solid spectroscopy sphenoid spin spinal spine spiral spleen splenium spoiled spot spots
    spread stable stealth steady stem stenosis stereotaxis sternum stomach strain stroke structure
    study subarachnoid subcortical subdural subtle subtraction sulci sulcus superior supine
    suppressed suppression supratentorial surface surgery surgical suspected susceptibility suture
    swelling systole systolic tectum tegmentum temporal tendon tensor tentorium terminal thalamic
    thalamus thickness third thoracic thorax throat thrombosis thrombus thymus thyroid tibia tissue
    tissues tomography tonsil torso total trace trachea tract tracts transfer transverse trauma
    treatment treated tricuspid trigeminal trufi tuberculosis tumor tumors tumoral tumour tumours
    turbo ultrasound uncal uncus undirected unenhanced unilateral upper ureter urinary uterus
    blade cube fiesta fspgr haste lava propeller radial spair spectral stir swan tirm trufisp twist
    vague valve vascular vasogenic vein veins velocity venous ventral ventricle ventricles ventricular
    vermis vertebra vertebrae vertebral vertex vessel vessels vibe visual vocal volume weighted
    weighting white width without wrist zone
    about above across after again against along already also although always among another appear
    appears around because been before behind being below beside between both cannot clear compare
    compared could does down each either even every from give given here however inside into itself
    just know known less like likely longer made make many more most much must near need needs never
    next nothing only onto ours over please possible possibly probable probably rather same seem
    seems seen several should shows since some still such take than that their them then there these
    they this those though through thus together toward towards twice under unless until upon used
    very were what when where which while whole whose will within would your
"""


@lru_cache(maxsize=1)
def harmless_words() -> frozenset[str]:
    """Words, in small letters, that tell nothing of a person wherever they stand."""
    listed = frozenset((_FILES + _RADIOLOGY).split())
    return listed | own_words() | frozenset(f"{word}s" for word in listed)


@lru_cache(maxsize=1)
def program_words() -> frozenset[str]:
    """Words of the texts that this program's code writes, with those of `harmless_words`.

    A finished file is full of them; a patient's name that equals one of them alone is none of this
    program's making there, and so is no reason to refuse it.
    """
    found: set[str] = set()
    for source in _sources():
        found |= _literal_words(source)
    return harmless_words() | frozenset(found) | frozenset(f"{word}s" for word in found)


def _sources() -> list[str]:
    root = resources.files(__package__.partition(".")[0])
    return [path.read_text(encoding="utf-8") for path in sorted(Path(str(root)).rglob("*.py"))]


def _literal_words(source: str) -> set[str]:
    """Words of the text constants of a module, without its docstrings."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(w for w in _WORD.findall(node.value.casefold()) if len(w) >= SHORTEST)
        is_text_alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_text_alone:
            waiting.extend(ast.iter_child_nodes(node))
    return found
