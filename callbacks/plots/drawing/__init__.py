"""What figures are drawn with: fonts, contact sheets, colour scales, overlays."""
