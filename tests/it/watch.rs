//! What operators watch and how they handle the program: metrics with their dashboard and alert rules, restarts under
//! load, units and package.

mod metrics;
mod promql;
mod rolling;
mod unit;
