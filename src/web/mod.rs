//! The web: pages, JSON, the live stream. Computes nothing; shows what lines publish and the historian kept.
