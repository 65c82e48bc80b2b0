"""testing.soak: the long runs (`scripts/soak NAME`) whose short, seeded forms are among the tests."""
