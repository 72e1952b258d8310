//! `KEEP=1`: bed, operator and traffic keep running until Ctrl-C, for exploration.

use std::{env, future, io, path::Path, time::Duration};

use tokio::time::interval;

use super::{
    numbers::{NAME, NAMESPACE},
    screen::Screen,
    stage::Stage,
};

/// How often the client's windows are closed, because they store every answer.
const WINDOW: Duration = Duration::from_secs(10);

/// Whether the user asked for it.
pub(super) fn wanted() -> bool {
    env::var_os("KEEP").is_some_and(|value| !value.is_empty())
}

/// Prints how to explore the bed, and keeps everything running until Ctrl-C ends the program.
pub(super) async fn running(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    stage.traffic.start();
    print(stage)?;
    let mut ticks = interval(WINDOW);
    loop {
        tokio::select! {
            _ = ticks.tick() => { stage.traffic.cut(); }
            seen = stage.sight.next() => if seen.is_none() { future::pending::<()>().await },
        }
    }
}

/// Prints how to watch such a release.
pub(super) fn hint(screen: &mut Screen) -> io::Result<()> {
    screen.line("")?;
    let text = screen.dim("# KEEP=1 keeps all this running; make plugin builds what watches it");
    screen.line(&format!("{text}\nkubectl canary get {NAME} -n {NAMESPACE} -w\nkubectl canary dashboard"))
}

fn print(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    let bed = stage.story.bed;
    let short = |path: &Path| path.display().to_string();
    let (enter, serin) = (short(&bed.in_bed()), short(stage.operator.program()));
    // make builds it into the same folder
    let plugin = short(&stage.operator.program().with_file_name("kubectl-canary"));
    let operator = stage.operator.address();
    let prometheus = bed.prometheus_url();
    let query = "/api/v1/query?query=rate(istio_requests_total[5s])";
    let screen = &mut stage.screen;
    screen.line("")?;
    screen.title("Everything goes on running, traffic too. Ctrl-C ends it.")?;
    screen.line(&format!("In another terminal:\n\n  in_bed={enter}\n"))?;
    let commands = [
        ("kubectl get canary -A", "phase, weight, time of the last change"),
        (&format!("kubectl -n {NAMESPACE} describe canary {NAME}"), "the story in Events, and conditions"),
        (
            &format!("{serin} explain {NAME} -n {NAMESPACE} --metrics-server={prometheus} --ask"),
            "what would be done next, and why",
        ),
        (
            &format!(
                "kubectl -n {NAMESPACE} set image deployment/{NAME} {}={}:6.1.0",
                stage.container, stage.image
            ),
            "another release",
        ),
        (&format!("{plugin} get {NAME} -n {NAMESPACE} -w"), "see it go: steps, checks, pods"),
        (&format!("kubectl -n {NAMESPACE} get canary {NAME} --watch"), "the same in one line"),
        (&format!("curl -s http://{operator}/metrics"), "the operator's metrics"),
        (&format!("curl -sg '{prometheus}{query}'"), "a query to Prometheus"),
        ("bash", "a shell in there: network, kubeconfig, kubectl"),
    ];
    for (command, what) in commands {
        let what = screen.dim(&format!("# {what}"));
        screen.line(&format!("  {what}\n  $in_bed {command}"))?;
    }
    screen.line(&format!("\nLogs and data, until you delete them: {}", bed.dir().display()))?;
    Ok(())
}
