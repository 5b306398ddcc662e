"""Evaluation: scores on cases held out, as tables beside the papers' numbers."""
