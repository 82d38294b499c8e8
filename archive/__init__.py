"""An archive of fields judged on a Dask cluster, into a Parquet dataset: what outgrows one machine."""
