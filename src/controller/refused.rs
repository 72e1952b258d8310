//! What the API server said no to, for people to mend.

use super::Worker;
use crate::{
    apply::ApplyError,
    plan::Plan,
    snapshot::{Key, RefusedJob},
};

impl Worker {
    /// Remembers a write that is refused for good. That a Job cannot be made concerns its metric only.
    pub(super) fn refused(&self, key: &Key, plan: &Plan, error: &ApplyError) {
        let Some(why) = error.forbidden() else { return };
        let job = plan.job().filter(|name| why.starts_with(&format!("create Job {name}: ")));
        if let Some(name) = job {
            let name = name.to_owned();
            self.memory().jobs.insert(key.clone(), RefusedJob { name, why });
        } else {
            self.memory().refused.insert(key.clone(), why);
        }
    }
}
