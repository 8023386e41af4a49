//! Registers → [`crate::reading::Value`]. Written once for all types and orders.
