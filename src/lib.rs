//! Capline.
