"""The panel *Lesions* below the picture: a table of the components of any mask."""
