"""Pictures of a reading, drawn without a window."""
