"""What the pages share: words, layout, controls, figures, components."""
