"""The interval of a slide's parasitaemia on drawn slides whose truth is known."""
