//! Canaries as Flagger's documentation has them, in words of our own (`e2e/flagger`): one for each provider and each way to
//! write one. All are valid, are initialised, make a step and are promoted. What is rendered for each stands beside it;
//! `UPDATE_FLAGGER=1` writes that anew.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};
use serin::{
    api::Phase,
    config::Rules,
    router,
    snapshot::{HPA, INGRESS, KNATIVE_SERVICE, Kind, ObjectRef, SCALED_OBJECT, SERVICE},
    spec::validate,
};
use serin_model::{Sim, fixture, time, world::World};

use crate::Play;

/// Longest time until the next thing happens: windows last 20 s.
const PATIENCE: usize = 300;

#[test]
fn canaries_of_flaggers_documentation_are_rendered_as_before() -> Result<()> {
    let wrong: Vec<String> =
        files()?.iter().filter_map(|path| rendered(path).err()).map(|error| format!("{error:#}")).collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    Ok(())
}

#[test]
fn canaries_of_flaggers_documentation_name_every_provider() -> Result<()> {
    let mut named: Vec<String> = Vec::new();
    for path in files()? {
        let document = Document::read(&path)?;
        let own = document.canary["spec"]["provider"].as_str().map(str::to_owned);
        named.push(own.unwrap_or(document.rules.mesh_provider));
    }
    let missing: Vec<&str> = router::all()
        .iter()
        .map(|router| router.name())
        .filter(|name| !named.iter().any(|n| n == name))
        .collect();
    ensure!(missing.is_empty(), "no Canary for {missing:?}");
    Ok(())
}

fn files() -> Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("flagger");
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder)? {
        paths.extend(Some(entry?.path()).filter(|path| path.extension().is_some_and(|e| e == "yaml")));
    }
    ensure!(!paths.is_empty(), "no Canaries in {}", folder.display());
    paths.sort();
    Ok(paths)
}

/// What one file has.
struct Document {
    rules: Rules,
    canary: Value,
    templates: Vec<Value>,
    users: Vec<(Kind, Value)>,
}

impl Document {
    fn read(path: &Path) -> Result<Self> {
        let all: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(path)?)?;
        let mut document =
            Self { rules: Rules::default(), canary: Value::Null, templates: vec![], users: vec![] };
        for object in all {
            if let Some(mesh) = object["meshProvider"].as_str() {
                document.rules.mesh_provider = mesh.to_owned();
                continue;
            }
            match object["kind"].as_str().unwrap_or_default() {
                "Canary" => document.canary = object,
                "MetricTemplate" => document.templates.push(object),
                _ => document.users.push((kind(&object)?, object)),
            }
        }
        Ok(document)
    }

    fn world(&self) -> Result<World> {
        let mut world = World::default();
        world.rules = self.rules.clone();
        for template in &self.templates {
            let meta = &template["metadata"];
            let name = |field: &str| meta[field].as_str().unwrap_or_default().to_owned();
            let at = format!("{}/{}", name("namespace"), name("name"));
            world.templates.insert(at, serde_json::from_value(template["spec"].clone())?);
        }
        let knative = self.canary["spec"]["targetRef"]["apiVersion"] == KNATIVE_SERVICE.api_version();
        if !knative {
            let target = fixture::target_named("orders", "orders:1");
            world.put(serin::snapshot::DEPLOYMENT, target, time::start());
        }
        for (kind, object) in &self.users {
            world.put(*kind, object.clone(), time::start());
        }
        world.put_canary(self.canary.clone(), time::start());
        Ok(world)
    }
}

/// The kind of an object that Serin reads.
fn kind(object: &Value) -> Result<Kind> {
    let routed = router::all().iter().flat_map(|router| router.kinds().iter().copied());
    let mut known = routed.chain([INGRESS, HPA, SCALED_OBJECT, KNATIVE_SERVICE]);
    let found = known.find(|kind| object["kind"] == kind.kind && object["apiVersion"] == kind.api_version());
    found.with_context(|| format!("{} {} is not read", object["apiVersion"], object["kind"]))
}

/// Plays it, and compares what was rendered.
fn rendered(path: &Path) -> Result<()> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let out = played(&Document::read(path)?).with_context(|| name.clone())?;
    let expected = path.with_extension("out");
    if std::env::var_os("UPDATE_FLAGGER").is_some() {
        return fs::write(&expected, out).context(name);
    }
    let before = fs::read_to_string(&expected).unwrap_or_default();
    let differs = before.lines().zip(out.lines()).position(|(a, b)| a != b);
    let at = differs.unwrap_or_else(|| before.lines().count().min(out.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(end)").to_owned();
    ensure!(before == out, "{name}, line {}:\n- {}\n+ {}", at + 1, line(&before), line(&out));
    Ok(())
}

/// Its life as far as a promotion: what it is rendered to at rest, and under way.
fn played(document: &Document) -> Result<String> {
    let canary = serde_json::from_value(document.canary.clone())?;
    let valid = validate(&canary, &document.rules).map_err(|problems| anyhow!("{problems:#?}"))?;
    let Some(router) = router::by_name(&valid.provider) else { return not_served(document) };
    let mut sim = Sim::new(document.world()?, "orders");
    // nobody wishes to go back
    let hooks = document.canary["spec"]["analysis"]["webhooks"].as_array().into_iter().flatten();
    for hook in hooks.filter(|hook| hook["type"] == "rollback") {
        sim.refusals.insert(crate::name(&json!({"metadata": hook})), "Forbidden".into());
    }
    let mut play = Play { sim, router, answers: true, dies: None, proxy: None, calls: 0 };
    until(&mut play, "initialised", |play| play.sim.world.status().phase == Some(Phase::Initialized))?;
    let at_rest = described(&play, &kinds(&play))?;
    let mut out = format!("# initialised\n{}", at_rest.concat());
    told(&mut out, &play)?;
    release(&mut play)?;
    until(&mut play, "at its first step", |play| {
        let status = play.sim.world.status();
        status.canary_weight > 0 || status.iterations > 0
    })?;
    out.push_str("\n# what is different at the first step\n");
    out.extend(described(&play, &kinds(&play))?.into_iter().filter(|object| !at_rest.contains(object)));
    until(&mut play, "promoted", |play| play.sim.world.status().phase == Some(Phase::Succeeded))?;
    let left = router.read_back(&valid, &play.sim.world.objects)?.canary();
    ensure!(left == 0, "{left} % go to the canary after the promotion");
    Ok(out)
}

/// Nothing is made for what is not served, and it is said why.
fn not_served(document: &Document) -> Result<String> {
    let mut sim = Sim::new(document.world()?, "orders");
    let before = sim.world.objects.iter().count();
    sim.advance(std::time::Duration::from_secs(60));
    ensure!(sim.world.objects.iter().count() == before, "something was made:\n{}", sim.log.join("\n"));
    let conditions = sim.world.status().conditions;
    let told = conditions.iter().find(|c| c.type_ == "Accepted").context("it is not said why")?;
    ensure!(told.status == "False", "it is accepted: {}", told.message);
    Ok(format!("# not served\n{}: {}\n", told.reason, told.message))
}

/// What is looked at: Services, routes, and autoscalers.
fn kinds(play: &Play) -> Vec<Kind> {
    let mut all = vec![SERVICE, HPA, SCALED_OBJECT];
    all.extend(play.router.kinds().iter().filter(|kind| !all.contains(kind)).copied().collect::<Vec<_>>());
    all
}

fn until(play: &mut Play, what: &str, done: impl Fn(&Play) -> bool) -> Result<()> {
    for _ in 0..PATIENCE {
        if done(play) {
            return Ok(());
        }
        play.pass(1);
    }
    let accepted = crate::condition(play, "Accepted").unwrap_or_default();
    Err(anyhow!("it is never {what}: {accepted}\n{}", play.sim.log.join("\n")))
}

/// The next version.
fn release(play: &mut Play) -> Result<()> {
    let at = ObjectRef::new(KNATIVE_SERVICE, "orders");
    if play.sim.world.objects.at(&at).is_none() {
        fixture::set_image(&mut play.sim, "orders:2");
        return Ok(());
    }
    let containers = json!([{"image": "orders:2", "ports": [{"containerPort": 9898, "protocol": "TCP"}]}]);
    let changed =
        play.sim.world.edit(&at, &json!({"spec": {"template": {"spec": {"containers": containers}}}}));
    ensure!(changed, "no Knative Service");
    play.sim.look();
    Ok(())
}

/// Annotations that say when and of what an object was written.
const ADDED: [&str; 4] = ["serin.dev/epoch", "serin.dev/written", "serin.dev/source", "serin.dev/revision"];

/// All objects of these kinds, without what the API server and every write add.
fn described(play: &Play, kinds: &[Kind]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for object in kinds.iter().flat_map(|kind| play.sim.world.objects.of(*kind)) {
        // what KEDA makes is no work of ours
        if crate::name(object).starts_with("keda-hpa-") {
            continue;
        }
        let mut shown = object.clone();
        shown.as_object_mut().and_then(|object| object.remove("status"));
        for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "namespace"] {
            shown["metadata"].as_object_mut().and_then(|meta| meta.remove(field));
        }
        let annotations = shown.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
        if let Some(annotations) = annotations {
            annotations.retain(|key, _| !ADDED.contains(&key.as_str()));
        }
        // much the same for all: a line is enough
        let text = if object["kind"] == SERVICE.kind && object["apiVersion"] == SERVICE.version {
            let (meta, spec) = (&shown["metadata"], &shown["spec"]);
            format!("# Service {meta}\n#   {spec}\n")
        } else {
            format!("---\n{}\n", serde_saphyr::to_string(&shown)?.trim_end())
        };
        all.push(text);
    }
    Ok(all)
}

/// What users are told of the Canary as they wrote it.
fn told(out: &mut String, play: &Play) -> Result<()> {
    for type_ in ["NotYetServed", "Advisory"] {
        if let Some(message) = crate::condition(play, type_).filter(|message| !message.is_empty()) {
            writeln!(out, "# {type_}: {message}")?;
        }
    }
    Ok(())
}
