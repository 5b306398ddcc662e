"""The Decompose tab."""
