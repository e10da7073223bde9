"""SVG that several pages draw."""
