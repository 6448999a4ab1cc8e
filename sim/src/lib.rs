//! Cutpoint.
