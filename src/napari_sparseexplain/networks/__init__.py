"""Networks: torch modules, model bundles, running them on a study."""
