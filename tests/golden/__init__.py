"""What programs rely on, recorded from the version before: formats, columns, options, exit codes, the store."""
