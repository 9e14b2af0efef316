//! What operators watch and how they handle the program: metrics with their dashboard and alert rules, restarts under
//! load, units and package; and what nobody who watches gets to see.

mod canary;
mod maintained;
mod metrics;
mod promql;
mod rolling;
mod unit;
