"""What the HTML pages share: texts in two languages, style, base template and embedded images."""
