//! A line made up for tests.
