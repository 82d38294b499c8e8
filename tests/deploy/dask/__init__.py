"""Tests of deploy/dask."""
