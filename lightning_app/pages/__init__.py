"""HTML pages: what report, compare and check share (base template, style, texts, images)."""
