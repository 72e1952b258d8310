//! Replays over made-up pasts, and how a past is read.

mod reading;
mod replays;
