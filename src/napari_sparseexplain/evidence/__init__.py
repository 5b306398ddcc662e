"""What was found, as plain data."""

from .explanation import Explanation, ExplanationMap
from .provenance import Provenance

__all__ = ["Explanation", "ExplanationMap", "Provenance"]
