"""The parts of bench/compare: rows as data, runners of both sides, checks, stored results, tables."""
