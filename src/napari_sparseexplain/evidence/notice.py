"""What stands in everything that is made to be looked at."""

from __future__ import annotations

RESEARCH_ONLY = "RESEARCH ONLY - NOT FOR DIAGNOSTIC USE"
