//! Tests of the web.
