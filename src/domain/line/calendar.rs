//! Shifts of a plant in its own time zone.
