//! `bed up`: starts a bed for exploration. `bed selftest`: does the bed work as stories expect, and how fast is it?

#![expect(clippy::print_stdout, reason = "a program for people at a terminal")]

use std::time::Duration;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use serin_bed::{Bed, Behaviour, LoadHandle, Options, Selector, Target, Traffic, proxy::Proxy, wait};
use tokio::time::Instant;

/// Long, because machines may be busy.
const LIMIT: Duration = Duration::from_secs(60);
const HOST: &str = "podinfo.example.com";

#[derive(Parser)]
#[command(about = "The test bed of Serin")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts a bed and keeps it until Ctrl-C.
    Up {
        /// Only the control plane and the kubelet: no istiod, Envoy or Prometheus.
        #[arg(long)]
        control_plane_only: bool,
        /// Contour, Traefik, kube-proxy and the Gateway API as well.
        #[arg(long, conflicts_with = "control_plane_only")]
        proxies: bool,
    },
    /// Checks and measures a bed.
    Selftest,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    serin_bed::enter()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match cli.command {
            Command::Up { control_plane_only: true, .. } => up(Options::control_plane_only()).await,
            Command::Up { proxies, .. } => {
                let proxies = if proxies { Proxy::ALL.to_vec() } else { Vec::new() };
                up(Options { proxies, ..Options::default() }).await
            }
            Command::Selftest => selftest().await,
        }
    })
}

async fn up(options: Options) -> anyhow::Result<()> {
    let bed = Bed::start(options).await?;
    print_timings(&bed);
    println!("\nRun commands in the bed:   {} kubectl get pods -A", bed.in_bed().display());
    println!("Logs and data:             {}", bed.dir().display());
    println!("Gateway:                   {}", serin_bed::GATEWAY);
    println!("Ctrl-C ends it.");
    // The outer process ends this one.
    std::future::pending::<()>().await;
    Ok(())
}

async fn selftest() -> anyhow::Result<()> {
    let bed = Bed::start(Options::default()).await?;
    print_timings(&bed);
    deploy(&bed).await?;
    split(&bed).await?;
    latency(&bed).await?;
    metrics(&bed).await?;
    scripted(&bed).await?;
    pods_come_and_go(&bed).await?;
    restarts(&bed).await?;
    bed.stop().await?;
    println!("\nall is well");
    Ok(())
}

fn print_timings(bed: &Bed) {
    println!("ready after:");
    for (name, took) in bed.timings() {
        println!("  {name:<26}{:>7.2} s", took.as_secs_f64());
    }
}

/// Two Deployments with two pods each, their Services, a Gateway and a VirtualService.
async fn deploy(bed: &Bed) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut yaml = String::new();
    for (name, tag) in [("podinfo-primary", "v1"), ("podinfo", "v2")] {
        yaml += &workload(name, tag);
    }
    bed.apply_yaml("test", &yaml).await?;
    let deployments: Api<Deployment> = Api::namespaced(bed.admin(), "test");
    for name in ["podinfo-primary", "podinfo"] {
        wait::object(deployments.clone(), name, LIMIT, |it| {
            it.status.as_ref().and_then(|status| status.available_replicas) == Some(2)
        })
        .await?;
    }
    println!("\n2 Deployments of 2 pods available after {:.2} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    bed.gateway("test", &["*"]).await?;
    bed.apply_yaml("test", &virtual_service(100)).await?;
    Target::gateway(HOST).serving("v1", LIMIT).await?;
    println!("first answer through Envoy {:.0} ms after Gateway and VirtualService", millis(began));
    Ok(())
}

async fn split(bed: &Bed) -> anyhow::Result<()> {
    bed.apply_yaml("test", &virtual_service(90)).await?;
    Target::gateway(HOST).serving("v2", LIMIT).await?;
    let began = Instant::now();
    let window = LoadHandle::start(&Target::gateway(HOST), 500.0, 8).requests(2000, LIMIT).await?;
    println!(
        "\n90/10: {:.1} % v2 of {} in {:.1} s",
        window.share("v2") * 100.0,
        window.requests,
        began.elapsed().as_secs_f64()
    );
    println!("latency: median {:?}, 99th percentile {:?}", window.latency(0.5), window.latency(0.99));
    ensure!(window.lost() == 0 && window.version_errors == 0, "failed requests: {:?}", window.failures);
    ensure!((0.06..0.14).contains(&window.share("v2")), "that is no 90/10 split");
    let load = LoadHandle::start(&Target::gateway(HOST), 3000.0, 16);
    let full = load.requests(6000, LIMIT).await?;
    println!(
        "at most: {:.0} requests/s by 16 connections",
        full.requests as f64 / full.since.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The time from the end of the write to the first answer with the new weight.
async fn latency(bed: &Bed) -> anyhow::Result<()> {
    let mut took = Vec::new();
    for _ in 0..5 {
        bed.apply_yaml("test", &virtual_service(100)).await?;
        let load = LoadHandle::start(&Target::gateway(HOST), 500.0, 4);
        settled(&load, "v1").await?;
        bed.apply_yaml("test", &virtual_service(0)).await?;
        let written = Instant::now();
        let first = load.first_answer("v2", LIMIT).await?;
        took.push(first.saturating_duration_since(written).as_secs_f64() * 1000.0);
    }
    println!("\nVirtualService write to first new answer: {took:.0?} ms");
    Ok(())
}

/// Waits for a window of 50 answers from one version only.
async fn settled(load: &LoadHandle, version: &str) -> anyhow::Result<()> {
    wait::until("a settled split", LIMIT, async || {
        load.reset();
        let window = load.requests(50, LIMIT).await.ok()?;
        ((window.share(version) - 1.0).abs() < f64::EPSILON).then_some(())
    })
    .await
}

/// The results of Flagger's own queries for a version with 10 % errors and 20 ms.
async fn metrics(bed: &Bed) -> anyhow::Result<()> {
    let behaviour =
        Behaviour { error_rate: Some(0.1), delay: Some(Duration::from_millis(20)), ..Behaviour::default() };
    bed.kubelet()?.set(Selector::workload("podinfo").in_namespace("test"), behaviour);
    bed.apply_yaml("test", &virtual_service(50)).await?;
    let load = LoadHandle::start(&Target::gateway(HOST), 400.0, 16);
    load.requests(400, LIMIT).await?;
    load.reset();
    let window = load.requests(6000, LIMIT).await?;
    println!(
        "\nv2 with 10 % errors and 20 ms, at {:.0} requests/s:",
        window.requests as f64 / window.since.elapsed().as_secs_f64()
    );
    for workload in ["podinfo-primary", "podinfo"] {
        let success = one(bed, &success_rate("test", workload, "10s")).await?;
        let duration = one(bed, &duration("test", workload, "10s")).await?;
        println!("  {workload:<16} success {success:.2} %, 99th percentile {duration:.1} ms");
    }
    let success = one(bed, &success_rate("test", "podinfo", "10s")).await?;
    let by_pod = one(bed, &pods_success_rate("test", "podinfo", "10s")).await?;
    println!("  podinfo, by its pods' own metrics: {by_pod:.2} %");
    ensure!((87.0..93.0).contains(&by_pod), "the pods' metrics say {by_pod} % instead of 90 %");
    ensure!((87.0..93.0).contains(&success), "Prometheus sees {success} % instead of 90 %");
    ensure!(window.lost() == 0, "failed requests: {:?}", window.failures);
    bed.kubelet()?.clear_all();
    Ok(())
}

async fn scripted(bed: &Bed) -> anyhow::Result<()> {
    let began = Instant::now();
    for percent in [90.5, 100.0, 12.34, 0.0] {
        bed.scripted().reset("made-up", "app").await?;
        bed.scripted().traffic("made-up", "app", Traffic::success(percent, 500.0));
        let seen = wait::until("the scripted rate", LIMIT, async || {
            one(bed, &success_rate("made-up", "app", "10s")).await.ok()
        })
        .await?;
        let took = one(bed, &duration("made-up", "app", "10s")).await?;
        ensure!(
            (seen - percent).abs() < 1e-9 && (took - 500.0).abs() < 1e-6,
            "scripted {percent}: {seen} %, {took} ms"
        );
    }
    println!(
        "\nscripted series: 4 exact rates, one after the other, in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Rolls out and scales a Deployment under traffic. Then pods fail readiness and disappear.
async fn pods_come_and_go(bed: &Bed) -> anyhow::Result<()> {
    bed.apply_yaml("test", &virtual_service(100)).await?;
    let load = LoadHandle::start(&Target::gateway(HOST), 200.0, 8);
    settled(&load, "v1").await?;
    load.reset();
    let began = Instant::now();
    bed.apply_yaml("test", &workload("podinfo-primary", "v3")).await?;
    load.first_answer("v3", LIMIT).await?;
    settled(&load, "v3").await?;
    let window = load.snapshot();
    println!(
        "\nrolling update of 2 pods under traffic: {:.1} s, {} failed",
        began.elapsed().as_secs_f64(),
        window.lost()
    );

    let primary = Selector::workload("podinfo-primary");
    bed.kubelet()?.fail_ready(primary.clone());
    let deployments: Api<Deployment> = Api::namespaced(bed.admin(), "test");
    let ready = |count: i32| {
        move |it: &Deployment| {
            it.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0) == count
        }
    };
    wait::object(deployments.clone(), "podinfo-primary", LIMIT, ready(0)).await?;
    wait::until("errors made by the proxy", LIMIT, async || (load.snapshot().proxy_errors > 0).then_some(()))
        .await?;
    println!(
        "no pod ready: {:?}",
        load.reset().failures.first().map(|(_, what)| what.clone()).unwrap_or_default()
    );
    bed.kubelet()?.clear(&primary);
    wait::object(deployments.clone(), "podinfo-primary", LIMIT, ready(2)).await?;
    let gone = bed.kubelet()?.vanish(&primary).await?;
    wait::object(deployments, "podinfo-primary", LIMIT, ready(2)).await?;
    settled(&load, "v3").await?;
    println!("{gone} pods vanished and were replaced");
    Ok(())
}

/// Parts stop and start again.
async fn restarts(bed: &Bed) -> anyhow::Result<()> {
    bed.prometheus()?.stop().await?;
    ensure!(bed.query("vector(1)").await.is_err(), "Prometheus answers though it is stopped");
    let prometheus = bed.prometheus()?.start().await?;
    let apiserver = bed.apiserver().restart().await?;
    bed.apply_yaml("test", &workload("podinfo-primary", "v4")).await?;
    Target::gateway(HOST).serving("v4", LIMIT).await?;
    println!("\nback again: Prometheus after {prometheus:.1?}, the API server after {apiserver:.1?}");
    Ok(())
}

async fn one(bed: &Bed, promql: &str) -> anyhow::Result<f64> {
    let values = bed.query(promql).await?;
    values.first().copied().filter(|value| value.is_finite()).with_context(|| format!("{promql}: {values:?}"))
}

fn success_rate(namespace: &str, workload: &str, window: &str) -> String {
    let base = base(namespace, workload);
    format!(
        "sum(rate(istio_requests_total{{{base},response_code!~\"5.*\"}}[{window}])) / \
         sum(rate(istio_requests_total{{{base}}}[{window}])) * 100"
    )
}

fn pods_success_rate(namespace: &str, workload: &str, window: &str) -> String {
    let base = format!(
        "kubernetes_namespace=\"{namespace}\",kubernetes_pod_name=~\"{workload}-[0-9a-zA-Z]+(-[0-9a-zA-Z]+)\""
    );
    format!(
        "sum(rate(http_request_duration_seconds_count{{{base},status!~\"5.*\"}}[{window}])) / \
         sum(rate(http_request_duration_seconds_count{{{base}}}[{window}])) * 100"
    )
}

fn duration(namespace: &str, workload: &str, window: &str) -> String {
    let base = base(namespace, workload);
    format!(
        "histogram_quantile(0.99, sum(rate(istio_request_duration_milliseconds_bucket{{{base}}}[{window}])) by (le))"
    )
}

fn base(namespace: &str, workload: &str) -> String {
    format!(
        "reporter=\"destination\",destination_workload_namespace=\"{namespace}\",destination_workload=~\"{workload}\""
    )
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn workload(name: &str, tag: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 2\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n      \
         annotations: {{prometheus.io/scrape: 'true', prometheus.io/port: '9898'}}\n    \
         spec:\n      containers:\n      - name: app\n        image: example.com/app:{tag}\n        \
         ports: [{{containerPort: 9898, name: http}}]\n---\n\
         apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec:\n  selector: {{app: {name}}}\n  \
         ports: [{{name: http, port: 9898, targetPort: http}}]\n---\n"
    )
}

fn virtual_service(primary: u32) -> String {
    let canary = 100 - primary;
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: podinfo}}\nspec:\n  \
         gateways: [gateway]\n  hosts: [{HOST}]\n  http:\n  - retries: {{attempts: 0}}\n    route:\n    \
         - {{destination: {{host: podinfo-primary}}, weight: {primary}}}\n    \
         - {{destination: {{host: podinfo}}, weight: {canary}}}\n"
    )
}
