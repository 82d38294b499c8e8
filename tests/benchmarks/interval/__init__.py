"""The interval on drawn slides."""
