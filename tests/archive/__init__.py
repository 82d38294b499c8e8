"""Tests of the archive: the cluster, the dataset, the comparison."""
