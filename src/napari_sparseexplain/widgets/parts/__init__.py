"""Widgets and helpers that several tabs share. None knows a family."""
