"""One slice explained by everything that fits it: what is run, the parts, the verdict."""
