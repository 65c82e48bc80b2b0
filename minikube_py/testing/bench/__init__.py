"""testing.bench: the benchmarks (`scripts/bench`): ratios within one run, and JSON with the machine in it."""
