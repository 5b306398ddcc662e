"""NIfTI files as volumes, and volumes back to NIfTI."""
