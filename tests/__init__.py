"""A package, so that pytest does not put this folder on the import path.

There ``tests/sparse`` would pass for the library of that name, which dask looks for.
"""
