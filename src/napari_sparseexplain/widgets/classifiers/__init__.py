"""The tab Embedding: pictures of classes as a stack and as points, and studies of their maps."""
