"""Test a version before it is used: suites, runs, and what a run showed."""
