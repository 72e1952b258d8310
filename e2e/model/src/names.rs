//! Names of the objects that one Canary is about.

/// Names of the objects of one Canary.
#[derive(Clone, Debug)]
pub struct Names {
    /// The user's Deployment.
    pub target: String,
    /// Its clone.
    pub primary: String,
    /// The Service that users call, and the route.
    pub apex: String,
    /// In front of the clone.
    pub primary_service: String,
    /// In front of the user's Deployment.
    pub canary_service: String,
}

impl Names {
    /// With target and apex of this name.
    pub fn of(name: &str) -> Self {
        let with = |end: &str| format!("{name}-{end}");
        Self {
            target: name.into(),
            primary: with("primary"),
            apex: name.into(),
            primary_service: with("primary"),
            canary_service: with("canary"),
        }
    }

    /// All of them.
    pub fn all(&self) -> [&str; 5] {
        [&self.target, &self.primary, &self.apex, &self.primary_service, &self.canary_service]
    }
}
