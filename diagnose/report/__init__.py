"""The page: summary (what runs left behind) -> figures (SVG) -> page (one HTML file), and the terminal's rows."""
