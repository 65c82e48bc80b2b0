"""testing: fakes that behave, simulators and contract suites; shipped with the product."""
