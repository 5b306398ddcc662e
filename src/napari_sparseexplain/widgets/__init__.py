"""The window: workspace, tabs, panels."""
