"""Pictures in and out: decoding, headers, encoding, listing."""
