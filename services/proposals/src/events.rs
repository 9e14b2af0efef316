//! What proposals publishes: states, days and approved titles, never a person or a text (SEC-31). The one place that
//! decides it.

pub mod answer;
pub mod comparison;
pub mod proposal;
