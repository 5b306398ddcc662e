"""Synthetic tumour studies that anyone can make. No torch here; no reader needs them."""
