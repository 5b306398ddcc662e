"""Reading and writing files safely: bounded reading, atomic writing, one writer at a time."""
