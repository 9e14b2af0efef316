//! Every conversion between the contracts and the domain.
