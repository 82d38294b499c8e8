"""What surrounds every request: who may ask, what is uploaded, the OpenAPI document and the log."""
