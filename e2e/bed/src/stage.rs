//! Plays the stories of a test target: one bed, and what else they share, serves all of them, and is made for the first one
//! that is played.
#![allow(clippy::print_stdout, reason = "what took long is for the reader of the test's output")]

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::anyhow;
use futures::future::BoxFuture;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::{runtime::Runtime, sync::OnceCell};

use crate::{
    Bed,
    lacking::{Lacking, Need},
    observer::Observer,
    story,
};

/// What the stories of a target share.
pub trait Shared: Send + Sync + 'static {
    /// The bed that they are played on.
    fn bed(&self) -> &Bed;

    /// What watches the invariants in each story's namespaces.
    fn observer(&self) -> Option<&Observer> {
        None
    }
}

/// What happens in a story.
pub type Run<S> = for<'a> fn(&'a S) -> BoxFuture<'a, anyhow::Result<()>>;

/// Stories of one file: the name of each, what it needs, and what happens.
pub type Family<S> = &'static [(&'static str, Need, Run<S>)];

/// A story of a [`Family`](crate::stage::Family): its function, and what it needs where that is more than a bed.
#[macro_export]
macro_rules! story {
    ($name:path) => {
        $crate::story!($name, $crate::lacking::Need::Bed)
    };
    ($name:path, $need:expr) => {
        (stringify!($name), $need, |shared| Box::pin($name(shared)))
    };
}

/// What all trials have.
struct Scene<S> {
    runtime: Runtime,
    shared: OnceCell<S>,
    start: Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<S>> + Send + Sync>,
    /// How long each story took.
    times: Mutex<Vec<(Duration, String)>>,
}

/// A test target while its stories are played.
pub struct Stage<S> {
    lacking: Lacking,
    arguments: Arguments,
    scene: Arc<Scene<S>>,
    left_out: &'static [&'static str],
    failed: bool,
}

impl<S: Shared> Stage<S> {
    /// For the stories of a target that `lacking` was found for; `start` makes what they share.
    ///
    /// # Errors
    /// The runtime cannot be made.
    pub fn new<F>(lacking: Lacking, start: impl Fn() -> F + Send + Sync + 'static) -> anyhow::Result<Self>
    where
        F: Future<Output = anyhow::Result<S>> + Send + 'static,
    {
        let start = Box::new(move || -> BoxFuture<'static, _> { Box::pin(start()) });
        let (runtime, shared, times) = (Runtime::new()?, OnceCell::new(), Mutex::default());
        let scene = Arc::new(Scene { runtime, shared, start, times });
        Ok(Self { lacking, arguments: Arguments::from_args(), scene, left_out: &[], failed: false })
    }

    /// These are played only where a filter names them, and with `SERIN_STORIES=all`.
    #[must_use]
    pub fn without(mut self, slow: &'static [&'static str]) -> Self {
        let all = std::env::var("SERIN_STORIES").is_ok_and(|which| which == "all");
        if self.arguments.filter.is_none() && !all {
            self.left_out = slow;
        }
        self
    }

    /// Plays these families, `side_by_side` stories at once: if those are several, `--test-threads` may say otherwise. The
    /// stories of a family without a name have only their own.
    pub fn play(&mut self, side_by_side: usize, families: &[(&str, Family<S>)]) {
        let mut trials = Vec::new();
        for (family, stories) in families {
            for (name, need, run) in *stories {
                let name = if family.is_empty() { (*name).to_owned() } else { format!("{family}::{name}") };
                if self.left_out.contains(&name.as_str()) {
                    continue;
                }
                let skipped = self.lacking.skips(&name, *need);
                trials.push(self.trial(name, *run).with_ignored_flag(skipped));
            }
        }
        let mut arguments = self.arguments.clone();
        let asked = arguments.test_threads.filter(|_| side_by_side > 1);
        arguments.test_threads = Some(asked.unwrap_or(side_by_side));
        self.failed |= libtest_mimic::run(&arguments, trials).has_failed();
    }

    fn trial(&self, name: String, run: Run<S>) -> Trial {
        let (scene, story) = (self.scene.clone(), name.clone());
        Trial::test(name, move || {
            let told = scene.runtime.block_on(async {
                let shared = scene.shared.get_or_try_init(&scene.start).await?;
                let began = Instant::now();
                let told = observed(shared, run).await;
                scene.times.lock().unwrap_or_else(PoisonError::into_inner).push((began.elapsed(), story));
                told
            });
            told.map_err(|error: anyhow::Error| Failed::from(format!("{error:#}")))
        })
    }

    /// Prints which stories took longest, when there were many.
    pub fn tell_times(&self) {
        let mut all = self.scene.times.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort_unstable_by(|a, b| b.cmp(a));
        let longest = all.iter().take(if all.len() > 50 { 15 } else { 0 });
        let told: Vec<_> =
            longest.map(|(took, story)| format!("  {:>5.1} s  {story}", took.as_secs_f64())).collect();
        if !told.is_empty() {
            println!("these took longest:\n{}\n", told.join("\n"));
        }
    }

    /// Ends the target. If a story failed, the bed stays where that is wanted ([`Bed::keep`]); what was skipped is added to
    /// the list of the whole run, or printed where there is none.
    ///
    /// # Errors
    /// That list cannot be written.
    pub fn end(self) -> anyhow::Result<ExitCode> {
        let Self { lacking, scene, failed, .. } = self;
        if let Some(shared) = scene.shared.get().filter(|_| failed) {
            scene.runtime.block_on(shared.bed().keep());
        }
        // nothing else of it runs from here on
        drop(scene);
        lacking.tell()?;
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The story, then what the observer saw in its namespaces, which then leave the mesh.
async fn observed<S: Shared>(shared: &S, run: Run<S>) -> anyhow::Result<()> {
    let (outcome, namespaces) = story::noting_namespaces(run(shared)).await;
    let mut all = vec![outcome];
    for namespace in namespaces {
        if let Some(observer) = shared.observer() {
            all.push(observer.violations(&namespace).await.and_then(|broken| match broken.as_slice() {
                [] => Ok(()),
                broken => Err(anyhow!("invariants were broken:\n{}", broken.join("\n"))),
            }));
        }
        all.push(shared.bed().leave_mesh(&namespace).await);
    }
    let wrong: Vec<String> =
        all.iter().filter_map(|part| Some(format!("{:#}", part.as_ref().err()?))).collect();
    if wrong.is_empty() { Ok(()) } else { Err(anyhow!(wrong.join("\n"))) }
}
