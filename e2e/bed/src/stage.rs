//! Runs the stories of a test target. All stories share one bed and other resources, which are created for the first
//! story that runs.
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

/// The resources that the stories of a target share.
pub trait Shared: Send + Sync + 'static {
    /// The bed that they run on.
    fn bed(&self) -> &Bed;

    /// The observer of the invariants in each story's namespaces.
    fn observer(&self) -> Option<&Observer> {
        None
    }
}

/// The function of a story.
pub type Run<S> = for<'a> fn(&'a S) -> BoxFuture<'a, anyhow::Result<()>>;

/// The stories of one file: name, requirement and function of each.
pub type Family<S> = &'static [(&'static str, Need, Run<S>)];

/// A story of a [`Family`](crate::stage::Family): its function, and its requirement if a bed is not enough.
#[macro_export]
macro_rules! story {
    ($name:path) => {
        $crate::story!($name, $crate::lacking::Need::Bed)
    };
    ($name:path, $need:expr) => {
        (stringify!($name), $need, |shared| Box::pin($name(shared)))
    };
}

/// State that all trials share.
struct Scene<S> {
    runtime: Runtime,
    shared: OnceCell<S>,
    start: Box<dyn Fn() -> BoxFuture<'static, anyhow::Result<S>> + Send + Sync>,
    /// How long each story took.
    times: Mutex<Vec<(Duration, String)>>,
}

/// A test target while its stories run.
pub struct Stage<S> {
    lacking: Lacking,
    arguments: Arguments,
    scene: Arc<Scene<S>>,
    left_out: &'static [&'static str],
    failed: bool,
}

impl<S: Shared> Stage<S> {
    /// For the stories of a target with these missing requirements. `start` creates the shared resources.
    ///
    /// # Errors
    /// The runtime cannot be created.
    pub fn new<F>(lacking: Lacking, start: impl Fn() -> F + Send + Sync + 'static) -> anyhow::Result<Self>
    where
        F: Future<Output = anyhow::Result<S>> + Send + 'static,
    {
        let start = Box::new(move || -> BoxFuture<'static, _> { Box::pin(start()) });
        let (runtime, shared, times) = (Runtime::new()?, OnceCell::new(), Mutex::default());
        let scene = Arc::new(Scene { runtime, shared, start, times });
        Ok(Self { lacking, arguments: Arguments::from_args(), scene, left_out: &[], failed: false })
    }

    /// These stories run only if a filter names them, or with `SERIN_STORIES=all`.
    #[must_use]
    pub fn without(mut self, slow: &'static [&'static str]) -> Self {
        let all = std::env::var("SERIN_STORIES").is_ok_and(|which| which == "all");
        if self.arguments.filter.is_none() && !all {
            self.left_out = slow;
        }
        self
    }

    /// Runs these families, with `side_by_side` stories at a time. If that is more than one, `--test-threads` can
    /// override it. The stories of a family without a name have only their own names.
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

    /// Prints the longest stories, if there were many.
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

    /// Ends the target. If a story failed, the bed stays if requested ([`Bed::keep`]). Adds the skipped stories to the
    /// list of the whole run, or prints them if there is no list.
    ///
    /// # Errors
    /// The list cannot be written.
    pub fn end(self) -> anyhow::Result<ExitCode> {
        let Self { lacking, scene, failed, .. } = self;
        if let Some(shared) = scene.shared.get().filter(|_| failed) {
            scene.runtime.block_on(shared.bed().keep());
        }
        // from here on, nothing else of it runs
        drop(scene);
        lacking.tell()?;
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// Runs the story, then checks the observer's results for its namespaces. Then the namespaces leave the mesh.
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
