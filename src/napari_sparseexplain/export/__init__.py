"""What leaves: pictures and reports, drawn without a window."""
