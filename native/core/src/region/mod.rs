//! Regions: what every structure shares. The format is `docs/formats/region.md`.

pub mod header;
