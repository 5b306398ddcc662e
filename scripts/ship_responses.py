"""Compute the responses of the bundles that ship, and lay them beside their weights.

To be run after a bundle's weights have changed: ``python scripts/ship_responses.py``. A file of
other weights is never read, so that nothing but time is lost where it is forgotten.
"""

from __future__ import annotations

import sys

from napari_sparseexplain.errors import ModelError
from napari_sparseexplain.explanation.proxy.kept_responses import keep_responses, kept_responses
from napari_sparseexplain.explanation.proxy.responses import model_responses_work
from napari_sparseexplain.explanation.proxy.shift_variance import CROP
from napari_sparseexplain.networks.bundle.catalogue import models
from napari_sparseexplain.networks.bundle.loading import load_model
from napari_sparseexplain.progress import drain

for name in sys.argv[1:] or models():
    model = load_model(name, device="cpu")
    try:
        found = drain(model_responses_work(model))
    except ModelError as error:
        print(f"{name}: {error.what}")
        continue
    keep_responses(model, CROP, (found.impulse, found.shift), beside=True)
    kept = kept_responses(model, CROP)
    print(f"{name}: {'kept' if kept is not None else 'NOT kept'}")
