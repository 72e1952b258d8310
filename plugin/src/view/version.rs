//! The version of views.

/// Version of the fields of views: within it, fields are only added.
pub const API_VERSION: &str = "view.serin.dev/v1alpha1";
