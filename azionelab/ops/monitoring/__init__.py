"""What is told of the running site: health, metrics, the request log, faults."""
