"""How the theatre makes its visitors' pages its own: name, logo, accent colour, fonts and texts (docs/theming.md)."""
