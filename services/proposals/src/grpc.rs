//! The generated traits: convert in, call, convert out.
