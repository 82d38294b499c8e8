"""Tests of train/augmentation."""
