//! Two operators with leader election, of which the one that leads is killed, frozen or cut off from the API server again and
//! again while releases run beside traffic. For `make ha`.

mod leaders;
mod releases;
mod told;

use std::{process::ExitCode, time::Duration};

use serin_bed::{
    Bed, Options,
    lacking::Lacking,
    observer::Observer,
    stage::{self, Stage},
    story,
};

use releases::every_run_ends_as_it_should_when_leaders_fail;

/// What the story has.
pub(crate) struct Shared {
    pub(crate) bed: Bed,
    observer: Observer,
}

impl stage::Shared for Shared {
    fn bed(&self) -> &Bed {
        &self.bed
    }

    fn observer(&self) -> Option<&Observer> {
        Some(&self.observer)
    }
}

/// Long enough for a bed under load.
pub(crate) const READY: Duration = Duration::from_secs(60);
/// What the operator may do with Leases, as shipped.
const RIGHTS: [&str; 2] = [
    include_str!("../../../deploy/kustomize/components/leader-election/role.yaml"),
    include_str!("../../../deploy/kustomize/components/leader-election/rolebinding.yaml"),
];

async fn start() -> anyhow::Result<Shared> {
    let bed = Bed::start(Options::default()).await?;
    bed.install().await?;
    for rights in RIGHTS {
        bed.apply_yaml("serin-system", rights).await?;
    }
    let observer = Observer::start(bed.admin());
    Ok(Shared { bed, observer })
}

const STORIES: stage::Family<Shared> = &[story!(every_run_ends_as_it_should_when_leaders_fail)];

fn main() -> anyhow::Result<ExitCode> {
    let lacking = Lacking::find("ha")?;
    lacking.enter()?;
    let mut stage = Stage::new(lacking, start)?;
    stage.play(1, &[("", STORIES)]);
    stage.end()
}
