"""What was found, as plain data."""

from .explanation import Explanation
from .explanation_map import ExplanationMap
from .provenance import Provenance

__all__ = ["Explanation", "ExplanationMap", "Provenance"]
