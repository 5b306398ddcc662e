"""Scans laid over each other: transforms from elsewhere, registration, and whether they fit."""
