"""The panel *Priors* below the picture: an earlier study beside the current one."""
