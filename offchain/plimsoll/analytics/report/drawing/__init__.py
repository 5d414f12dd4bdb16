"""Figures as still pictures: what a plotly figure holds, drawn as SVG that a page carries without any script."""
