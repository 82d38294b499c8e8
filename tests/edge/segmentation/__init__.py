"""Tests of edge/segmentation."""
