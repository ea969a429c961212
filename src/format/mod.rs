//! Byte layouts: pure functions on bytes. Only this layer knows a byte offset.

pub mod page;
