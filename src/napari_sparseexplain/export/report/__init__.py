"""The report: a PDF with the pictures, the scores and what was marked."""
