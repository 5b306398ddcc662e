"""Words that tell nothing of a person: radiology's own, common names of files, and this program's.

A file called ``left_frontal_scan`` names nobody, and a note that says "left frontal" must stay as
it is. So of the words of file names, folder names and descriptions only those are searched for that
do not stand here. A patient's own name is searched for in a person's words even where it is such a
word ("White", "Long").
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from pathlib import Path

from .literal_texts import literal_texts
from .program_words import own_words

#: Shorter words and numbers occur in any text; the policy decides about them, not the search.
SHORTEST = 4

_WORD = re.compile(r"[^\W\d_]+")

#: Words of file and folder names, and of headers, that name no person.
_FILES = """
    absolute admin administrator adult aligned analysis annotated annotation annotations anon
    anonymised anonymized anonymous applications archive archives array atlas background backup
    base baseline batch bias bids bidsignore bin binary block brain brains brats build cache
    camera candidate case cases challenge child class cohort collection color colour common
    complete compressed computed config converted copy coregistered corrected count crop cropped
    current customer data database dataset datasets date debug defaced defacing default delivery
    demo denoised deployment derivative derivatives derived desktop device dicom dicomdir disk
    document documents download downloads draft drive dump empty enhanced environment eval
    evaluation exam examination example examples exams expert explanation explanations export
    exported exports external extra extracted false figure file files filtered final first fixed
    fixture fixtures folder folders follow followup format frame frames full generated gold gray
    grey grid ground group groups half header headers headfirst high home host icloud identifier
    image images import imported incoming index infos input inputs inside institution internal
    isotropic item items joined jpeg json label labelled labels large last left level library
    line linear list little load local location long longitudinal look lower main manual
    manually mask masks match maximum mean media median medical medium merged method miccai
    middle minimum mirror missing mixed modality model models modified month mount mounted moved
    moving multi multimodal multiple native nearest network nifti node noise none normal
    normalised normalized number observer onedrive open opened operator order orientation
    oriented origin original originals other outcome output outputs outside overlay overview
    package pair paper part participant participants parts path patient patients people phantom
    phantoms phase picture pictures pilot place plain planes point points post prediction
    predictions prefix prepared preprocessed preprocessing previous primary print prior private
    probability processed processing project projects protocol public python quality quick
    random rater rating readers reading ready real reconstructed record records reduced
    reference region regions registered registration released report reports resampled research
    resliced resolution result results retest review reviewed reviews right root round runs
    sample samples scan scanner scans scratch screenshot script search second secondary section
    select selected server session sessions setup shape shared short shrunk side signal simple
    single site sites size slab slice slices slow small smooth smoothed source space spacing
    split stack stage standard start state static step stored string stripped studies study
    subject subjects subset suffix summary support synthetic system table tables tags target
    task teaching temp template temporary test testing tests thick thin third thumbnail tiff
    time timepoint tiny title tool tools total train training transform transformed trial true
    truth type types unknown unnamed untitled upload upper user users usual validation value
    values verified version view views visit visits volume volumes warped weights whole window
    windows with without work worker workspace world write year zero zipped
"""

#: Sequences, anatomy, pathology and other words of radiology.
_RADIOLOGY = """
    amygdala autochthon bankssts cava clavicle clavicula cord duodenum epicardium esophagus gluteus
    iliopsoas masseter maximus oesophagus pool portal proper psoas scapula splenic subiculum vena
    abdomen abdominal abnormal about above abscess accumbens acetabulum acquisition across acute
    adenoma adrenal after again against agent along already also although always among aneurysm
    angio angiogram angiography ankle another anterior aorta aortic apical apparent appear
    appears appendix arch around arterial artery astrocytoma asymmetric asymmetry atrial atrium
    atrophy average axes axial axis axonal basal base basis because been before behind being
    below benign beside between bilateral biopsy bladder blade bleed bleeding blood body bold
    bolus bone border both bowel brainstem bravo breast bright bronchus bulb calcification
    calcified callosum cancer cannot capsule carcinoma cardiac carotid caudate cavity center
    central centre cerebellar cerebellum cerebral cerebrum cervical change changes chest chiasm
    choroid chronic cine cingulate circumference cisterns clear clinical coefficient coil colon
    column compare compared component components consolidation contour contours contralateral
    contrast control core corona coronal coronary corpus cortex cortical could cranial cranium
    crossing cube cyst cystic cysts dark deep defect deformity delayed density diastole
    diastolic diencephalon difference diffuse diffusion dilated direction directions dirty disc
    disease displaced distal dixon does dorsal dose dotarem down dual dura dural dynamic each
    early echo echoplanar edema edge effect effusion either elbow encoded encoding endocardium
    enhancement enhancing entorhinal ependymoma epicardial erosion even every extent eyes face
    falx fast fatsat feet femoral femur fiber fibers fibre fibres field fieldmap fiesta finding
    findings fissure flair flow fluid fluorodeoxyglucose focal foot fornix fossa fourth
    fractional fracture from frontal fspgr functional fundus fused fusiform gadavist gadobutrol
    gadolinium gadoterate gadovist gallbladder ganglia gantry generation germinoma give given
    glioblastoma glioma gliomas gliosis globus grade gradient great gyrus haemangioma haematoma
    haemorrhage hand haste head heart hemangioma hematoma hemisphere hemispheres hemorrhage
    hepatic here hernia heterogeneous high hilum hippocampal hippocampus homogeneous horn
    however humerus hydrocephalus hyperintense hyperintensity hypointense hypothalamus iliac
    imaging incidental increase infarct infarction inferior inflammation infratentorial
    inhomogeneous inner inside insula intensity internal interval intestine into intracranial
    inversion ischaemia ischaemic ischemia ischemic itself joint just kernel kidney kidneys knee
    know known large late lateral lava left lens leptomeningeal lesion lesions less ligament
    like likely limbic line lingual lipoma liver lobe lobes localiser localizer longer loss
    lower lumbar lung lungs lymph lymphoma made magnetic magnetisation magnetization magnitude
    make malignant mammography mandible many margin margins mass matter measurement medial
    mediastinum medulla medulloblastoma membrane meningeal meningioma meningiomas meniscus
    mesial metabolic metastases metastasis metastatic microbleed microbleeds midbrain midline
    midsagittal minimal mitral moderate monitoring more most motion movement mprage much mucosa
    mucosal multiband muscle muscles must myelin myocardial myocardium nasal nasopharynx near
    neck necrosis necrotic need needs neoplasm nerve nerves neurinoma never next nodal nodular
    nodule nodules normal nose nothing nuclear nucleus oblique occipital oedema olfactory
    oligodendroglioma only onto optic oral orbit orbital orbits ours outer over pallidum palsy
    pancreas paracentral parahippocampal parallel parametric paranasal parenchyma parietal
    partial patchy patella pathology pelvic pelvis percent perfusion pericardial pericardium
    perilesional perimeter peripheral peritumoral peritumoural periventricular pineal pituitary
    plane plaque plaques please pleural plexus pneumonia pole pons pontine position positive
    positron possible possibly postcentral postcontrast posterior postoperative precentral
    precontrast precuneus prefrontal preoperative pressure previous primary probable probably
    progression prominent prone propeller prostate proton proximal pulmonary pulse punctate
    putamen quadrant radial radiation radiologist radiology radiotherapy radius rather ratio
    recovery rectal rectum recurrence recurrent regular relaxation renal repetition resection
    resonance response resting restricted restriction ribs right rim ring rupture sacral
    sagittal same saturation scalp scar schwannoma sclerosis seem seems seen selective sella
    sequence series several shift should shoulder shows sided signal since sinus sinuses skin
    skull slight small soft solid some spair spectral spectroscopy sphenoid spin spinal spine
    spiral spleen splenium spoiled spot spots spread stable steady stealth stem stenosis
    stereotaxis sternum still stir stomach strain stroke structure study subarachnoid
    subcortical subdural subtle subtraction such sulci sulcus superior supine suppressed
    suppression supratentorial surface surgery surgical susceptibility suspected suture swan
    swelling systole systolic take tectum tegmentum temporal tendon tensor tentorium terminal
    thalamic thalamus than that their them then there these they thickness third this thoracic
    thorax those though throat thrombosis thrombus through thus thymus thyroid tibia tirm tissue
    tissues together tomography tonsil torso total toward towards trace trachea tract tracts
    transfer transverse trauma treated treatment tricuspid trigeminal trufi trufisp tuberculosis
    tumor tumoral tumors tumour tumours turbo twice twist ultrasound uncal uncus under
    undirected unenhanced unilateral unless until upon upper ureter urinary used uterus vague
    valve vascular vasogenic vein veins velocity venous ventral ventricle ventricles ventricular
    vermis vertebra vertebrae vertebral vertex very vessel vessels vibe visual vocal volume
    weighted weighting were what when where which while white whole whose width will within
    without would wrist your zone
"""


@lru_cache(maxsize=1)
def harmless_words() -> frozenset[str]:
    """Words, in small letters, that tell nothing of a person wherever they stand."""
    listed = frozenset((_FILES + _RADIOLOGY).split())
    return listed | own_words() | frozenset(f"{word}s" for word in listed)


@lru_cache(maxsize=1)
def program_words() -> frozenset[str]:
    """Words of the texts that code and model cards hold, with those of `harmless_words`.

    A finished file is full of them; a patient's name that equals one of them alone is none of this
    program's making there, and so is no reason to refuse it.
    """
    found: set[str] = set()
    root = Path(str(resources.files(__name__.partition(".")[0])))
    for path in sorted(root.rglob("*.py")):
        found |= _words_of("\n".join(literal_texts(path.read_text(encoding="utf-8"))))
    for path in sorted(root.rglob("card.json")):  # what a report says of a model
        found |= _words_of(path.read_text(encoding="utf-8"))
    return harmless_words() | frozenset(found) | frozenset(f"{word}s" for word in found)


def _words_of(said: str) -> set[str]:
    return {word for word in _WORD.findall(said.casefold()) if len(word) >= SHORTEST}
