"""The tab Data: what a labelled set holds, with plots whose points open their slice."""
