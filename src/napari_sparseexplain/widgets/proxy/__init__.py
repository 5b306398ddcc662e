"""The Proxy tab and its panel of responses."""
