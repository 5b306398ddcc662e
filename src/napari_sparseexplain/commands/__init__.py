"""The commands of `sparseexplain`, a family a file. Each is a thin call into the floors below."""
