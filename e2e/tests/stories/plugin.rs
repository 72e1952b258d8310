//! `kubectl canary` with the real API server and the operator: users with and without the rights control a release from
//! the command line. The output is in `kubectl-canary.txt` in the bed's folder (`KEEP=1`).

use std::{fmt::Write as _, fs, time::Duration};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use serin_bed::{Traffic, User, operator, story::Story};
use tokio::process::Command;

use crate::{Family, Shared};

pub(crate) const STORIES: Family = &[crate::story!(a_release_is_steered_from_the_command_line)];

/// Timeout of a command, including waits for releases.
const PATIENCE: Duration = Duration::from_secs(120);

/// The result of a command.
struct Done {
    code: i32,
    out: String,
    err: String,
}

/// A simulated terminal: runs commands one after the other, and collects their output.
struct Terminal<'s> {
    story: &'s Story<'s>,
    said: String,
}

impl Terminal<'_> {
    /// Runs a command, which must end with this exit code and print these words.
    async fn run(&mut self, line: &str, code: i32, words: &[&str]) -> anyhow::Result<Done> {
        let program = operator::binary()?.with_file_name("kubectl-canary");
        let mut command = Command::new(&program);
        command
            .args(line.split_whitespace())
            .args(["-n", &self.story.namespace])
            .env("KUBECONFIG", self.story.bed.kubeconfig(User::Admin))
            .env("LANG", "C.UTF-8")
            .kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output = output.with_context(|| format!("{line}: it does not end"))?;
        let output = output.with_context(|| format!("{}: build it first", program.display()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let done = Done {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        writeln!(self.said, "$ kubectl canary {line}\n{}{}[{}]\n", done.out, done.err, done.code)?;
        fs::write(self.story.bed.dir().join("kubectl-canary.txt"), &self.said)?;
        ensure!(
            done.code == code,
            "{line}: exit code {}, wanted {code}\n{}{}",
            done.code,
            done.out,
            done.err
        );
        for word in words {
            let both = format!("{}{}", done.out, done.err);
            ensure!(both.contains(word), "{line}: {word:?} is not in\n{both}");
        }
        Ok(done)
    }
}

/// A role with these rights for a user.
fn role(user: &str, rules: &Value) -> Vec<Value> {
    let meta = json!({"name": user});
    let group = "rbac.authorization.k8s.io";
    vec![
        json!({"apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": meta, "rules": rules}),
        json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": user},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}]}),
    ]
}

/// `ann` may only view, `bob` may view and decide.
async fn users(story: &Story<'_>) -> anyhow::Result<()> {
    let look = json!(["get", "list", "watch"]);
    let see = json!({"apiGroups": ["flagger.app", "serin.dev"], "resources": ["canaries", "canaryruns"], "verbs": look});
    let around = json!({"apiGroups": ["", "apps", "networking.istio.io"],
        "resources": ["deployments", "replicasets", "pods", "events", "services", "virtualservices", "destinationrules"], "verbs": look});
    let decide = json!({"apiGroups": ["flagger.app"], "resources": ["canaries"], "verbs": ["patch"]});
    story.apply(role("ann", &json!([see]))).await?;
    story.apply(role("bob", &json!([see, around, decide]))).await
}

async fn a_release_is_steered_from_the_command_line(shared: &Shared) -> anyhow::Result<()> {
    let story = Story::new(&shared.bed, "plugin").await?;
    let good = Traffic::success(100.0, 50.0);
    shared.bed.scripted().traffic("plugin", "app", good);
    let edit = |canary: &mut Value| {
        let analysis = &mut canary["spec"]["analysis"];
        if let Some(fields) = analysis.as_object_mut() {
            fields.retain(|field, _| field != "stepWeight" && field != "maxWeight");
        }
        let gate = json!({"name": "qa", "deadline": "8h"});
        analysis["steps"] = json!([{"weight": 25, "gate": gate}, {"weight": 50}]);
    };
    story.initialised("app", edit).await?;
    users(&story).await?;
    let mut terminal = Terminal { story: &story, said: String::new() };
    looks_and_is_refused(&mut terminal).await?;
    is_promoted(&mut terminal).await?;
    is_aborted(&mut terminal).await?;
    shared.bed.scripted().traffic("plugin", "app", Traffic::success(50.0, 50.0));
    is_rolled_back(&mut terminal).await
}

async fn looks_and_is_refused(terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    terminal
        .run("list --as nobody", 1, &["missing right: list canaries.flagger.app in namespace plugin"])
        .await?;
    terminal
        .run("get app --as nobody", 1, &["missing right: get canaries.flagger.app in namespace plugin"])
        .await?;
    terminal.run("list --as ann", 0, &["app", "Initialized"]).await?;
    terminal
        .run("get app --as ann", 0, &["Initialized", "list deployments.apps in namespace plugin"])
        .await?;
    terminal.run("get app --as bob", 0, &["app-primary", "VirtualService"]).await?;
    terminal.run("get nope --as bob", 5, &["not found in namespace plugin"]).await?;
    terminal.run("promote app --as bob", 0, &["nothing to promote"]).await?;
    terminal.run("abort app --as bob", 1, &["there is no run to abort"]).await?;
    terminal.run("status app --as bob", 0, &["Initialized"]).await?;
    terminal.run("set image app web=web:2", 1, &["it has app"]).await?;
    let right = "missing right: patch deployments.apps in namespace plugin";
    terminal.run("set image app app=app:2 --as bob", 1, &[right]).await.map(drop)
}

async fn is_promoted(terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    terminal
        .run("set image app app=app:2", 0, &["canary \"app\" image: app app:1 -> app:2 (Deployment app)"])
        .await?;
    let command = "kubectl canary approve app -n plugin";
    terminal.run("status app --for gate --as bob", 0, &["gate \"qa\"", command]).await?;
    terminal.run("status app --fail-on-gate --as bob", 4, &[command]).await?;
    terminal.run("status app --timeout 1s --as bob", 3, &["is still Waiting after 1s"]).await?;
    terminal.run("get app --as bob --width 80", 0, &["app:1 → app:2", "continue:"]).await?;
    terminal.run("explain app --as bob", 0, &["app is Waiting", "from the status alone"]).await?;
    terminal.run("explain app", 0, &["app is Waiting", "phase Waiting, canary weight 25"]).await?;
    let right = "missing right: patch canaries.flagger.app in namespace plugin";
    terminal.run("approve app --as ann", 1, &[right]).await?;
    terminal.run("approve app --gate prod --as bob", 1, &["does not wait at the gate \"prod\""]).await?;
    terminal.run("approve app --dry-run --as bob", 0, &["nothing is written", "serin.dev/request"]).await?;
    let done = terminal
        .run("approve app --as bob --wait --timeout 90s", 0, &["gate \"qa\" is open", "promoted in"])
        .await?;
    ensure!(done.out.contains("Succeeded"), "{}", done.out);
    terminal.run("history app --as bob", 0, &["Promoted", "AllStepsTaken", "bob"]).await?;
    terminal.run("history app --run 2 --as bob", 0, &["request-success-rate", "pass"]).await?;
    terminal.run("history app --run 99 --as bob", 5, &["no record of a run 99"]).await?;
    terminal.run("events app --as bob", 0, &["RequestAccepted"]).await?;
    let done = terminal.run("get app -o json --as bob", 0, &[]).await?;
    let view: Value = serde_json::from_str(&done.out)?;
    ensure!(view["state"] == "healthy" && view["lastRun"]["by"] == "bob", "{view}");
    terminal.run("version", 0, &["client", "definitions"]).await.map(drop)
}

async fn is_aborted(terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    terminal.run("set image app app=app:3", 0, &["app:2 -> app:3"]).await?;
    terminal.run("status app --for gate", 0, &["gate \"qa\""]).await?;
    let done = terminal.run("abort app --as bob --by deploy-bot -o json", 0, &[]).await?;
    let result: Value = serde_json::from_str(&done.out)?;
    ensure!(result["answer"] == "Accepted" && result["before"]["phase"] == "Waiting", "{result}");
    terminal
        .run("status app --as bob", 1, &["rolled back", "deploy-bot", "kubectl canary history app"])
        .await?;
    terminal.run("promote app --as bob", 1, &["has failed and is rolled back"]).await?;
    terminal.run("list --needs-attention --as bob", 0, &["Failed"]).await.map(drop)
}

async fn is_rolled_back(terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    let words = ["Failed", "was rolled back", "success rate"];
    terminal.run("set image app app=app:4 --wait --timeout 90s", 1, &words).await?;
    terminal.run("get app --width 80", 0, &["✖ Failed", "✖ fail"]).await.map(drop)
}
