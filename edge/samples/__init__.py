"""Pictures drawn by `edge.simulator`, bundled so that `make run` needs no data of anyone."""
