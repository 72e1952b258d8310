//! Leading users: the route, or the pods behind the apex Service.

pub(crate) mod acceptance;
pub(crate) mod pod_weighting;
