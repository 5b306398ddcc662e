"""Model bundles: card, weights, the shipped ones, and models from elsewhere."""
