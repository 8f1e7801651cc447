"""What tests/bench/compare and tests/bench/growth are made of. Python's standard library only."""
