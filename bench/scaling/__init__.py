"""The parts of `bench.scale_model`: a simulation of the pipeline on more workers than one has."""
